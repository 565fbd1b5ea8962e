"""Where pictures come from, behind one small interface.

A source has a length (`len`, pictures dropped later included) and
`examples(seed=...)`, one pass over it as a `tf.data.Dataset` of
`{"rgb": uint8 [H, W, 3], "name": string []}`, each picture at its own size.
Pictures that cannot be decoded are left out and noted in the source's
`drop_log`. Equal seeds give equal orders; without a seed the order is the
source's own.
"""

import glob
import os
import zlib

import numpy as np
import tensorflow as tf

from tfcolor.data import decode
from tfcolor.data import files
from tfcolor.data import records
from tfcolor.data.drop_log import DropLog

_SHUFFLE_BUFFER = 4096
# Given, because TensorFlow's default, and with it the order of the pictures,
# depends on the number of processors.
_OPEN_SHARDS = 16
_TFDS_PREFIX = "tfds:"
UNREADABLE = "cannot be read"


class FolderSource:
    """Picture files.

    Args:
        paths: list of str.
        shrink_to: int or None. See `decode.decode_rgb`.
        drop_log: DropLog.
    """

    def __init__(self, paths, *, shrink_to, drop_log):
        self.paths = list(paths)
        self.drop_log = drop_log
        self._shrink_to = shrink_to

    def __len__(self):
        return len(self.paths)

    def with_paths(self, paths) -> "FolderSource":
        """Returns a source of other files with the same settings."""
        return FolderSource(
            paths, shrink_to=self._shrink_to, drop_log=self.drop_log
        )

    def examples(self, *, seed: int | None = None) -> tf.data.Dataset:
        """Returns one pass over the pictures; see the module."""
        paths = np.array(self.paths, dtype=object)
        if seed is not None:
            paths = np.random.default_rng(seed).permutation(paths)
        dataset = tf.data.Dataset.from_tensor_slices(
            tf.constant(paths, tf.string)
        )
        return _decoded(
            dataset.map(lambda path: (path, path)),
            _read_file,
            shrink_to=self._shrink_to,
            drop_log=self.drop_log,
        )


class RecordSource:
    """TFRecord shards, as `records.write_shard` makes them.

    Args:
        paths: list of str, the shards.
        shrink_to: int or None. See `decode.decode_rgb`.
        drop_log: DropLog.
    """

    def __init__(self, paths, *, shrink_to, drop_log):
        self.paths = list(paths)
        self.drop_log = drop_log
        self._shrink_to = shrink_to
        self._count = None

    def __len__(self):
        if self._count is None:
            dataset = tf.data.TFRecordDataset(self.paths)
            self._count = sum(1 for _ in dataset)
        return self._count

    def examples(self, *, seed: int | None = None) -> tf.data.Dataset:
        """Returns one pass over the pictures; see the module."""
        paths = list(self.paths)
        if seed is not None:
            paths = np.random.default_rng(seed).permutation(paths).tolist()
        dataset = tf.data.Dataset.from_tensor_slices(paths).interleave(
            tf.data.TFRecordDataset, cycle_length=_OPEN_SHARDS
        )
        if seed is not None:
            dataset = _shuffled(dataset, seed)
        return _decoded(
            dataset.map(records.parse),
            bytes,
            shrink_to=self._shrink_to,
            drop_log=self.drop_log,
        )


class TfdsSource:
    """A prepared tensorflow-datasets data set with an `image` feature.

    Args:
        name: str, "NAME/SPLIT" or "NAME/CONFIG/SPLIT".
        data_dir: str or None, where data sets are kept; None means the
            library's own default.
        shrink_to: int or None. See `decode.decode_rgb`.
        drop_log: DropLog.

    Raises:
        ValueError: the name has no split, or the data set no image.
        FileNotFoundError: the data set is not prepared.
    """

    def __init__(self, name, *, data_dir, shrink_to, drop_log):
        # Slow to import, and wanted by few.
        import tensorflow_datasets as tfds

        dataset, _, split = name.rpartition("/")
        if not dataset:
            raise ValueError(
                "A tensorflow-datasets source must be tfds:NAME/SPLIT. "
                f"Received: tfds:{name}"
            )
        self.drop_log = drop_log
        self._shrink_to = shrink_to
        self._split = split
        self._builder = tfds.builder(dataset, data_dir=data_dir)
        if not os.path.isdir(self._builder.data_dir):
            raise FileNotFoundError(
                f"The data set {dataset!r} must be prepared first, with "
                f"`tfds build {dataset}`. Received: no folder "
                f"{str(self._builder.data_dir)!r}"
            )
        if "image" not in self._builder.info.features:
            raise ValueError(
                "A data set must have a feature named 'image'. Received: "
                f"{dataset!r} with {sorted(self._builder.info.features)}"
            )
        self._decoders = {"image": tfds.decode.SkipDecoding()}

    def __len__(self):
        return self._builder.info.splits[self._split].num_examples

    def examples(self, *, seed: int | None = None) -> tf.data.Dataset:
        """Returns one pass over the pictures; see the module."""
        dataset = self._builder.as_dataset(
            split=self._split, decoders=self._decoders, shuffle_files=False
        )
        dataset = dataset.enumerate()
        if seed is not None:
            dataset = _shuffled(dataset, seed)
        label = f"{self._builder.name}/{self._split} "
        return _decoded(
            dataset.map(
                lambda i, example: (
                    example["image"],
                    label + tf.strings.as_string(i),
                )
            ),
            bytes,
            shrink_to=self._shrink_to,
            drop_log=self.drop_log,
        )


