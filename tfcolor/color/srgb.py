"""The sRGB transfer curve."""

from keras import ops

# IEC 61966-2-1, with the thresholds that scikit-image and OpenCV use too.
_ENCODED_THRESHOLD = 0.04045
_LINEAR_THRESHOLD = 0.0031308
_SLOPE = 12.92
_OFFSET = 0.055
_EXPONENT = 2.4


def srgb_to_linear(rgb):
    """Undoes the sRGB transfer curve.

    Args:
        rgb: float32 tensor [..., 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 3], linear light, 0..1.

    Reference:
        IEC 61966-2-1:1999, section 5.2.
    """
    rgb = ops.convert_to_tensor(rgb, "float32")
    # Curve and line meet at the threshold: the sum of the curve from there on
    # and of the line up to there is quicker than choosing one of them, and
    # exp(y log x) much quicker than `ops.power`.
    base = ops.maximum(rgb, _ENCODED_THRESHOLD) * (1 / (1 + _OFFSET))
    curve = ops.exp(_EXPONENT * ops.log(base + _OFFSET / (1 + _OFFSET)))
    line = ops.minimum(rgb, _ENCODED_THRESHOLD) - _ENCODED_THRESHOLD
    return curve + line * (1 / _SLOPE)


def bytes_to_linear(rgb):
    """Undoes the sRGB transfer curve of 8-bit pictures.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        float32 tensor [..., 3], linear light, 0..1: `srgb_to_linear` of
        `rgb / 255`, without a gradient.
    """
    return srgb_to_linear(ops.cast(rgb, "float32") * (1 / 255))


def linear_to_srgb(linear):
    """Applies the sRGB transfer curve.

    Args:
        linear: float32 tensor [..., 3], linear light. Negative values go
            through the linear part of the curve.

    Returns:
        float32 tensor [..., 3], encoded sRGB, not clipped.

    Reference:
        IEC 61966-2-1:1999, section 5.2.
    """
    linear = ops.convert_to_tensor(linear, "float32")
    # As in `srgb_to_linear`.
    base = ops.maximum(linear, _LINEAR_THRESHOLD)
    curve = (1 + _OFFSET) * ops.exp(ops.log(base) * (1 / _EXPONENT))
    line = ops.minimum(linear, _LINEAR_THRESHOLD) - _LINEAR_THRESHOLD
    return curve - _OFFSET + line * _SLOPE
