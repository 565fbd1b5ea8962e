"""The sRGB transfer curve."""

import numpy as np
import tensorflow as tf

# IEC 61966-2-1, with the thresholds that scikit-image and OpenCV use too.
_ENCODED_THRESHOLD = 0.04045
_LINEAR_THRESHOLD = 0.0031308
_SLOPE = 12.92
_OFFSET = 0.055
_EXPONENT = 2.4


def srgb_to_linear(rgb: tf.Tensor) -> tf.Tensor:
    """Undoes the sRGB transfer curve.

    Args:
        rgb: float32 tensor [..., 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [..., 3], linear light, 0..1.

    Reference:
        IEC 61966-2-1:1999, section 5.2.
    """
    rgb = tf.convert_to_tensor(rgb, tf.float32)
    # The base is kept above the threshold inside the branch that is not
    # taken: `where` alone would let its NaN into the gradient.
    base = (tf.maximum(rgb, _ENCODED_THRESHOLD) + _OFFSET) / (1 + _OFFSET)
    return tf.where(
        rgb > _ENCODED_THRESHOLD, tf.pow(base, _EXPONENT), rgb / _SLOPE
    )


def _linear_of_bytes() -> np.ndarray:
    encoded = np.arange(256) / 255
    curved = ((encoded + _OFFSET) / (1 + _OFFSET)) ** _EXPONENT
    linear = np.where(encoded > _ENCODED_THRESHOLD, curved, encoded / _SLOPE)
    return linear.astype(np.float32)


_LINEAR_OF_BYTES = _linear_of_bytes()


def bytes_to_linear(rgb: tf.Tensor) -> tf.Tensor:
    """Undoes the sRGB transfer curve of 8-bit pictures, by a table.

    Args:
        rgb: uint8 tensor [..., 3], encoded sRGB.

    Returns:
        float32 tensor [..., 3], linear light, 0..1: `srgb_to_linear` of
        `rgb / 255`, several times quicker.
    """
    return tf.gather(_LINEAR_OF_BYTES, tf.cast(rgb, tf.int32))


def linear_to_srgb(linear: tf.Tensor) -> tf.Tensor:
    """Applies the sRGB transfer curve.

    Args:
        linear: float32 tensor [..., 3], linear light. Negative values go
            through the linear part of the curve.

    Returns:
        float32 tensor [..., 3], encoded sRGB, not clipped.

    Reference:
        IEC 61966-2-1:1999, section 5.2.
    """
    linear = tf.convert_to_tensor(linear, tf.float32)
    base = tf.maximum(linear, _LINEAR_THRESHOLD)
    curved = (1 + _OFFSET) * tf.pow(base, 1 / _EXPONENT) - _OFFSET
    return tf.where(linear > _LINEAR_THRESHOLD, curved, linear * _SLOPE)
