"""sRGB to CIELAB and back (D65, 2 degree observer).

The numbers are those of scikit-image, so that pictures converted by either
agree; they are written out because matrices rounded elsewhere differ in the
fourth digit.
"""

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


def _transform(channels: tf.Tensor, matrix) -> tf.Tensor:
    """Applies a 3 x 3 matrix to the last axis."""
    return tf.tensordot(channels, tf.transpose(tf.constant(matrix)), 1)


def _f(t: tf.Tensor) -> tf.Tensor:
    root = tf.pow(tf.maximum(t, _F_THRESHOLD), 1 / 3)
    return tf.where(t > _F_THRESHOLD, root, _F_SLOPE * t + _F_OFFSET)


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
    return _linear_rgb_to_lab(srgb.srgb_to_linear(rgb))


def bytes_to_lab(rgb: tf.Tensor) -> tf.Tensor:
    """Converts 8-bit sRGB to CIELAB.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        float32 tensor [..., 3]: L 0..100, a and b; `rgb_to_lab` of
        `rgb / 255`, quicker.
    """
    return _linear_rgb_to_lab(srgb.bytes_to_linear(rgb))


def _linear_rgb_to_lab(linear: tf.Tensor) -> tf.Tensor:
    xyz = _transform(linear, _XYZ_FROM_RGB)
    fx, fy, fz = tf.unstack(_f(xyz / tf.constant(_WHITE)), axis=-1)
    return tf.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1)


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
