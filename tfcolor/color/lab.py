"""sRGB to CIELAB and back (D65, 2 degree observer).

The numbers are in `standards`; `array_lab` has the same for NumPy alone.
"""

import functools

import numpy as np
from keras import ops

from tfcolor.color import srgb
from tfcolor.color import standards

# For rows of values: X, Y and Z over those of white, from linear RGB, and L
# (less 16), a and b from f of these.
_RATIOS_FROM_RGB = (
    np.transpose(standards.XYZ_FROM_RGB) / standards.WHITE
).astype(np.float32)
_RGB_FROM_RATIOS = np.array(standards.RGB_FROM_XYZ) * standards.WHITE
_LAB_FROM_F = np.array(
    [[0, 500, 0], [116, -500, 200], [0, 0, -200]], np.float32
)


def _transform(channels, matrix):
    """Applies a 3 x 3 matrix to the last axis."""
    return ops.tensordot(channels, np.transpose(np.float32(matrix)), 1)


def _f(t):
    # The root from the threshold on, and the line up to there, where they meet:
    # see `srgb.srgb_to_linear`.
    root = ops.exp(ops.log(ops.maximum(t, standards.F_THRESHOLD)) * (1 / 3))
    return root + standards.F_SLOPE * (
        ops.minimum(t, standards.F_THRESHOLD) - standards.F_THRESHOLD
    )


def _f_inverse(f):
    root = ops.maximum(f, standards.F_INVERSE_THRESHOLD)
    line = (
        ops.minimum(f, standards.F_INVERSE_THRESHOLD)
        - standards.F_INVERSE_THRESHOLD
    )
    return root * root * root + line * (1 / standards.F_SLOPE)


def rgb_to_lab(rgb):
    """Converts sRGB to CIELAB.

    Args:
        rgb: float32 tensor [..., 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 3]: L 0..100, a and b.

    Reference:
        CIE 15:2004, section 8.2.1.
    """
    xyz = _transform(srgb.srgb_to_linear(rgb), standards.XYZ_FROM_RGB)
    ratios = xyz / ops.convert_to_tensor(standards.WHITE, "float32")
    fx, fy, fz = ops.unstack(_f(ratios), axis=-1)
    return ops.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1)


def bytes_to_lab(rgb):
    """Converts 8-bit sRGB to CIELAB.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        float32 tensor [..., 3]: L 0..100, a and b; `rgb_to_lab` of
        `rgb / 255`, without a gradient.
    """
    return ops.concatenate(bytes_to_L_and_ab(rgb), axis=-1)


def bytes_to_L_and_ab(rgb):
    """Converts 8-bit sRGB to lightness and color; see `bytes_to_lab`.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        L, float32 [..., 1], 0..100; ab, float32 [..., 2].
    """
    linear = srgb.bytes_to_linear(rgb)
    leading = ops.shape(linear)[:-1]
    # Products of two matrices are quicker than those of higher rank.
    f = _f(ops.matmul(ops.reshape(linear, (-1, 3)), _RATIOS_FROM_RGB))
    L = ops.matmul(f, _LAB_FROM_F[:, :1]) - 16
    ab = ops.matmul(f, _LAB_FROM_F[:, 1:])
    return ops.reshape(L, (*leading, 1)), ops.reshape(ab, (*leading, 2))


def batch_to_L_and_ab(rgb):
    """Converts 8-bit sRGB of a shape that comes again and again.

    With TensorFlow, XLA makes one loop of it, which takes half the time of
    `bytes_to_L_and_ab`, and compiles it for every new shape, which takes long.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        L, float32 [..., 1], 0..100; ab, float32 [..., 2].
    """
    return _compiled_batch()(rgb)


@functools.cache
def _compiled_batch():
    # TensorFlow is wanted here alone, and not on other backends.
    import tensorflow as tf

    return tf.function(_fused_L_and_ab, jit_compile=True, autograph=False)


