"""The sRGB transfer curve."""

from keras import ops

from tfcolor.color import standards


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
    base = ops.maximum(rgb, standards.ENCODED_THRESHOLD) * (
        1 / (1 + standards.OFFSET)
    )
    curve = ops.exp(
        standards.EXPONENT
        * ops.log(base + standards.OFFSET / (1 + standards.OFFSET))
    )
    line = (
        ops.minimum(rgb, standards.ENCODED_THRESHOLD)
        - standards.ENCODED_THRESHOLD
    )
    return curve + line * (1 / standards.SLOPE)


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
    base = ops.maximum(linear, standards.LINEAR_THRESHOLD)
    curve = (1 + standards.OFFSET) * ops.exp(
        ops.log(base) * (1 / standards.EXPONENT)
    )
    line = (
        ops.minimum(linear, standards.LINEAR_THRESHOLD)
        - standards.LINEAR_THRESHOLD
    )
    return curve - standards.OFFSET + line * standards.SLOPE
