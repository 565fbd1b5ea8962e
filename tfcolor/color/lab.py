"""sRGB to CIELAB and back (D65, 2 degree observer).

The numbers are those of scikit-image, so that pictures converted by either
agree; they are written out because matrices rounded elsewhere differ in the
fourth digit.
"""

import numpy as np
import tensorflow as tf

from tfcolor.color import srgb

# sRGB primaries with a D65 white, as in scikit-image `xyz_from_rgb`.
_XYZ_FROM_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
# The inverse of the matrix above.
_RGB_FROM_XYZ = (
    (3.24048134, -1.53715152, -0.49853633),
    (-0.96925495, 1.87599, 0.04155593),
    (0.05564664, -0.20404134, 1.05731107),
)
# CIE 15:2004, D65, 2 degrees; Y = 1.
_WHITE = (0.95047, 1.0, 1.08883)

# CIE 15:2004: f(t) is a cube root above the threshold and a line below it.
_F_THRESHOLD = 0.008856
_F_SLOPE = 7.787
_F_OFFSET = 16 / 116
_F_INVERSE_THRESHOLD = 0.2068966
# What is to be taken off 116 times `_quick_f`.
_L_OF_QUICK_F = 16 + 116 * _F_SLOPE * _F_THRESHOLD
# For rows of values: X, Y and Z over those of white, from linear RGB, and L
# (less 16), a and b from f of these.
_RATIOS_FROM_RGB = (np.transpose(_XYZ_FROM_RGB) / _WHITE).astype(np.float32)
_LAB_FROM_F = np.array(
    [[0, 500, 0], [116, -500, 200], [0, 0, -200]], np.float32
)


def _transform(channels: tf.Tensor, matrix) -> tf.Tensor:
    """Applies a 3 x 3 matrix to the last axis."""
    return tf.tensordot(channels, tf.transpose(tf.constant(matrix)), 1)


def _f(t: tf.Tensor) -> tf.Tensor:
    root = tf.pow(tf.maximum(t, _F_THRESHOLD), 1 / 3)
    return tf.where(t > _F_THRESHOLD, root, _F_SLOPE * t + _F_OFFSET)


def _quick_f(t: tf.Tensor) -> tf.Tensor:
    """Returns `_f` and `_F_SLOPE * _F_THRESHOLD` more, without a choice."""
    # The root from the threshold on, and the line up to there, where they meet.
    root = tf.exp(tf.math.log(tf.maximum(t, _F_THRESHOLD)) * (1 / 3))
    return root + _F_SLOPE * tf.minimum(t, _F_THRESHOLD)


def _f_inverse(f: tf.Tensor) -> tf.Tensor:
    cube = f * f * f
    return tf.where(f > _F_INVERSE_THRESHOLD, cube, (f - _F_OFFSET) / _F_SLOPE)


def rgb_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """Converts sRGB to CIELAB.

    Args:
        rgb: float32 tensor [..., 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 3]: L 0..100, a and b.

    Reference:
        CIE 15:2004, section 8.2.1.
    """
    xyz = _transform(srgb.srgb_to_linear(rgb), _XYZ_FROM_RGB)
    fx, fy, fz = tf.unstack(_f(xyz / tf.constant(_WHITE)), axis=-1)
    return tf.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1)


def bytes_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """Converts 8-bit sRGB to CIELAB.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        float32 tensor [..., 3]: L 0..100, a and b; `rgb_to_lab` of
        `rgb / 255` within 0.001, several times quicker, without a gradient.
    """
    return tf.concat(bytes_to_L_and_ab(rgb), axis=-1)


def bytes_to_L_and_ab(rgb: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Converts 8-bit sRGB to lightness and colour; see `bytes_to_lab`.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        L, float32 [..., 1], 0..100; ab, float32 [..., 2].
    """
    linear = tf.reshape(srgb.bytes_to_linear(rgb), [-1, 3])
    ratios = tf.matmul(linear, tf.constant(_RATIOS_FROM_RGB))
    f = _quick_f(ratios)
    L = tf.matmul(f, tf.constant(_LAB_FROM_F[:, :1])) - _L_OF_QUICK_F
    ab = tf.matmul(f, tf.constant(_LAB_FROM_F[:, 1:]))
    leading = tf.shape(rgb)[:-1]
    shaped = [
        tf.reshape(x, tf.concat([leading, tf.shape(x)[-1:]], 0))
        for x in (L, ab)
    ]
    known = tf.TensorShape(rgb.shape[:-1])
    return tuple(
        tf.ensure_shape(x, known + [channels])
        for x, channels in zip(shaped, (1, 2), strict=True)
    )


@tf.function(jit_compile=True)
def batch_to_L_and_ab(rgb: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Converts 8-bit sRGB of a shape that comes again and again.

    XLA makes one loop of it, which takes half the time of `bytes_to_L_and_ab`,
    and compiles it for every new shape, which takes long.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        L, float32 [..., 1], 0..100; ab, float32 [..., 2].
    """
    linear = tf.unstack(srgb.bytes_to_linear(rgb), axis=-1)
    # Sums instead of a product of matrices: XLA fuses them with the rest.
    ratios = (
        sum(float(row[i]) * linear[i] for i in range(3))
        for row in _RATIOS_FROM_RGB.T
    )
    fx, fy, fz = map(_quick_f, ratios)
    L = 116 * fy - _L_OF_QUICK_F
    return L[..., None], tf.stack([500 * (fx - fy), 200 * (fy - fz)], axis=-1)


def lab_to_linear_rgb(lab: tf.Tensor) -> tf.Tensor:
    """Converts CIELAB to linear sRGB, not clipped.

    Args:
        lab: float32 tensor [..., 3].

    Returns:
        float32 tensor [..., 3], linear light; 0..1 for colours inside sRGB.

    Reference:
        CIE 15:2004, appendix D.
    """
    L, a, b = tf.unstack(tf.convert_to_tensor(lab, tf.float32), axis=-1)
    fy = (L + 16) / 116
    # A negative Z has no meaning; scikit-image clips it here as well.
    fz = tf.maximum(fy - b / 200, 0)
    f = tf.stack([fy + a / 500, fy, fz], axis=-1)
    return _transform(_f_inverse(f) * tf.constant(_WHITE), _RGB_FROM_XYZ)


def lab_to_rgb(lab: tf.Tensor) -> tf.Tensor:
    """Converts CIELAB to sRGB, each channel clipped to 0..1.

    Clipping changes hue and lightness of colours that sRGB does not hold; use
    `gamut.reduce_chroma` first where lightness must stay.

    Args:
        lab: float32 tensor [..., 3].

    Returns:
        float32 tensor [..., 3], encoded sRGB, 0..1.
    """
    linear = tf.maximum(lab_to_linear_rgb(lab), 0)
    return tf.clip_by_value(srgb.linear_to_srgb(linear), 0, 1)


def rgb_to_L(rgb: tf.Tensor) -> tf.Tensor:
    """Returns the lightness of sRGB colours, without computing a and b.

    Args:
        rgb: float32 tensor [..., 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 1], 0..100.
    """
    luminance = _transform(srgb.srgb_to_linear(rgb), _XYZ_FROM_RGB[1:2])
    return 116 * _f(luminance) - 16


def grey_to_L(grey: tf.Tensor) -> tf.Tensor:
    """Returns the lightness of greys, equal to `rgb_to_L` of R = G = B.

    Args:
        grey: float32 tensor [..., 1], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 1], 0..100.
    """
    return 116 * _f(srgb.srgb_to_linear(grey)) - 16
