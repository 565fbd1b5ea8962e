import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import gamut
from tfcolor.color import lab


@pytest.fixture
def colors():
    """L and ab, most of them outside sRGB."""
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, (4000, 1)).astype(np.float32)
    ab = rng.uniform(-110, 110, (4000, 2)).astype(np.float32)
    return L, ab


def test_all_8_bit_colors_are_in_gamut():
    axes = np.meshgrid(*[np.arange(0, 256, 5)] * 3)
    rgb = np.stack(axes, -1).reshape(-1, 3).astype(np.float32) / 255
    channels = lab.rgb_to_lab(rgb)
    L, ab = channels[..., :1], channels[..., 1:]
    assert np.all(gamut.in_gamut(L, ab))
    np.testing.assert_array_equal(gamut.reduce_chroma(L, ab), ab)


def test_in_gamut_tells_colors_that_clipping_would_change(colors):
    L, ab = colors
    channels = tf.concat([L, ab], -1)
    back = lab.rgb_to_lab(lab.lab_to_rgb(channels))
    moved = np.abs(back - channels).max(-1) > 0.5
    inside = gamut.in_gamut(L, ab).numpy()[:, 0]
    assert 0.05 < inside.mean() < 0.5
    assert not np.any(inside & moved)
    assert (~inside & moved).mean() > 0.9 * (~inside).mean()


def test_reduce_chroma_lands_inside_and_keeps_what_was_inside(colors):
    L, ab = colors
    reduced = gamut.reduce_chroma(L, ab)
    inside = gamut.in_gamut(L, ab).numpy()[:, 0]
    assert np.all(gamut.in_gamut(L, reduced))
    np.testing.assert_array_equal(reduced.numpy()[inside], ab[inside])


def test_reduce_chroma_keeps_the_hue_angle(colors):
    L, ab = colors
    reduced = gamut.reduce_chroma(L, ab).numpy()
    scale = np.linalg.norm(reduced, axis=-1) / np.linalg.norm(ab, axis=-1)
    assert scale.max() <= 1 + 1e-6
    np.testing.assert_allclose(reduced, scale[:, None] * ab, atol=1e-3)


def test_reduce_chroma_goes_no_further_than_it_must(colors):
    L, ab = colors
    outside = ~gamut.in_gamut(L, ab).numpy()[:, 0]
    reduced = gamut.reduce_chroma(L, ab).numpy()
    room = 2.0**-11 * ab
    assert not np.any(gamut.in_gamut(L, reduced + room).numpy()[outside])


def test_lightness_stays_after_rounding_to_8_bits(colors):
    L, ab = colors
    channels = tf.concat([L, gamut.reduce_chroma(L, ab)], -1)
    rounded = tf.round(lab.lab_to_rgb(channels) * 255) / 255
    assert np.abs(lab.rgb_to_L(rounded) - L).max() < 0.5


def test_black_and_white_become_grey_within_one_8_bit_step():
    L = tf.constant([[0.0], [100.0]])
    ab = tf.constant([[50.0, -20.0], [-3.0, 90.0]])
    channels = tf.concat([L, gamut.reduce_chroma(L, ab)], -1)
    np.testing.assert_allclose(
        lab.lab_to_rgb(channels), [[0, 0, 0], [1, 1, 1]], atol=1 / 255
    )


def test_reduce_chroma_takes_whole_pictures():
    L = tf.fill([2, 3, 4, 1], 90.0)
    ab = tf.fill([2, 3, 4, 2], -100.0)
    assert gamut.reduce_chroma(L, ab).shape == (2, 3, 4, 2)


def test_reduce_chroma_takes_a_single_color():
    L, ab = tf.constant([90.0]), tf.constant([-100.0, -100.0])
    in_row = gamut.reduce_chroma(L[None], ab[None])[0]
    np.testing.assert_array_equal(gamut.reduce_chroma(L, ab), in_row)
