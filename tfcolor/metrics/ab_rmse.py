"""Error of the two colour channels of CIELAB."""

import tensorflow as tf


def ab_rmse(ab_true: tf.Tensor, ab_predicted: tf.Tensor) -> tf.Tensor:
    """Computes the root of the mean squared error over pixels, a and b.

    Args:
        ab_true: float32 tensor [..., H, W, 2], CIELAB.
        ab_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...], in CIELAB units.
    """
    error = tf.convert_to_tensor(ab_true, tf.float32) - ab_predicted
    return tf.sqrt(tf.reduce_mean(tf.square(error), axis=[-3, -2, -1]))
