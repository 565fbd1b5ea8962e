"""How colourful a picture is, in the two definitions in use.

Both take the opponent channels rg = R - G and yb = (R + G) / 2 - B on the
0..255 scale and return sigma + 0.3 mu, where sigma is the length of the two
standard deviations and mu the length of the two means. They differ in one
point, and their numbers must not be compared with each other.

Reference:
    D. Hasler, S. Suesstrunk, "Measuring Colourfulness in Natural Images",
    Human Vision and Electronic Imaging VIII, SPIE 5007, 2003, equation 3.
"""

import tensorflow as tf

_PEAK = 255.0
_MEAN_WEIGHT = 0.3


def _opponents(rgb: tf.Tensor) -> tf.Tensor:
    """Returns rg and yb: float32 tensor [..., H, W, 2]."""
    rgb = tf.convert_to_tensor(rgb, tf.float32) * _PEAK
    red, green, blue = tf.unstack(rgb, axis=-1)
    return tf.stack([red - green, (red + green) / 2 - blue], axis=-1)


def _spread_and_mean(opponents: tf.Tensor) -> tf.Tensor:
    """Returns sigma + 0.3 mu over the pixels: float32 tensor [...]."""
    mean = tf.reduce_mean(opponents, axis=[-3, -2])
    variance = tf.math.reduce_variance(opponents, axis=[-3, -2])
    sigma = tf.sqrt(tf.reduce_sum(variance, axis=-1))
    mu = tf.sqrt(tf.reduce_sum(tf.square(mean), axis=-1))
    return sigma + _MEAN_WEIGHT * mu


def colorfulness_signed(rgb: tf.Tensor) -> tf.Tensor:
    """Computes colourfulness as in the paper: rg and yb keep their sign.

    A measure, not a loss: the gradient of a grey picture is not finite.

    Args:
        rgb: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [...], 0 for grey; about 15 slightly, 45 quite, 80
        highly colourful (the paper's table 2).
    """
    return _spread_and_mean(_opponents(rgb))


def colorfulness_absolute(rgb: tf.Tensor) -> tf.Tensor:
    """Computes colourfulness of |rg| and |yb|.

    The form that the evaluation code of DDColor, ColorFormer and UniColor
    computes. A measure, not a loss: the gradient of a grey picture is not
    finite.

    Args:
        rgb: float32 tensor [..., H, W, 3], encoded sRGB, 0..1.

    Returns:
        float32 tensor [...], 0 for grey.
    """
    return _spread_and_mean(tf.abs(_opponents(rgb)))
