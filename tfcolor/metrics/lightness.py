"""Whether a colorized picture keeps its lightness."""

import tensorflow as tf


def mean_L_difference(L_true: tf.Tensor, L_predicted: tf.Tensor) -> tf.Tensor:
    """Computes the mean of |dL| over the pixels.

    Args:
        L_true: float32 tensor [..., H, W, 1], 0..100.
        L_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], in L units; below 0.5 is what rounding to 8
        bits alone may cost.
    """
    change = tf.convert_to_tensor(L_true, tf.float32) - L_predicted
    return tf.reduce_mean(tf.abs(change), axis=[-3, -2, -1])
