"""Decoding the pictures of a data set, in its own order."""

import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfcolor.data import files
from tfcolor.data import worker_share
from tfcolor.data.drop_log import DropLog
from tfcolor.data.source import Source
from tfcolor.pictures import decode
from tfcolor.pictures import pillow_limit

UNREADABLE = "cannot be read"
_SHUFFLE_BUFFER = 4096


def shuffled(dataset: tf.data.Dataset, seed: int) -> tf.data.Dataset:
    """Shuffles a data set, every pass over it in the same order."""
    return dataset.shuffle(
        _SHUFFLE_BUFFER, seed=seed, reshuffle_each_iteration=False
    )


class DecodingSource(Source):
    """A source that decodes its pictures when it comes to them.

    Args:
        shrink_to: int or None. See `decode.decode_rgb`.
        drop_log: DropLog.
        max_pixels: int. A picture of more is not decoded, but left out.
    """

    def __init__(
        self,
        *,
        shrink_to: int | None,
        drop_log: DropLog,
        max_pixels: int = pillow_limit.MAX_PIXELS,
    ):
        self.drop_log = drop_log
        self._shrink_to = shrink_to
        self._max_pixels = max_pixels

    def _decoded(
        self,
        dataset: tf.data.Dataset,
        read: Callable[[bytes], bytes],
        *,
        context: tf.distribute.InputContext | None,
        side: int | None,
    ) -> tf.data.Dataset:
        """Decodes pictures; those that cannot be read are left out and noted.

        Args:
            dataset: Dataset of dicts with "reference" and "name", string [].
            read: function of a reference to the bytes of a picture file.
            context: see `source`.
            side: see `source`.

        Returns:
            Dataset of dicts with "rgb", uint8 [H, W, 3], in place of
            "reference".
        """
        shape = [side, side, 3] if side else [None, None, 3]

        limit = {"max_pixels": self._max_pixels}

        def decode_one(reference, name):
            try:
                data = read(reference)
                if side is not None:
                    return decode.decode_square(data, side, **limit)
                return decode.decode_rgb(
                    data, shrink_to=self._shrink_to, **limit
                )
            except (OSError, ValueError, SyntaxError, MemoryError) as error:
                reason = files.one_line(error, path=False)
                self.drop_log.record(os.fsdecode(name), UNREADABLE, reason)
                return np.zeros([0, 0, 3], np.uint8)

        def example(element):
            kept = dict(element)
            inputs = [kept.pop("reference"), kept["name"]]
            rgb = tf.numpy_function(
                decode_one, inputs, tf.uint8, stateful=False
            )
            return {"rgb": rgb} | kept

        def shaped(example):
            return example | {"rgb": tf.ensure_shape(example["rgb"], shape)}

        dataset = worker_share.share(dataset, context).map(
            example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        dataset = dataset.filter(lambda example: tf.size(example["rgb"]) > 0)
        return dataset.map(shaped)