def _fused_L_and_ab(rgb):
    linear = ops.unstack(srgb.bytes_to_linear(rgb), axis=-1)
    # Sums instead of a product of matrices: XLA fuses them with the rest.
    ratios = (
        sum(float(row[i]) * linear[i] for i in range(3))
        for row in _RATIOS_FROM_RGB.T
    )
    fx, fy, fz = map(_f, ratios)
    ab = ops.stack([500 * (fx - fy), 200 * (fy - fz)], axis=-1)
    return 116 * fy[..., None] - 16, ab


def lab_to_linear_rgb(lab):
    """Converts CIELAB to linear sRGB, not clipped.

    Args:
        lab: float32 tensor [..., 3].

    Returns:
        float32 tensor [..., 3], linear light; 0..1 for colors inside sRGB.

    Reference:
        CIE 15:2004, appendix D.
    """
    lab = ops.convert_to_tensor(lab, "float32")
    return ops.stack(lab_planes_to_linear(*ops.unstack(lab, axis=-1)), axis=-1)


def lab_planes_to_linear(L, a, b):
    """Converts CIELAB to linear sRGB, each channel a tensor of its own.

    Args:
        L: float32 tensor [...].
        a: float32 tensor [...].
        b: float32 tensor [...].

    Returns:
        list of float32 tensors [...], red, green and blue; see
        `lab_to_linear_rgb`, of which it is the quick part.
    """
    fy = (L + 16) * (1 / 116)
    # A negative Z has no meaning; scikit-image clips it here as well.
    fz = ops.maximum(fy - b * (1 / 200), 0)
    xyz = [_f_inverse(f) for f in (fy + a * (1 / 500), fy, fz)]
    return [
        sum(float(row[i]) * xyz[i] for i in range(3))
        for row in _RGB_FROM_RATIOS
    ]


def lab_to_rgb(lab):
    """Converts CIELAB to sRGB, each channel clipped to 0..1.

    Clipping changes hue and lightness of colors that sRGB does not hold; use
    `gamut.reduce_chroma` first where lightness must stay.

    Args:
        lab: float32 tensor [..., 3].

    Returns:
        float32 tensor [..., 3], encoded sRGB, 0..1.
    """
    lab = ops.convert_to_tensor(lab, "float32")
    return ops.stack(lab_planes_to_rgb(*ops.unstack(lab, axis=-1)), axis=-1)


def lab_planes_to_rgb(L, a, b):
    """Converts CIELAB to sRGB, each channel a tensor of its own.

    Args:
        L: float32 tensor [...].
        a: float32 tensor [...].
        b: float32 tensor [...].

    Returns:
        list of float32 tensors [...], red, green and blue, 0..1; see
        `lab_to_rgb`.
    """
    return [
        ops.clip(srgb.linear_to_srgb(ops.maximum(linear, 0)), 0, 1)
        for linear in lab_planes_to_linear(L, a, b)
    ]


def rgb_to_L(rgb):
    """Returns the lightness of sRGB colors, without computing a and b.

    Args:
        rgb: float32 tensor [..., 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 1], 0..100.
    """
    luminance = _transform(
        srgb.srgb_to_linear(rgb), standards.XYZ_FROM_RGB[1:2]
    )
    return 116 * _f(luminance) - 16


def grey_to_L(grey):
    """Returns the lightness of greys, equal to `rgb_to_L` of R = G = B.

    Args:
        grey: float32 tensor [..., 1], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 1], 0..100.
    """
    return 116 * _f(srgb.srgb_to_linear(grey)) - 16


def L_to_grey(L):
    """Returns the greys that have a lightness: the inverse of `grey_to_L`.

    Args:
        L: float32 tensor [..., 1], 0..100.

    Returns:
        float32 tensor [..., 1], encoded sRGB, 0..1.
    """
    L = ops.convert_to_tensor(L, "float32")
    return srgb.linear_to_srgb(_f_inverse((L + 16) / 116))
