import numpy as np
import pytest
from skimage.color import lab2rgb
from skimage.color import rgb2lab

from tfcolor.evaluation import measure


def _picture(height=24, width=20):
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_ab_of_zero_is_grey_of_the_same_lightness():
    rgb = _picture()
    grey = measure.constant_ab(rgb, np.zeros(2))
    assert grey.dtype == np.uint8
    assert np.ptp(grey.astype(int), axis=-1).max() <= 1
    assert np.abs(rgb2lab(grey) - rgb2lab(rgb))[..., 0].max() < 0.5


def test_a_strong_color_is_brought_into_gamut_and_L_stays():
    rgb = _picture()
    painted = measure.constant_ab(rgb, np.array([70.0, -60.0]))
    change = np.abs(rgb2lab(painted) - rgb2lab(rgb))[..., 0]
    assert change.mean() < 0.25
    # Clipping the channels instead would have changed the lightness.
    lab = rgb2lab(rgb)
    lab[..., 1:] = 70.0, -60.0
    clipped = lab2rgb(lab)
    assert np.abs(rgb2lab(clipped) - lab)[..., 0].mean() > 2


def test_a_weak_color_is_painted_as_it_is():
    rgb = np.full((4, 4, 3), 128, np.uint8)
    painted = measure.constant_ab(rgb, np.array([10.0, 20.0]))
    np.testing.assert_allclose(
        rgb2lab(painted)[..., 1:], np.full((4, 4, 2), (10, 20)), atol=0.6
    )


@pytest.mark.parametrize("pixels", [2**21, 50])
def test_mean_ab_is_that_of_skimage_in_one_band_or_many(monkeypatch, pixels):
    monkeypatch.setattr(measure, "BAND_PIXELS", pixels)
    rgb = _picture()
    expected = rgb2lab(rgb)[..., 1:].mean(axis=(0, 1))
    np.testing.assert_allclose(measure.mean_ab(rgb), expected, atol=1e-3)