def _shuffled(dataset, seed) -> tf.data.Dataset:
    # Every pass over the same data set in the same order.
    return dataset.shuffle(
        _SHUFFLE_BUFFER, seed=seed, reshuffle_each_iteration=False
    )


def _read_file(path: bytes) -> bytes:
    with open(path, "rb") as f:
        return f.read()


def _decoded(dataset, read, *, shrink_to, drop_log) -> tf.data.Dataset:
    """Turns (reference, name) pairs into decoded examples."""

    def decode_one(reference, name):
        try:
            return decode.decode_rgb(read(reference), shrink_to=shrink_to)
        except (OSError, ValueError, SyntaxError, MemoryError) as error:
            drop_log.record(name.decode(), UNREADABLE, str(error))
            return np.zeros([0, 0, 3], np.uint8)

    def example(reference, name):
        rgb = tf.numpy_function(
            decode_one, [reference, name], tf.uint8, stateful=False
        )
        return {"rgb": tf.ensure_shape(rgb, [None, None, 3]), "name": name}

    dataset = dataset.map(
        example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return dataset.filter(lambda example: tf.size(example["rgb"]) > 0)


def open_source(
    spec: str,
    *,
    shrink_to: int | None = None,
    data_dir: str | None = None,
    drop_log: DropLog | None = None,
):
    """Opens the source that a text describes.

    Args:
        spec: str. Comma-separated paths, folders and globs of pictures; or of
            `.tfrecord` shards; or `tfds:NAME/SPLIT`.
        shrink_to: int or None. Pictures may be decoded smaller, as long as
            their short side keeps this many pixels.
        data_dir: str or None. Where tensorflow-datasets keeps its data.
        drop_log: DropLog or None, for a new one.

    Returns:
        FolderSource, RecordSource or TfdsSource.

    Raises:
        FileNotFoundError: nothing is found.
        ValueError: shards and pictures are mixed.
    """
    drop_log = drop_log or DropLog()
    if spec.startswith(_TFDS_PREFIX):
        return TfdsSource(
            spec[len(_TFDS_PREFIX) :],
            data_dir=data_dir,
            shrink_to=shrink_to,
            drop_log=drop_log,
        )
    patterns = [part.strip() for part in spec.split(",") if part.strip()]
    if not patterns:
        raise FileNotFoundError(
            f"A source must name some pictures. Received: {spec!r}"
        )
    is_records = [_finds_records(pattern) for pattern in patterns]
    if any(is_records):
        if not all(is_records):
            raise ValueError(
                "Shards and pictures must not be mixed in one source. "
                f"Received: {spec!r}"
            )
        paths = {p for pattern in patterns for p in _find_records(pattern)}
        if not paths:
            raise FileNotFoundError(
                f"A source of shards must find some. Received: {spec!r}"
            )
        return RecordSource(
            sorted(paths), shrink_to=shrink_to, drop_log=drop_log
        )
    return FolderSource(
        files.list_pictures(*patterns), shrink_to=shrink_to, drop_log=drop_log
    )


def _find_records(pattern: str) -> list[str]:
    if os.path.isdir(pattern):
        pattern = os.path.join(glob.escape(pattern), "*")
    return [
        path
        for path in glob.glob(pattern, recursive=True)
        if ".tfrecord" in os.path.basename(path) and not path.endswith(".tmp")
    ]


def _finds_records(pattern: str) -> bool:
    return ".tfrecord" in os.path.basename(pattern) or bool(
        os.path.isdir(pattern) and _find_records(pattern)
    )


def split_by_hash(source, *, share: float):
    """Holds out a share of a folder source, the same files every time.

    A file's name decides, not its place in the list: adding pictures moves
    none from one side to the other.

    Args:
        source: FolderSource.
        share: float in (0, 1).

    Returns:
        Two FolderSources, the larger part first.

    Raises:
        ValueError: the source is not made of files, or a part is empty.
    """
    if not isinstance(source, FolderSource):
        raise ValueError(
            "Only picture files can be split; shards and tensorflow-datasets "
            "need --validation_images. Received: "
            f"{type(source).__name__}"
        )

    def is_held_out(path):
        return zlib.crc32(os.path.basename(path).encode()) / 2**32 < share

    held_out = [path for path in source.paths if is_held_out(path)]
    kept = [path for path in source.paths if not is_held_out(path)]
    if not held_out or not kept:
        raise ValueError(
            "Splitting must leave pictures on both sides; give "
            f"--validation_images. Received: {len(source)} pictures, "
            f"share={share}"
        )
    return source.with_paths(kept), source.with_paths(held_out)


def steps_in(source, batch_size: int) -> int:
    """Returns how many whole batches one pass over a source has.

    Args:
        source: a source.
        batch_size: int.

    Returns:
        int, at least 1.

    Raises:
        ValueError: there are fewer pictures than one batch needs.
    """
    steps = len(source) // batch_size
    if not steps:
        raise ValueError(
            "`batch_size` must not be larger than the number of training "
            f"pictures. Received: batch_size={batch_size}, {len(source)} "
            "pictures"
        )
    return steps
