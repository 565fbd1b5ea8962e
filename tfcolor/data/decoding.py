"""Decoding the pictures of a data set, in its own order."""

import numpy as np
import tensorflow as tf

from tfcolor.data import decode
from tfcolor.data.drop_log import DropLog

UNREADABLE = "cannot be read"
_SHUFFLE_BUFFER = 4096


def shuffled(dataset: tf.data.Dataset, seed: int) -> tf.data.Dataset:
    """Shuffles a data set, every pass over it in the same order."""
    return dataset.shuffle(
        _SHUFFLE_BUFFER, seed=seed, reshuffle_each_iteration=False
    )


def decoded(
    dataset: tf.data.Dataset, read, *, shrink_to: int | None, drop_log: DropLog
) -> tf.data.Dataset:
    """Decodes pictures; those that cannot be read are left out and noted.

    Args:
        dataset: Dataset of dicts with "reference" and "name", string [].
        read: function of a reference, bytes, to the bytes of a picture file.
        shrink_to: int or None. See `decode.decode_rgb`.
        drop_log: DropLog.

    Returns:
        Dataset of dicts with "rgb", uint8 [H, W, 3], in place of "reference".
    """

    def decode_one(reference, name):
        try:
            return decode.decode_rgb(read(reference), shrink_to=shrink_to)
        except (OSError, ValueError, SyntaxError, MemoryError) as error:
            drop_log.record(name.decode(), UNREADABLE, str(error))
            return np.zeros([0, 0, 3], np.uint8)

    def example(element):
        kept = dict(element)
        inputs = [kept.pop("reference"), kept["name"]]
        rgb = tf.numpy_function(decode_one, inputs, tf.uint8, stateful=False)
        return {"rgb": tf.ensure_shape(rgb, [None, None, 3])} | kept

    dataset = dataset.map(
        example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return dataset.filter(lambda example: tf.size(example["rgb"]) > 0)
