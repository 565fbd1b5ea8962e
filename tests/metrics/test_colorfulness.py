import numpy as np
import pytest
import tensorflow as tf

from tfcolor.metrics import colorfulness_absolute
from tfcolor.metrics import colorfulness_signed

BOTH = [colorfulness_signed, colorfulness_absolute]


def _picture(seed, *shape):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def _restated(rgb, opponent):
    red, green, blue = np.moveaxis(rgb.astype(np.float64) * 255, -1, 0)
    rg = opponent(red - green)
    yb = opponent(0.5 * (red + green) - blue)
    spread = np.sqrt(rg.std() ** 2 + yb.std() ** 2)
    return spread + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)


@pytest.mark.parametrize("colorfulness", BOTH)
def test_a_grey_picture_has_no_colorfulness(colorfulness):
    grey = np.repeat(_picture(0, 8, 8, 1), 3, axis=-1)
    np.testing.assert_allclose(colorfulness(grey), 0.0, atol=1e-5)


@pytest.mark.parametrize("colorfulness", BOTH)
def test_a_plain_blue_picture_has_only_the_mean_term(colorfulness):
    blue = np.zeros((4, 4, 3), np.float32)
    blue[..., 2] = 1
    # rg = 0 and yb = -255 everywhere.
    np.testing.assert_allclose(colorfulness(blue), 0.3 * 255, rtol=1e-6)


def test_half_red_half_green_tells_the_two_definitions_apart():
    rgb = np.zeros((2, 4, 3), np.float32)
    rgb[0, :, 0] = 1
    rgb[1, :, 1] = 1
    # rg = +-255 with mean 0, yb = 127.5 everywhere.
    np.testing.assert_allclose(
        colorfulness_signed(rgb), 255 + 0.3 * 127.5, rtol=1e-6
    )
    # |rg| = 255 everywhere: nothing spreads.
    np.testing.assert_allclose(
        colorfulness_absolute(rgb), 0.3 * np.hypot(255, 127.5), rtol=1e-6
    )


def test_colorfulness_matches_a_restatement_in_numpy():
    rgb = _picture(1, 21, 13, 3)
    np.testing.assert_allclose(
        colorfulness_signed(rgb), _restated(rgb, lambda x: x), rtol=1e-5
    )
    np.testing.assert_allclose(
        colorfulness_absolute(rgb), _restated(rgb, np.abs), rtol=1e-5
    )


@pytest.mark.parametrize("colorfulness", BOTH)
def test_the_place_of_a_pixel_does_not_matter(colorfulness):
    rgb = _picture(2, 6, 10, 3)
    order = np.random.default_rng(3).permutation(60)
    moved = rgb.reshape(60, 3)[order].reshape(10, 6, 3)
    np.testing.assert_allclose(
        colorfulness(moved), colorfulness(rgb), rtol=1e-5
    )


@pytest.mark.parametrize("colorfulness", BOTH)
def test_colorfulness_is_per_picture_in_every_mode(colorfulness):
    rgb = _picture(4, 2, 3, 5, 7, 3)
    values = colorfulness(rgb)
    assert values.shape == (2, 3)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(values[1, 0], colorfulness(rgb[1, 0]), rtol=1e-5)
    np.testing.assert_allclose(
        tf.function(colorfulness)(rgb), values, rtol=1e-5
    )
    dataset = tf.data.Dataset.from_tensors(rgb).map(colorfulness)
    np.testing.assert_allclose(next(iter(dataset)), values, rtol=1e-5)
