import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.inference import prepare


def _noise(*shape, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def test_network_L_is_resized_as_in_training_and_then_converted():
    rgb = _noise(37, 50, 3)
    resized = tf.image.resize(rgb, [16, 16], "bilinear", antialias=True)
    expected = lab.rgb_to_lab(resized / 255)[..., :1]
    np.testing.assert_allclose(
        prepare.network_L(tf.constant(rgb), 16), expected, atol=1e-4
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_and_equal_rgb_have_one_lightness(dtype):
    grey = _noise(20, 30, 1, dtype=dtype)
    rgb = np.repeat(grey, 3, axis=-1)
    for function in (prepare.picture_L, lambda p: prepare.network_L(p, 8)):
        np.testing.assert_allclose(
            function(tf.constant(grey)), function(tf.constant(rgb)), atol=1e-3
        )


def test_sixteen_bits_keep_their_precision():
    values = tf.constant([[[30000], [30001]]], tf.uint16)
    L = prepare.picture_L(values).numpy().ravel()
    assert 0 < L[1] - L[0] < 100 / 65535 * 2


@pytest.mark.parametrize("size", [(1, 1), (7, 200), (200, 7)])
def test_any_size_becomes_the_square(size):
    L = prepare.network_L(tf.fill([*size, 3], tf.constant(119, tf.uint8)), 16)
    assert L.shape == (16, 16, 1)
    np.testing.assert_allclose(L, 50.03, atol=0.01)


def test_the_square_in_color_has_the_lightness_of_the_one_without():
    rgb = tf.constant(_noise(37, 50, 3))
    square = prepare.network_rgb(rgb, 16)
    np.testing.assert_array_equal(
        lab.rgb_to_L(square), prepare.network_L(rgb, 16)
    )


@pytest.mark.parametrize("function", [prepare.network_L, prepare.network_rgb])
def test_pictures_of_all_sizes_share_one_graph(function):
    calls = []

    def counted(picture, image_size):
        calls.append(picture.shape)
        return function(picture, image_size)

    for size in ((21, 33), (40, 7)):
        rgb = _noise(*size, 3)
        np.testing.assert_allclose(
            prepare.traced(counted, rgb, 16),
            function(tf.constant(rgb), 16),
            atol=1e-4,
        )
    assert len(calls) == 1


def test_they_work_alike_eagerly_in_graphs_and_in_datasets():
    rgb = tf.constant(_noise(21, 33, 3))
    eager = prepare.network_L(rgb, 16)
    graph = tf.function(prepare.network_L)(rgb, 16)
    data = tf.data.Dataset.from_tensors(rgb)
    mapped = next(iter(data.map(lambda p: prepare.network_L(p, 16))))
    np.testing.assert_allclose(graph, eager, atol=1e-4)
    np.testing.assert_allclose(mapped, eager, atol=1e-4)


@pytest.mark.parametrize(
    "picture", [tf.zeros([4, 4, 3]), tf.zeros([4, 4, 4], tf.uint8)]
)
def test_other_dtypes_and_channels_are_refused(picture):
    for function in (prepare.picture_L, lambda p: prepare.network_L(p, 8)):
        with pytest.raises(ValueError, match="Received: picture"):
            function(picture)
