import keras
import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.layers.grey_value import GreyValue


def test_the_lightness_of_the_grey_is_the_lightness():
    grey = tf.linspace(0.0, 1.0, 256)[:, None, None, None]
    values = GreyValue()(lab.grey_to_L(grey))
    np.testing.assert_allclose(values, grey, atol=2e-5)


def test_the_layer_is_rebuilt_from_its_config():
    layer = GreyValue(name="grey")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.name == "grey"
