import cv2
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.inference import array_finish
from tfcolor.inference import finish
from tfcolor.inference import prepare

SIZES = [(1, 1), (3, 5), (1, 700), (37, 900), (900, 37), (224, 224), (300, 410)]


def _smooth(rng, height, width, channels, high):
    small = rng.uniform(0, high, (height // 9 + 2, width // 9 + 2, channels))
    picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return picture.reshape(height, width, channels)


def _picture(size, dtype, channels):
    high = np.iinfo(dtype).max
    rng = np.random.default_rng(sum(size))
    smooth = _smooth(rng, *size, channels, high)
    return np.clip(smooth, 0, high).astype(dtype)


def _ab(side=224, spread=40.0):
    rng = np.random.default_rng(0)
    return _smooth(rng, side, side, 2, 2 * spread).astype(np.float32) - spread


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_network_sees_what_the_graph_shows_it(size, channels):
    for dtype in (np.uint8, np.uint16):
        picture = _picture(size, dtype, channels)
        expected = prepare.network_L(tf.constant(picture), 224)[..., 0]
        found = array_finish.small_L(picture, 224, 224)
        np.testing.assert_allclose(found, expected, atol=5e-3)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("upsampling", finish.UPSAMPLINGS)
def test_pictures_are_those_of_the_graph_within_a_level(size, upsampling):
    for dtype, channels, saturation in (
        (np.uint8, 1, 1.0),
        (np.uint8, 3, 2.5),
        (np.uint16, 3, 1.0),
        (np.uint16, 1, 0.0),
    ):
        picture = _picture(size, dtype, channels)
        options = {"saturation": saturation, "upsampling": upsampling}
        expected = finish.finish(tf.constant(picture), _ab(), **options)
        found = array_finish.finish(picture, _ab(), **options)
        assert found.dtype == dtype and found.shape == expected.shape
        away = np.abs(found.astype(int) - expected.numpy())
        # Of 16 bits, where it is the edge of sRGB: less than one of 8.
        assert away.max() <= (1 if dtype == np.uint8 else 256)
        assert (away > 1).mean() < 0.01


@pytest.mark.parametrize("upsampling", finish.UPSAMPLINGS)
def test_the_whole_color_is_that_of_the_graph(upsampling):
    picture = _picture((90, 300), np.uint8, 3)
    expected = finish.full_ab(
        tf.constant(picture), _ab(64), upsampling=upsampling
    )
    found = array_finish.full_ab(picture, _ab(64), upsampling=upsampling)
    np.testing.assert_allclose(found, expected, atol=5e-3)


@pytest.mark.parametrize("upsampling", finish.UPSAMPLINGS)
def test_strips_do_not_show(monkeypatch, upsampling):
    picture, ab = _picture((120, 90), np.uint8, 3), _ab(32)
    whole = array_finish.finish(picture, ab, upsampling=upsampling)
    for strip_pixels in (1, 90 * 7):
        monkeypatch.setattr(array_finish, "STRIP_PIXELS", strip_pixels)
        monkeypatch.setattr(array_finish, "_RESIZE_PIXELS", strip_pixels)
        strips = array_finish.finish(picture, ab, upsampling=upsampling)
        # OpenCV's last bit depends on a value's place in its strip.
        away = np.abs(strips.astype(int) - whole)
        assert away.max() <= 1
        assert np.count_nonzero(away) <= 3
