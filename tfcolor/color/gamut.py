"""Bringing colours into the sRGB gamut without touching their lightness."""

import tensorflow as tf

from tfcolor.color import lab

# Rounding of the two matrices alone leaves a grey up to 8e-6 outside 0..1.
_TOLERANCE = 1e-4
# 2^-12 of the chroma is far below one 8-bit step.
_BISECTIONS = 12


def in_gamut(L: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Tells which colours sRGB can show.

    Args:
        L: float32 tensor [..., 1], 0..100.
        ab: float32 tensor [..., 2].

    Returns:
        bool tensor [..., 1].
    """
    linear = lab.lab_to_linear_rgb(tf.concat([L, ab], axis=-1))
    inside = (linear >= -_TOLERANCE) & (linear <= 1 + _TOLERANCE)
    return tf.reduce_all(inside, axis=-1, keepdims=True)


def reduce_chroma(L: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Moves colours outside sRGB straight towards grey until they fit.

    Lightness and hue angle stay; colours inside are returned as they are.
    The grey of any L in 0..100 is inside, so a solution always exists.

    Args:
        L: float32 tensor [..., 1], 0..100.
        ab: float32 tensor [..., 2].

    Returns:
        float32 tensor [..., 2], inside the gamut of sRGB at its L.
    """
    L = tf.convert_to_tensor(L, tf.float32)
    ab = tf.convert_to_tensor(ab, tf.float32)
    # One axis of colours: a single colour has no axis to scatter over.
    L_flat, ab_flat = tf.reshape(L, [-1, 1]), tf.reshape(ab, [-1, 2])
    outside = tf.logical_not(in_gamut(L_flat, ab_flat)[..., 0])
    # Only the pixels outside pay for the search: usually very few.
    positions = tf.where(outside)
    L_outside = tf.gather_nd(L_flat, positions)
    ab_outside = tf.gather_nd(ab_flat, positions)
    low = tf.zeros_like(L_outside)
    high = tf.ones_like(L_outside)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fits = in_gamut(L_outside, middle * ab_outside)
        low = tf.where(fits, middle, low)
        high = tf.where(fits, high, middle)
    reduced = tf.tensor_scatter_nd_update(ab_flat, positions, low * ab_outside)
    return tf.ensure_shape(tf.reshape(reduced, tf.shape(ab)), ab.shape)
