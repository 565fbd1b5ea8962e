"""Sources of files, and how one is opened; see `source`."""

import glob
import os
import zlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfcolor.data import decoding
from tfcolor.data import files
from tfcolor.data import manifest
from tfcolor.data import records
from tfcolor.data.drop_log import DropLog
from tfcolor.data.shard_source import ShardSource
from tfcolor.data.source import Source
from tfcolor.data.tfds_source import TfdsSource
from tfcolor.pictures import pillow_limit

# Given, because TensorFlow's default, and with it the order of the pictures,
# depends on the number of processors.
_OPEN_SHARDS = 16
TFDS_PREFIX = "tfds:"
UNREADABLE = decoding.UNREADABLE


class FolderSource(decoding.DecodingSource):
    """Picture files.

    Args:
        paths: list of str.
        **options: of `decoding.DecodingSource`.
    """

    def __init__(self, paths, **options):
        super().__init__(**options)
        self.paths = list(paths)

    def __len__(self):
        return len(self.paths)

    def with_paths(self, paths) -> "FolderSource":
        """Returns a source of other files with the same settings."""
        return FolderSource(
            paths,
            shrink_to=self._shrink_to,
            drop_log=self.drop_log,
            max_pixels=self._max_pixels,
        )

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures; see `source`."""
        paths = np.array(self.paths, dtype=object)
        if seed is not None:
            paths = np.random.default_rng(seed).permutation(paths)
        dataset = tf.data.Dataset.from_tensor_slices(
            tf.constant([os.fsencode(path) for path in paths], tf.string)
        )
        return self._decoded(
            dataset.map(lambda path: {"reference": path, "name": path}),
            self._read,
            context=context,
            side=side,
        )

    def _read(self, path: bytes) -> bytes:
        return pillow_limit.read_file(path, max_pixels=self._max_pixels)


class RecordSource(decoding.DecodingSource):
    """TFRecord shards, as `records.write_shard` makes them.

    Args:
        paths: list of str, the shards.
        **options: of `decoding.DecodingSource`.
    """

    def __init__(self, paths, **options):
        super().__init__(**options)
        self._shards = list(paths)
        self._count = None

    def __len__(self):
        """Returns how many there are; every shard is read for it once.

        Raises:
            ValueError: a shard is damaged.
        """
        if self._count is None:
            self._count = sum(map(_count_records, self._shards))
        return self._count

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures; see `source`."""
        shards = self._shards
        if seed is not None:
            shards = np.random.default_rng(seed).permutation(shards).tolist()
        dataset = tf.data.Dataset.from_tensor_slices(shards).interleave(
            tf.data.TFRecordDataset, cycle_length=_OPEN_SHARDS
        )
        if seed is not None:
            dataset = decoding.shuffled(dataset, seed)
        return self._decoded(
            dataset.map(_record_element),
            bytes,
            context=context,
            side=side,
        )


def _count_records(path: str) -> int:
    """Counts the examples of a shard, and looks at the first of them.

    Raises:
        ValueError: it is damaged, or no shard of pictures.
    """
    count = 0
    try:
        for serialized in tf.data.TFRecordDataset(path):
            if not count:
                records.parse(serialized)
            count += 1
    except tf.errors.OpError as error:
        raise _no_shard(path, error.message.splitlines()[0]) from error
    # TensorFlow takes a few bytes for none.
    if not count and os.path.getsize(path):
        raise _no_shard(path, "it is too short")
    return count


def _no_shard(path: str, reason: str) -> ValueError:
    return ValueError(
        "A shard must be a whole TFRecord file of pictures. "
        f"Received: {path!r} ({reason})"
    )


def _record_element(serialized) -> dict:
    encoded, name = records.parse(serialized)
    return {"reference": encoded, "name": name}


def open_source(
    spec: str,
    *,
    shrink_to: int | None = None,
    data_dir: str | None = None,
    drop_log: DropLog | None = None,
    skip_corrupt: bool = False,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> Source:
    """Opens the source that a text describes.

    Args:
        spec: str. Comma-separated paths, folders and globs of pictures; or of
            `.tfrecord` shards; a folder that `tfcolor prepare` made; or
            `tfds:NAME/SPLIT`.
        shrink_to: int or None. Pictures may be decoded smaller, as long as
            their short side keeps this many pixels.
        data_dir: str or None. Where tensorflow-datasets keeps its data.
        drop_log: DropLog or None, for a new one.
        skip_corrupt: bool. Leaves damaged shards of a prepared folder out.
        max_pixels: int. A picture of more is not decoded, but left out.

    Returns:
        FolderSource, RecordSource, ShardSource or TfdsSource.

    Raises:
        FileNotFoundError: nothing is found.
        ValueError: shards and pictures are mixed, or `max_pixels` is out of
            range.
    """
    drop_log = drop_log or DropLog()
    options = {
        "shrink_to": shrink_to,
        "drop_log": drop_log,
        "max_pixels": pillow_limit.check_option(max_pixels),
    }
    if spec.startswith(TFDS_PREFIX):
        return TfdsSource(
            spec[len(TFDS_PREFIX) :], data_dir=data_dir, **options
        )
    if manifest.is_prepared(spec):
        return ShardSource(spec, drop_log=drop_log, skip_corrupt=skip_corrupt)
    patterns = files.split_list(spec)
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
        return RecordSource(sorted(paths), **options)
    return FolderSource(files.list_pictures(*patterns), **options)


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


def split_by_hash(
    source: Source,
    *,
    share: float,
    fewest: int = 0,
    say: Callable[[str], None] | None = None,
):
    """Holds out a share of a source of files, the same ones every time.

    A file's name decides, not its place in the list: adding pictures moves
    none from one side to the other, as long as the share alone gives `fewest`.

    Args:
        source: Source with `paths`.
        share: float in (0, 1); to trainers and in messages `validation_share`.
        fewest: int. So many files are held out at least, and one is kept.
        say: function of a line of text, or None. Told where that is more than
            the share.

    Returns:
        Two sources of the same kind, those that are kept first.

    Raises:
        ValueError: the source has no `paths`, or a part is empty.
    """
    if source.paths is None:
        raise ValueError(
            "Only picture files and prepared shards can be split; other shards "
            "and tensorflow-datasets need `validation_images`. Received: "
            f"{type(source).__name__}"
        )

    def place(path):
        return zlib.crc32(os.fsencode(os.path.basename(path))) / 2**32

    count = by_share = sum(place(path) < share for path in source.paths)
    if share:
        count = min(max(count, fewest), len(source) - bool(fewest))
    if not 0 < count < len(source):
        raise ValueError(
            "Splitting must leave pictures on both sides; give another "
            "`validation_share`, or `validation_images`. Received: "
            f"{len(source)} pictures, validation_share={share}"
        )
    if say is not None and count > by_share:
        say(
            f"few pictures: {count} of {len(source)} are held out for "
            "validation (`validation_share`, `validation_images`)"
        )
    # The path too: files of equal names have equal places.
    ordered = sorted(source.paths, key=lambda path: (place(path), path))
    chosen = set(ordered[:count])
    held_out = [path for path in source.paths if path in chosen]
    kept = [path for path in source.paths if path not in chosen]
    return source.with_paths(kept), source.with_paths(held_out)


def steps_in(source: Source, batch_size: int) -> int:
    """Returns how many whole batches one pass over a source has.

    Args:
        source: Source.
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
