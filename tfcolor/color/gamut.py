"""Bringing colors into the sRGB gamut without touching their lightness."""

import tensorflow as tf

from tfcolor.color import lab
from tfcolor.color import standards


def in_gamut(L: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Tells which colors sRGB can show.

    Args:
        L: float32 tensor [..., 1], 0..100.
        ab: float32 tensor [..., 2].

    Returns:
        bool tensor [..., 1].
    """
    a, b = tf.unstack(ab, axis=-1)
    return _in_gamut(tf.convert_to_tensor(L)[..., 0], a, b)[..., tf.newaxis]


def reduce_chroma(L: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Moves colors outside sRGB straight towards grey until they fit.

    Lightness and hue angle stay; colors inside are returned as they are.
    The grey of any L in 0..100 is inside, so a solution always exists.

    Args:
        L: float32 tensor [..., 1], 0..100.
        ab: float32 tensor [..., 2].

    Returns:
        float32 tensor [..., 2], inside the gamut of sRGB at its L.
    """
    L = tf.convert_to_tensor(L, tf.float32)
    ab = tf.convert_to_tensor(ab, tf.float32)
    a, b = tf.unstack(ab, axis=-1)
    return ab * shown_share(L[..., 0], a, b)[..., tf.newaxis]


def shown_share(L: tf.Tensor, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Returns the factor on chroma by which `reduce_chroma` reduces it.

    Args:
        L: float32 tensor [...], 0..100.
        a: float32 tensor [...].
        b: float32 tensor [...].

    Returns:
        float32 tensor [...], 1 for colors inside sRGB, else 0..1.
    """
    # One axis of colors: a single color has no axis to scatter over.
    flat = [tf.reshape(plane, [-1]) for plane in (L, a, b)]
    positions = tf.where(tf.logical_not(_in_gamut(*flat)))
    # Only the pixels outside pay for the search: usually very few.
    L_outside, a_outside, b_outside = (
        tf.gather_nd(plane, positions) for plane in flat
    )
    low = tf.zeros_like(L_outside)
    high = tf.ones_like(L_outside)
    for _ in range(standards.GAMUT_STEPS):
        middle = (low + high) / 2
        fits = _in_gamut(L_outside, middle * a_outside, middle * b_outside)
        low = tf.where(fits, middle, low)
        high = tf.where(fits, high, middle)
    share = tf.tensor_scatter_nd_update(tf.ones_like(flat[0]), positions, low)
    return tf.ensure_shape(tf.reshape(share, tf.shape(L)), L.shape)


def _in_gamut(L, a, b):
    red, green, blue = lab.lab_planes_to_linear(L, a, b)
    lowest = tf.minimum(tf.minimum(red, green), blue)
    highest = tf.maximum(tf.maximum(red, green), blue)
    return (lowest >= -standards.GAMUT_TOLERANCE) & (
        highest <= 1 + standards.GAMUT_TOLERANCE
    )
