"""What a classifier may see of each picture, as squares; kept in memory."""

import os

import numpy as np
import tensorflow as tf
import tqdm

from tfcolor.data import crops as crops_lib
from tfcolor.data import pipelines
from tfcolor.data import worker_share
from tfcolor.data.source import Source


class CropMemory(Source):
    """Squares of labelled pictures, kept in memory.

    Args:
        squares: uint8 array [M, S, S, 3]: first all of the first picture,
            then all of the second, and so on.
        counts: list of N int above 0, squares of each picture.
        labels: list of N int.
        names: list of N str.
        drop_log: DropLog.
    """

    def __init__(self, squares, *, counts, labels, names, drop_log):
        with tf.device("CPU"):
            self._squares = tf.constant(squares)
            self._counts = tf.constant(counts, tf.int64)
            self._starts = tf.cumsum(self._counts, exclusive=True)
            self._labels = tf.constant(labels, tf.int64)
            self._names = tf.constant(
                [os.fsencode(name) for name in names], tf.string
            )
        self.drop_log = drop_log
        self.labels = list(labels)
        self.repeats = True

    def __len__(self):
        return len(self.labels)

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
        count: int | None = None,
    ) -> tf.data.Dataset:
        """Returns the pictures' squares.

        Args:
            seed: int or None, of the order.
            context: tf.distribute.InputContext or None; see `worker_share`.
            side: int or None, without meaning: squares stay as they are.
            count: int or None. How many pictures; None is one pass.

        Returns:
            Dataset as of `crop_examples`.
        """
        order = np.arange(len(self))
        if seed is not None:
            rng = np.random.default_rng(seed)
            passes = -(-(count or len(self)) // len(self))
            order = np.concatenate(
                [rng.permutation(order) for _ in range(passes)]
            )[:count]

        def example(i):
            start = self._starts[i]
            return {
                "crops": self._squares[start : start + self._counts[i]],
                "label": self._labels[i],
                "name": self._names[i],
            }

        dataset = tf.data.Dataset.from_tensor_slices(order)
        return worker_share.share(dataset, context).map(example)


def crop_examples(source: Source, *, side: int) -> tf.data.Dataset:
    """One pass over a source: what may be seen of each picture, as squares.

    Args:
        source: Source with labels, with boxes or without.
        side: int, S, pixels.

    Returns:
        Dataset of `crops_of` each picture.
    """
    return source.examples().map(
        lambda example: crops_of(example, side=side),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def crops_of(example: dict, *, side: int) -> dict:
    """Makes squares of what may be seen of a picture.

    Args:
        example: dict of tensors, of a source with labels. One of a CropMemory
            stays as it is.
        side: int, S, pixels.

    Returns:
        dict of "crops": uint8 [K, S, S, 3], the picture's boxes, best first,
        or else the whole picture; "label": int64 []; "name": string [].
    """
    if "crops" in example:
        return example
    rgb = example["rgb"]
    if "boxes" not in example:
        squares = pipelines.resize_square(rgb, side)[None]
    else:
        valid = example["box_valid"]
        found = crops_lib.instance_crops(
            rgb, example["boxes"], valid, side=side
        )
        squares = tf.cond(
            tf.reduce_any(valid),
            lambda: tf.boolean_mask(found, valid),
            lambda: pipelines.resize_square(rgb, side)[None],
        )
    squares = tf.ensure_shape(squares, [None, side, side, 3])
    kept = {name: example[name] for name in ("label", "name")}
    return {"crops": squares} | kept


def into_memory(
    source: Source, *, side: int, label: str = "pictures"
) -> CropMemory:
    """Decodes and resizes a whole source, with a progress bar.

    Args:
        source: Source with labels.
        side: int, pixels.
        label: str, shown beside the progress bar.

    Returns:
        CropMemory of the pictures that could be read.

    Raises:
        ValueError: no picture is left.
    """
    dataset = crop_examples(source, side=side)
    squares, counts, labels, names = [], [], [], []
    for example in tqdm.tqdm(
        dataset.prefetch(64).as_numpy_iterator(),
        total=len(source),
        desc=f"loading {label}",
        unit="picture",
        mininterval=1,
    ):
        squares.append(example["crops"])
        counts.append(len(example["crops"]))
        labels.append(int(example["label"]))
        names.append(os.fsdecode(example["name"]))
    if not names:
        raise ValueError(
            "A source must have at least one usable picture. Received: "
            f"{len(source)} pictures; {source.drop_log.summary()}"
        )
    return CropMemory(
        np.concatenate(squares),
        counts=counts,
        labels=labels,
        names=names,
        drop_log=source.drop_log,
    )
