"""The 23 x 23 grid of ab bins: colour as a class.

A bin is 10 x 10 CIELAB units; centres run from -110 to 110 on both axes and
index = row of a * 23 + row of b.

Reference:
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016,
    section 2; the regular grid of Zhang et al., SIGGRAPH 2017.
"""

import tensorflow as tf

AB_MAX = 110.0
BIN_SIZE = 10.0
BINS_PER_AXIS = 23
NUM_BINS = BINS_PER_AXIS**2
# Zhang 2016, section 2.3: between the mean (1) and the mode (0).
ANNEALED_TEMPERATURE = 0.38


def centers() -> tf.Tensor:
    """Returns the ab value of each bin: float32 tensor [529, 2]."""
    axis = tf.linspace(-AB_MAX, AB_MAX, BINS_PER_AXIS)
    a, b = tf.meshgrid(axis, axis, indexing="ij")
    return tf.reshape(tf.stack([a, b], axis=-1), [NUM_BINS, 2])


def encode(ab: tf.Tensor) -> tf.Tensor:
    """Finds the bin of each colour; halves go to the even row.

    Args:
        ab: float32 tensor [..., 2]; values beyond +-110 count as +-110.

    Returns:
        int32 tensor [...], 0..528.
    """
    ab = tf.clip_by_value(tf.convert_to_tensor(ab, tf.float32), -AB_MAX, AB_MAX)
    row = tf.cast(tf.round((ab + AB_MAX) / BIN_SIZE), tf.int32)
    return row[..., 0] * BINS_PER_AXIS + row[..., 1]


def decode_argmax(ab_logits: tf.Tensor) -> tf.Tensor:
    """Returns the centre of the most likely bin.

    Args:
        ab_logits: float32 tensor [..., 529].

    Returns:
        float32 tensor [..., 2].
    """
    return tf.gather(centers(), tf.argmax(ab_logits, axis=-1))


def decode_mean(ab_logits: tf.Tensor) -> tf.Tensor:
    """Returns the mean colour of the distribution.

    Args:
        ab_logits: float32 tensor [..., 529].

    Returns:
        float32 tensor [..., 2].
    """
    return decode_annealed_mean(ab_logits, temperature=1.0)


def decode_annealed_mean(
    ab_logits: tf.Tensor, *, temperature: float = ANNEALED_TEMPERATURE
) -> tf.Tensor:
    """Returns the mean colour after sharpening the distribution.

    Args:
        ab_logits: float32 tensor [..., 529].
        temperature: float above 0; 1 gives the mean, towards 0 the mode.

    Returns:
        float32 tensor [..., 2].

    Raises:
        ValueError: `temperature` is not above 0.

    Reference:
        Zhang et al., ECCV 2016, equation 5.
    """
    if temperature <= 0:
        raise ValueError(
            "`temperature` must be above 0. "
            f"Received: temperature={temperature}"
        )
    ab_logits = tf.convert_to_tensor(ab_logits, tf.float32)
    probabilities = tf.nn.softmax(ab_logits / temperature)
    return tf.tensordot(probabilities, centers(), 1)
