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
    # The base is kept above the threshold inside the branch that is not
    # taken: `where` alone would let its NaN into the gradient.
    base = (ops.maximum(rgb, _ENCODED_THRESHOLD) + _OFFSET) / (1 + _OFFSET)
    return ops.where(
        rgb > _ENCODED_THRESHOLD, ops.power(base, _EXPONENT), rgb / _SLOPE
    )


def bytes_to_linear(rgb):
    """Undoes the sRGB transfer curve of 8-bit pictures.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        float32 tensor [..., 3], linear light, 0..1: `srgb_to_linear` of
        `rgb / 255`, several times quicker, without a gradient.
    """
    values = ops.cast(rgb, "float32")
    threshold = 255 * _ENCODED_THRESHOLD
    # Curve and line meet at the threshold: the sum of the curve from there on
    # and of the line up to there is quicker than choosing one of them, and
    # exp(y log x) much quicker than `ops.power`.
    base = ops.maximum(values, threshold) * (1 / 255 / (1 + _OFFSET))
    curve = ops.exp(_EXPONENT * ops.log(base + _OFFSET / (1 + _OFFSET)))
    line = ops.minimum(values, threshold) * (1 / 255 / _SLOPE)
    return curve + (line - _ENCODED_THRESHOLD / _SLOPE)


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
    base = ops.maximum(linear, _LINEAR_THRESHOLD)
    curved = (1 + _OFFSET) * ops.power(base, 1 / _EXPONENT) - _OFFSET
    return ops.where(linear > _LINEAR_THRESHOLD, curved, linear * _SLOPE)
