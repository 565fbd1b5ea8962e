import numpy as np
import pytest
import tensorflow as tf
from skimage import color as skcolor

from tfcolor.color import lab

# Bruce Lindbloom, "CIE Color Calculator", sRGB, D65, no adaptation.
CORNERS = {
    "black": ((0, 0, 0), (0.0, 0.0, 0.0)),
    "white": ((1, 1, 1), (100.0, 0.0, 0.0)),
    "red": ((1, 0, 0), (53.2408, 80.0925, 67.2032)),
    "green": ((0, 1, 0), (87.7347, -86.1827, 83.1793)),
    "blue": ((0, 0, 1), (32.2970, 79.1875, -107.8602)),
    "cyan": ((0, 1, 1), (91.1132, -48.0875, -14.1312)),
    "magenta": ((1, 0, 1), (60.3242, 98.2343, -60.8249)),
    "yellow": ((1, 1, 0), (97.1393, -21.5537, 94.4780)),
}


def _pictures(*shape):
    return np.random.default_rng(1).random(shape).astype(np.float32)


def _grid(values):
    axes = np.meshgrid(values, values, values, indexing="ij")
    return np.stack(axes, axis=-1).reshape(-1, 3).astype(np.uint8)


def _there_and_back(rgb):
    back = lab.lab_to_rgb(lab.rgb_to_lab(tf.cast(rgb, tf.float32) / 255))
    return tf.cast(tf.round(255 * back), tf.uint8).numpy()


@pytest.mark.parametrize("name", CORNERS)
def test_rgb_to_lab_matches_lindbloom_corners(name):
    rgb, expected = CORNERS[name]
    result = lab.rgb_to_lab(tf.constant(rgb, tf.float32))
    np.testing.assert_allclose(result, expected, atol=0.05)


@pytest.mark.parametrize("name", CORNERS)
def test_lab_to_rgb_matches_lindbloom_corners(name):
    rgb, published = CORNERS[name]
    result = lab.lab_to_rgb(tf.constant(published, tf.float32))
    np.testing.assert_allclose(result, rgb, atol=1e-3)


def test_rgb_to_lab_matches_skimage():
    rgb = _pictures(3, 40, 50, 3)
    np.testing.assert_allclose(
        lab.rgb_to_lab(rgb), skcolor.rgb2lab(rgb), atol=1e-3
    )


def test_lab_to_rgb_matches_skimage_inside_the_gamut():
    channels = skcolor.rgb2lab(_pictures(3, 40, 50, 3))
    np.testing.assert_allclose(
        lab.lab_to_rgb(channels), skcolor.lab2rgb(channels), atol=1e-3
    )


# skimage warns where it clips a negative Z.
@pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB")
def test_lab_to_rgb_matches_skimage_outside_the_gamut():
    low, high = np.array([0, -110, -110]), np.array([100, 110, 110])
    channels = low + (high - low) * _pictures(3, 40, 50, 3)
    np.testing.assert_allclose(
        lab.lab_to_rgb(channels), skcolor.lab2rgb(channels), atol=1e-3
    )


def test_round_trip_recovers_every_fifth_8_bit_value_exactly():
    rgb = _grid(np.append(np.arange(0, 256, 5), [1, 2, 3, 254]))
    np.testing.assert_array_equal(_there_and_back(rgb), rgb)


@pytest.mark.slow
def test_round_trip_recovers_all_8_bit_colors_exactly():
    values = np.arange(256)
    for red in np.split(values, 16):
        axes = np.meshgrid(red, values, values, indexing="ij")
        rgb = np.stack(axes, axis=-1).astype(np.uint8)
        np.testing.assert_array_equal(_there_and_back(rgb), rgb)


@pytest.mark.parametrize("leading", [(), (2,), (2, 4, 5)])
def test_conversions_take_any_leading_dimensions(leading):
    rgb = _pictures(*leading, 3)
    flat = lab.rgb_to_lab(rgb.reshape(-1, 3))
    result = lab.rgb_to_lab(rgb)
    assert result.shape == (*leading, 3)
    np.testing.assert_array_equal(tf.reshape(result, [-1, 3]), flat)
    back = lab.lab_to_rgb(result)
    assert back.shape == (*leading, 3)
    np.testing.assert_allclose(back, rgb, atol=1e-4)
    assert lab.rgb_to_L(rgb).shape == (*leading, 1)


def test_rgb_to_L_equals_the_first_channel_of_rgb_to_lab():
    rgb = _pictures(200, 3)
    np.testing.assert_allclose(
        lab.rgb_to_L(rgb), lab.rgb_to_lab(rgb)[..., :1], atol=1e-4
    )


def test_grey_to_L_equals_rgb_to_L_of_equal_channels():
    grey = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    np.testing.assert_allclose(
        lab.grey_to_L(grey), lab.rgb_to_L(np.repeat(grey, 3, -1)), atol=1e-4
    )


def test_8_bit_greys_have_no_color_and_rise_in_lightness():
    grey = np.repeat(np.arange(256, dtype=np.float32)[:, None] / 255, 3, -1)
    channels = lab.rgb_to_lab(grey).numpy()
    # The rows of the matrix add up to the white point within 1e-6.
    np.testing.assert_allclose(channels[:, 1:], 0, atol=0.01)
    assert np.all(np.diff(channels[:, 0]) > 0)


def test_lab_to_linear_rgb_is_not_clipped_and_lab_to_rgb_is():
    outside = tf.constant([80.0, -100.0, 80.0])
    assert lab.lab_to_linear_rgb(outside).numpy().min() < 0
    rgb = lab.lab_to_rgb(outside).numpy()
    assert rgb.min() == 0 and rgb.max() <= 1


@pytest.mark.parametrize(
    "convert", [lab.bytes_to_L_and_ab, lab.batch_to_L_and_ab]
)
def test_bytes_are_converted_like_their_values(convert):
    levels = np.array([0, 1, 9, 10, 11, 12, 40, 128, 200, 254, 255], np.uint8)
    rgb = np.stack(np.meshgrid(levels, levels, levels), -1)
    expected = lab.rgb_to_lab(rgb.astype(np.float32) / 255)
    L, ab = convert(rgb)
    assert L.shape == (11, 11, 11, 1) and ab.shape == (11, 11, 11, 2)
    np.testing.assert_allclose(tf.concat([L, ab], -1), expected, atol=1e-3)
    np.testing.assert_allclose(lab.bytes_to_lab(rgb), expected, atol=1e-3)
    # No grey has a color, and black and white are the ends.
    greys = np.concatenate(convert(np.repeat(levels[:, None], 3, -1)), -1)
    assert np.abs(greys[:, 1:]).max() < 0.02
    np.testing.assert_allclose(greys[[0, -1], 0], [0, 100], atol=1e-3)
