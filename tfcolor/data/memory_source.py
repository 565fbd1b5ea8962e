"""Squares of pictures, kept in memory."""

import numpy as np
import tensorflow as tf
import tqdm

from tfcolor.data import crops as crops_lib
from tfcolor.data import epochs
from tfcolor.data import pipelines
from tfcolor.data import worker_share
from tfcolor.data.source import Source


class MemorySource(Source):
    """Squares of pictures, kept in memory, nearly grey ones left out.

    Without labels, examples are those of `source`; with labels those of
    `crops_of`, and the source repeats.

    Args:
        squares: uint8 array [M, S, S, 3]: first all of the first picture,
            then all of the second, and so on.
        counts: list of N int above 0, squares of each picture; without
            labels, 1.
        names: list of N bytes.
        drop_log: DropLog.
        labels: list of N int, or None.
    """

    def __init__(self, squares, *, counts, names, drop_log, labels=None):
        with tf.device("CPU"):
            self._squares = tf.constant(squares)
            self._counts = tf.constant(counts, tf.int64)
            self._starts = tf.cumsum(self._counts, exclusive=True)
            self._names = tf.constant(names, tf.string)
            if labels is not None:
                self._labels = tf.constant(labels, tf.int64)
        self.drop_log = drop_log
        self.labels = labels
        # Without, an epoch is passes, as of files: stopped runs count these.
        self.repeats = labels is not None

    def __len__(self):
        return len(self._counts)

    def colored(self, min_color_range: float) -> tuple["MemorySource", float]:
        """Returns the source as it is: `into_memory` has looked at colors."""
        return self, 0.0

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
        count: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the squares, or `count` pictures of several.

        See `source`; squares stay as they are, whatever `side`.
        """
        order = np.arange(len(self))
        if seed is not None:
            rng = np.random.default_rng(seed)
            passes = -(-(count or len(self)) // len(self))
            order = np.concatenate(
                [rng.permutation(order) for _ in range(passes)]
            )[:count]
        dataset = tf.data.Dataset.from_tensor_slices(order)
        return worker_share.share(dataset, context).map(self._example)

    def _example(self, i) -> dict:
        start, name = self._starts[i], self._names[i]
        if self.labels is None:
            return {"rgb": self._squares[start], "name": name}
        crops = self._squares[start : start + self._counts[i]]
        return {"crops": crops, "label": self._labels[i], "name": name}


def crops_of(example: dict, *, side: int) -> dict:
    """Makes squares of what may be seen of a picture.

    Args:
        example: dict of tensors, of a source with labels. One of memory
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
    source: Source,
    *,
    side: int,
    min_color_range: float = 0.0,
    crops: bool = False,
    label: str = "pictures",
) -> MemorySource:
    """Decodes and resizes a whole source, with a progress bar.

    Args:
        source: Source, with labels for `crops`.
        side: int, pixels.
        min_color_range: float, CIELAB; 0 keeps every picture.
        crops: bool. Keeps `crops_of` each picture, and labels, instead of
            squashed pictures.
        label: str, shown beside the progress bar.

    Returns:
        MemorySource of the pictures that could be read and were not dropped.

    Raises:
        ValueError: no picture is left.
    """
    colored, asked = source.colored(min_color_range)
    dataset = epochs.drop_low_color(
        colored.examples(side=None if crops else side), asked, source.drop_log
    )
    if crops:
        dataset = dataset.map(
            lambda example: crops_of(example, side=side),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
    squares = np.empty([len(source), side, side, 3], np.uint8)
    counts, names, labels = [], [], [] if crops else None
    end = 0
    for example in tqdm.tqdm(
        dataset.prefetch(64).as_numpy_iterator(),
        total=len(source),
        desc=f"loading {label}",
        unit="picture",
        mininterval=1,
    ):
        found = example["crops"] if crops else example["rgb"][None]
        start, end = end, end + len(found)
        squares = _with_room(squares, end)
        squares[start:end] = found
        counts.append(len(found))
        names.append(example["name"])
        if crops:
            labels.append(int(example["label"]))
    if not names:
        raise ValueError(
            "A source must have at least one usable picture. Received: "
            f"{len(source)} pictures; {source.drop_log.summary()}"
        )
    return MemorySource(
        squares[:end],
        counts=counts,
        names=names,
        drop_log=source.drop_log,
        labels=labels,
    )


def _with_room(squares: np.ndarray, count: int) -> np.ndarray:
    """Returns the squares, in a larger array where they are too few."""
    if count <= len(squares):
        return squares
    # Memory that nothing is written to is not taken.
    larger = np.empty([2 * count, *squares.shape[1:]], squares.dtype)
    larger[: len(squares)] = squares
    return larger
