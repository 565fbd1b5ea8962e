import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.layers import ddcolor


def _random(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_the_grey_picture_has_the_lightness_in_three_channels():
    values = np.linspace(0, 1, 256, dtype=np.float32)[None, None, :, None]
    L = lab.grey_to_L(tf.constant(values))
    found = ddcolor.ImagenetGrey()(L).numpy()
    found = found * [0.229, 0.224, 0.225] + [0.485, 0.456, 0.406]
    np.testing.assert_allclose(found, values.repeat(3, -1), atol=2e-6)


def test_pixel_shuffle_puts_channels_into_rows_and_columns():
    x = _random(2, 3, 4, 2 * 2 * 5)
    found = ddcolor.PixelShuffle(scale=2)(x).numpy()
    assert found.shape == (2, 6, 8, 5)
    for row in range(2):
        for column in range(2):
            first = (row * 2 + column) * 5
            np.testing.assert_array_equal(
                found[:, row::2, column::2], x[..., first : first + 5]
            )


def test_corner_blur_is_the_mean_of_four_pixels():
    x = _random(2, 3, 4, 5)
    padded = np.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0)), mode="edge")
    expected = sum(
        padded[:, i : i + 3, j : j + 4] for i in range(2) for j in range(2)
    )
    np.testing.assert_allclose(ddcolor.CornerBlur()(x), expected / 4, atol=1e-6)


def test_colors_are_those_of_the_shuffled_maps():
    x, colors = _random(2, 3, 4, 16 * 5), _random(2, 5, 2)
    maps = ddcolor.PixelShuffle(scale=4)(x).numpy()
    expected = np.einsum("bhwc,bck->bhwk", maps, colors)
    found = ddcolor.ShuffledColors(scale=4)(x, colors)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_rows_of_a_map_know_their_places():
    layer = ddcolor.MapRows()
    x = _random(2, 3, 5, 8)
    values, keys = layer(x)
    level = layer.level.numpy()
    np.testing.assert_allclose(values, (x + level).reshape(2, 15, 8), atol=1e-6)
    places = (keys - values).numpy().reshape(2, 3, 5, 8)
    for row in range(3):
        for column in range(5):
            vertical = (row + 1) / 3 * 2 * np.pi
            horizontal = (column + 1) / 5 * 2 * np.pi
            # The second wave is 100 times as long.
            angles = [vertical, vertical / 100, horizontal, horizontal / 100]
            expected = [f(a) for a in angles for f in (np.sin, np.cos)]
            for picture in places:
                np.testing.assert_allclose(
                    picture[row, column], expected, atol=1e-5
                )


def test_maps_without_places_for_sines_are_refused():
    with pytest.raises(ValueError, match="multiple of 4. Received: 6"):
        ddcolor.MapRows()(_random(1, 2, 2, 6))


def test_gelu_is_the_exact_one():
    x = np.linspace(-6, 6, 101, dtype=np.float32)
    expected = tf.nn.gelu(x, approximate=False)
    np.testing.assert_allclose(ddcolor.Gelu()(x), expected, atol=1e-6)
    found = ddcolor.Gelu(elementary=True)(x)
    np.testing.assert_allclose(found, expected, atol=2e-6)
