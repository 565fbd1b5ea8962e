"""Peak signal-to-noise ratio."""

import tensorflow as tf

# What equal pictures get: finite, so that a mean over pictures exists. It is
# the error of one 8-bit step in one of 150,000 values.
MAX_PSNR = 100.0
_SMALLEST_ERROR = 10 ** (-MAX_PSNR / 10)


def psnr(rgb_true: tf.Tensor, rgb_predicted: tf.Tensor) -> tf.Tensor:
    """Computes the peak signal-to-noise ratio over all pixels and channels.

    Args:
        rgb_true: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.
        rgb_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], in dB, at most `MAX_PSNR`, which equal pictures
        get.

    Reference:
        ITU-T J.340, section 5; the peak is 1.
    """
    error = tf.convert_to_tensor(rgb_true, tf.float32) - rgb_predicted
    mse = tf.reduce_mean(tf.square(error), axis=[-3, -2, -1])
    mse = tf.maximum(mse, _SMALLEST_ERROR)
    return -10 * tf.math.log(mse) / tf.math.log(10.0)
