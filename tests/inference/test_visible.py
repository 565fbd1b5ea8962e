import numpy as np
import pytest

from tfcolor.inference import visible


def _noise(channels, dtype=np.uint8, seed=0):
    high = np.iinfo(dtype).max
    rng = np.random.default_rng(seed)
    return rng.integers(0, high, (9, 13, channels), dtype, endpoint=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha_dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_hidden_colors_do_not_count(dtype, alpha_dtype, channels):
    alpha = np.full((9, 13, 1), np.iinfo(alpha_dtype).max, alpha_dtype)
    alpha[:, 5:] = 0
    pixels, other = _noise(channels, dtype), _noise(channels, dtype, seed=1)
    other[:, :5] = pixels[:, :5]
    seen = visible.visible_pixels(pixels, alpha)
    assert seen.dtype == dtype
    assert np.array_equal(seen, visible.visible_pixels(other, alpha))
    assert np.array_equal(seen[:, :5], pixels[:, :5])
    mean = pixels[:, :5].mean((0, 1))
    assert np.abs(seen[0, 12] - mean).max() <= 1


def test_a_picture_of_which_nothing_shows_is_flat():
    alpha = np.zeros((9, 13, 1), np.uint8)
    seen = visible.visible_pixels(_noise(3), alpha)
    assert np.ptp(seen) == 0


def test_opaque_pictures_are_seen_themselves():
    assert visible.visible_pixels(_noise(3), None) is None
    alpha = np.full((9, 13, 1), 255, np.uint8)
    assert visible.visible_pixels(_noise(3), alpha) is None


def test_half_transparent_pictures_are_seen_as_opaque_ones():
    alpha = np.full((9, 13, 1), 128, np.uint8)
    assert visible.visible_pixels(_noise(3), alpha) is None
