"""What a detector sees of a picture."""

import tensorflow as tf

from tfcolor.color import lab

# An 8-bit L spreads 0..100 over 0..255, as OpenCV's 8-bit CIELAB does.
_LEVELS_PER_L = 255 / 100


@tf.function(
    input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)],
    autograph=False,
)
def stacked_L(rgb: tf.Tensor) -> tf.Tensor:
    """Makes a grey picture of a picture's lightness.

    A detector that looks at the colors of its picture would find other boxes
    in training than in a grey photo, so it is shown L alone.

    Args:
        rgb: uint8 tensor [H, W, 3].

    Returns:
        uint8 tensor [H, W, 3]: three times round(L * 255 / 100), which is
        close to the grey of that lightness, but not the same.

    Reference:
        Su, Chu and Huang, Instance-aware image colorization, CVPR 2020, and
        the detection step of the code released with it.
    """
    L = lab.rgb_to_L(tf.cast(rgb, tf.float32) / 255)
    level = tf.cast(tf.round(L * _LEVELS_PER_L), tf.uint8)
    return tf.repeat(level, 3, axis=-1)
