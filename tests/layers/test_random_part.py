import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.layers.random_part import RandomPart


def _ramps(count=8):
    """Pictures whose value says where a pixel is: y + 100 x."""
    y, x = np.mgrid[0:16, 0:24].astype(np.float32)
    return np.repeat((y + 100 * x)[None, ..., None], count, axis=0)


def test_pictures_are_parts_of_themselves_in_training():
    parts = RandomPart(0.25)(_ramps(), training=True).numpy()
    assert parts.shape == (8, 16, 24, 1)
    assert len({part.tobytes() for part in parts}) == 8
    # Half of the sides and more: 7.5 of 15 rows, 11.5 of 23 columns.
    rows = (parts[:, -1] - parts[:, 0])[:, 0, 0]
    assert (rows >= 7.4).all() and (rows <= 15.1).all()
    columns = (parts[:, :, -1] - parts[:, :, 0])[:, 0, 0] / 100
    np.testing.assert_allclose(columns / 23, rows / 15, atol=1e-3)
    assert parts.min() >= -0.1 and parts.max() <= _ramps().max() + 0.1


def test_pictures_are_whole_otherwise():
    np.testing.assert_array_equal(RandomPart(0.25)(_ramps()), _ramps())


def test_parts_can_be_cut_in_a_graph():
    layer = RandomPart(0.5)
    parts = tf.function(lambda x: layer(x, training=True))
    first, second = parts(_ramps()), parts(_ramps())
    assert np.abs(first - second).max() > 1


def test_the_layer_is_rebuilt_from_its_config():
    layer = RandomPart(0.25, name="part")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert copy.name == "part" and copy.min_area == 0.25


@pytest.mark.parametrize("area", [0.0, 1.5])
def test_areas_that_cannot_be_are_refused(area):
    with pytest.raises(ValueError, match="`min_area` must be above 0"):
        RandomPart(area)
