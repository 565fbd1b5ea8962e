import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.layers.adaptive_pooling import AdaptiveMeans


def _cell_by_cell(x, side):
    """The definition, in loops."""
    _, height, width, _ = x.shape
    means = np.empty([x.shape[0], side, side, x.shape[-1]])
    for i in range(side):
        for j in range(side):
            rows = slice(i * height // side, -(-(i + 1) * height // side))
            columns = slice(j * width // side, -(-(j + 1) * width // side))
            means[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))
    return means


@pytest.mark.parametrize("size", [(1, 1), (6, 6), (7, 13), (4, 12), (3, 5)])
@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
def test_cells_are_means_of_their_rows_and_columns(size, wrap):
    x = np.random.default_rng(0).normal(size=(2, *size, 3)).astype("f4")
    means = wrap(AdaptiveMeans(6))(x)
    np.testing.assert_allclose(means, _cell_by_cell(x, 6), atol=1e-6)


def test_a_map_of_one_cell_is_repeated():
    means = AdaptiveMeans(6)(tf.constant([[[[3.0, 5.0]]]]))
    np.testing.assert_array_equal(means[0, 4, 2], [3, 5])
    assert means.shape == (1, 6, 6, 2)


def test_half_precision_stays_what_it_is():
    layer = AdaptiveMeans(2, dtype="mixed_float16")
    means = layer(tf.fill([1, 300, 300, 1], 100.0))
    assert means.dtype == tf.float16
    np.testing.assert_allclose(means, 100, rtol=1e-3)


def test_the_layer_is_rebuilt_from_its_config():
    layer = AdaptiveMeans(5, name="means")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (copy.side, copy.name) == (5, "means")
