import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.layers.enlarge import Enlarge


def test_nearest_repeats_every_value():
    x = tf.random.normal([2, 3, 5, 4], seed=0)
    repeated = np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)
    np.testing.assert_array_equal(Enlarge(2)(x), repeated)


def test_bilinear_goes_between_the_middles_of_cells():
    x = tf.constant([0.0, 4.0, 8.0])[None, None, :, None]
    larger = Enlarge(2, method="bilinear")(x)
    np.testing.assert_allclose(larger[0, 0, :, 0], [0, 1, 3, 5, 7, 8])
    np.testing.assert_array_equal(larger[0, 0], larger[0, 1])


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_sizes_need_not_be_known(method):
    layer = Enlarge(2, method=method)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 2])])
    def enlarge(x):
        return layer(x)

    assert enlarge(tf.zeros([1, 4, 6, 2])).shape == (1, 8, 12, 2)
    symbolic = layer(keras.Input((None, 7, 2)))
    assert symbolic.shape == (None, None, 14, 2)


def test_the_layer_is_rebuilt_from_its_config():
    layer = Enlarge(3, method="bilinear")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (copy.scale, copy.method) == (3, "bilinear")


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="`method` must be .*Received"):
        Enlarge(2, method="cubic")
