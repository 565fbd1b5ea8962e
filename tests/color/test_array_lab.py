import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import array_lab
from tfcolor.color import gamut
from tfcolor.color import lab
from tfcolor.inference import prepare


def _all_values(dtype, channels):
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    rng = np.random.default_rng(0)
    return np.stack([rng.permutation(values) for _ in range(channels)], -1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_lightness_is_that_of_the_graph(dtype, channels):
    picture = _all_values(dtype, channels)[None]
    expected = prepare.picture_L(tf.constant(picture))[..., 0]
    np.testing.assert_allclose(
        array_lab.picture_L(picture), expected, atol=1e-4
    )
    encoded = picture.astype(np.float32) / np.iinfo(dtype).max
    np.testing.assert_allclose(
        array_lab.encoded_L(encoded), expected, atol=1e-4
    )


def test_lab_is_that_of_the_graph():
    rgb = _all_values(np.uint8, 3)
    expected = lab.bytes_to_lab(rgb)
    np.testing.assert_allclose(array_lab.rgb_to_lab(rgb), expected, atol=1e-3)
    found = array_lab.rgb_to_lab(rgb.astype(np.float32) / 255)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("spread", [5.0, 40.0, 200.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_values_are_those_of_the_graph_in_and_out_of_gamut(spread, dtype):
    rng = np.random.default_rng(1)
    L = rng.uniform(0, 100, (50, 400)).astype(np.float32)
    a, b = rng.normal(0, spread, (2, 50, 400)).astype(np.float32)
    share = gamut.shown_share(L, a, b)
    high = np.iinfo(dtype).max
    expected = [
        np.round(plane * high)
        for plane in lab.lab_planes_to_rgb(L, share * a, share * b)
    ]
    found = array_lab.shown_values(L, a, b, dtype)
    assert found.dtype == dtype
    away = np.abs(found - np.stack(expected, -1))
    # A value may fall on the other side of a half.
    assert away.max() <= 1 and (away > 0).mean() < 0.01


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_stays_itself(dtype, channels):
    grey = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)[:, None]
    found = array_lab.grey_values(np.repeat(grey, channels, -1))
    np.testing.assert_array_equal(found, np.repeat(grey, 3, -1))
