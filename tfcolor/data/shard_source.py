"""Pictures from prepared shards: a folder with a manifest.

Shards are read whole, each in one go, and their checksum is compared before a
picture of them is used. Pictures were spread over the shards when these were
made: what is read at the same time is a random part of all, and is shuffled
shard by shard.
"""

import copy
import hashlib
import os
import re

import numpy as np
import tensorflow as tf

from tfcolor.data import manifest as manifest_lib
from tfcolor.data import records
from tfcolor.data import worker_share
from tfcolor.data.drop_log import DropLog
from tfcolor.data.source import LOW_COLOR
from tfcolor.data.source import Source
from tfcolor.pictures import decode

DAMAGED = "in a damaged shard"
# Shards that are read at the same time; given, because the order depends on
# it. Each is in memory as a whole.
_OPEN_SHARDS = 8


class DamagedShard(Exception):
    """A shard is not what its manifest says."""


def damage_in(error: Exception) -> str | None:
    """Finds a damaged shard in what TensorFlow makes of the error.

    Args:
        error: Exception of a pass over a data set.

    Returns:
        str, one line that names the shard, or None if it is something else.
    """
    found = re.search(rf"{DamagedShard.__name__}: (.*)", str(error))
    return found and found[1]


class ShardSource(Source):
    """The pictures of a prepared folder, or some of them.

    Args:
        folder: str, with a manifest.
        drop_log: DropLog.
        skip_corrupt: bool. Leaves the pictures of damaged shards out, and
            notes them; without, such a shard is an error.

    Attributes:
        paths: list of str, the names of the pictures.
        class_names: tuple of str; empty where pictures have no classes.
        has_boxes: bool.
        side: int. All pictures are squares of so many pixels.

    Raises:
        FileNotFoundError: there is no manifest.
        ValueError: the manifest is damaged.
    """

    def __init__(
        self, folder: str, *, drop_log: DropLog, skip_corrupt: bool = False
    ):
        self.drop_log = drop_log
        self._folder = folder
        self._manifest = manifest_lib.read(folder)
        self._skip_corrupt = skip_corrupt
        self._verified = set()
        self.class_names = tuple(self._manifest.classes)
        self.has_boxes = self._manifest.has_boxes
        self.side = self._manifest.settings.size
        self._keep([np.arange(len(s.names)) for s in self._manifest.shards])
        self._check_sizes()

    def _keep(self, places):
        """Chooses pictures: for each shard an array of places in it."""
        self._places = places
        self.paths = [
            shard.names[i]
            for shard, chosen in zip(self._manifest.shards, places, strict=True)
            for i in chosen
        ]

    def _check_sizes(self):
        # At once, and before anything is read: the most common damage.
        for number, shard in enumerate(self._manifest.shards):
            path = os.path.join(self._folder, shard.file)
            size = os.path.getsize(path) if os.path.isfile(path) else None
            if size != shard.bytes and not self._skip_corrupt:
                if size is None:
                    raise ValueError(self._damaged(number, "absent"))
                raise ValueError(
                    f"{self._damaged(number)}: it is of {size} bytes instead "
                    f"of {shard.bytes}"
                )

    def _damaged(self, number: int, how: str = "damaged") -> str:
        path = os.path.join(self._folder, self._manifest.shards[number].file)
        return (
            f"The shard {path} is {how} (`tfcolor prepare` makes it anew, "
            "`skip_corrupt` goes on without it)"
        )

    def __len__(self):
        return len(self.paths)

    def with_paths(self, paths) -> "ShardSource":
        """Returns a source of some of the pictures.

        Args:
            paths: names of pictures.

        Returns:
            ShardSource; the order stays that of the shards.
        """
        wanted = set(paths)
        return self._with(lambda shard, i: shard.names[i] in wanted)

    def colored(self, min_color_range: float) -> tuple["ShardSource", float]:
        """Leaves out nearly grey pictures, noting them; see `source`.

        Args:
            min_color_range: float, CIELAB, of the pictures as they are in the
                shards.

        Returns:
            ShardSource, and 0.
        """
        if min_color_range <= 0:
            return self, 0.0

        def is_colored(shard, i):
            return shard.color_ranges[i] >= min_color_range

        colored = self._with(is_colored)
        for name in set(self.paths) - set(colored.paths):
            self.drop_log.record(name, LOW_COLOR)
        return colored, 0.0

    def _with(self, keeps) -> "ShardSource":
        made = copy.copy(self)
        made._keep(
            [
                np.array([i for i in chosen if keeps(shard, i)], int)
                for shard, chosen in zip(
                    self._manifest.shards, self._places, strict=True
                )
            ]
        )
        return made

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures; see `source`.

        Args:
            seed: int or None, of the order.
            context: tf.distribute.InputContext or None; see `worker_share`.
            side: int or None. Side of the squares; None is as in the shards.

        Returns:
            Dataset of `{"rgb": uint8 [S, S, 3], "name": string []}`, and where
            shards have boxes "found_boxes": float32 [M, 4], yxyx pixels,
            "found_scores": float32 [M], "found_classes": int32 [M].
        """
        numbers = np.flatnonzero([len(chosen) for chosen in self._places])
        if seed is not None:
            numbers = np.random.default_rng(seed).permutation(numbers)

        def load(number):
            serialized = tf.numpy_function(
                lambda n: self._read(int(n), seed), [number], tf.string
            )
            return tf.data.Dataset.from_tensor_slices(
                tf.ensure_shape(serialized, [None])
            )

        dataset = tf.data.Dataset.from_tensor_slices(numbers).interleave(
            load,
            cycle_length=_OPEN_SHARDS,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        return worker_share.share(dataset, context).map(
            lambda serialized: self._example(serialized, side),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def _read(self, number: int, seed: int | None) -> np.ndarray:
        """Reads the chosen examples of a shard, shuffled by the seed."""
        order = self._places[number]
        if seed is not None:
            order = np.random.default_rng([seed, number]).permutation(order)
        shard = self._manifest.shards[number]
        try:
            with open(os.path.join(self._folder, shard.file), "rb") as file:
                data = file.read()
            if number not in self._verified:
                if hashlib.sha256(data).hexdigest() != shard.sha256:
                    raise ValueError("its SHA-256 is another one")
                self._verified.add(number)
            examples = records.split(data)
        except (OSError, ValueError) as error:
            if not self._skip_corrupt:
                gone = isinstance(error, FileNotFoundError)
                how = "absent" if gone else "damaged"
                reason = "" if gone else f": {error}"
                raise DamagedShard(
                    f"{self._damaged(number, how)}{reason}"
                ) from error
            for i in order:
                self.drop_log.record(shard.names[i], DAMAGED, shard.file)
            return np.zeros([0], object)
        return np.array([examples[i] for i in order], object)

    def _checked(self, encoded) -> tf.Tensor:
        """Returns an encoded square, after a look at its head."""
        if self._manifest.settings.format == "png":
            # Width and height, PNG specification 11.2.2.
            head = tf.strings.substr(encoded, 16, 8)
            size = tf.io.decode_raw(head, tf.int32, little_endian=False)
        else:
            size = tf.io.extract_jpeg_shape(encoded)[:2]
        check = tf.debugging.Assert(
            tf.reduce_all(size == self.side),
            ["A picture of a shard must have", self.side, "rows and columns."],
        )
        with tf.control_dependencies([check]):
            return tf.identity(encoded)

    def _example(self, serialized, side) -> dict:
        encoded, name = records.parse(serialized)
        encoded = self._checked(encoded)
        if self._manifest.settings.format == "png":
            rgb = tf.io.decode_png(encoded, channels=3)
        else:
            # What Pillow computes, which knew the range of colors.
            rgb = tf.io.decode_jpeg(
                encoded, channels=3, dct_method="INTEGER_ACCURATE"
            )
        rgb = tf.ensure_shape(rgb, [self.side, self.side, 3])
        shown = self.side
        if side not in (None, self.side):
            rgb = tf.numpy_function(
                lambda rgb: decode.squash(rgb, side),
                [rgb],
                tf.uint8,
                stateful=False,
            )
            rgb, shown = tf.ensure_shape(rgb, [side, side, 3]), side
        example = {"rgb": rgb, "name": name}
        if self.has_boxes:
            boxes, scores, classes = records.parse_boxes(serialized)
            # 29.999998 is 30: coordinates are cut to whole pixels later on.
            boxes = tf.round(boxes * shown * 100) / 100
            example["found_boxes"] = boxes
            example["found_scores"] = scores
            example["found_classes"] = classes
        return example
