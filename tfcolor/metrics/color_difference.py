"""How different the colours of two pictures look."""

import tensorflow as tf

from tfcolor.color import difference


def mean_ciede2000(lab_true: tf.Tensor, lab_predicted: tf.Tensor) -> tf.Tensor:
    """Computes the mean CIEDE2000 difference over the pixels.

    Args:
        lab_true: float32 tensor [..., H, W, 3], CIELAB.
        lab_predicted: float32 tensor of the same shape.

    Returns:
        float32 tensor [...]; 1 is about what an eye can just tell apart.

    Reference:
        `tfcolor.color.difference.ciede2000`.
    """
    per_pixel = difference.ciede2000(lab_true, lab_predicted)
    return tf.reduce_mean(per_pixel, axis=[-2, -1])
