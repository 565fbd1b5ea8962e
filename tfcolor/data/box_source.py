"""What data sets of pictures with boxes have in common."""

import abc

import tensorflow as tf

from tfcolor.data import augment
from tfcolor.data.source import Source


class BoxSource(Source, abc.ABC):
    """A source whose pictures come with boxes; the base of such sources.

    Subclasses say in `with_boxes` what a picture gets.

    Args:
        source: Source, whose pictures are decoded at full size.
        boxes: what `box_files.open_boxes` returns; None where the source has
            boxes of its own, as prepared shards do.
        max_boxes: int, N.
    """

    def __init__(self, source, boxes, *, max_boxes: int):
        self._source = source
        self._boxes = boxes
        self._max_boxes = max_boxes
        self.drop_log = source.drop_log
        self.has_boxes = True
        self.labels = source.labels

    def __len__(self):
        return len(self._source)

    @abc.abstractmethod
    def with_boxes(self, example: dict) -> dict:
        """Adds its boxes to an example of the source.

        Args:
            example: dict of tensors, as the source makes it. What it knows of
                boxes has names that begin with "found_".

        Returns:
            dict of tensors.
        """

    def examples(self, **options) -> tf.data.Dataset:
        """Returns one pass: `with_boxes` of each picture; see `source`."""
        return self._source.examples(**options).map(
            self.with_boxes,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def colored(self, min_color_range: float) -> tuple["BoxSource", float]:
        """Leaves out nearly grey pictures; see `source`."""
        source, asked = self._source.colored(min_color_range)
        kept = type(self)(source, self._boxes, max_boxes=self._max_boxes)
        return kept, asked


def flipped(example: dict, seed: tf.Tensor) -> dict:
    """Mirrors a picture, its boxes and their crops, or leaves all as it is.

    Args:
        example: dict of "rgb": [S, S, 3]; "boxes": float32 [N, 4];
            "picture_size": int32 [2]; and, if there are crops, "crops":
            [N, s, s, 3].
        seed: int32 [2].

    Returns:
        dict of the same.
    """
    mirror = augment.is_flipped(seed)
    width = tf.cast(example["picture_size"][1], tf.float32)
    top, left, bottom, right = tf.unstack(example["boxes"], axis=-1)
    mirrored = tf.stack([top, width - right, bottom, width - left], axis=-1)
    pictures = {
        key: tf.where(mirror, example[key][..., ::-1, :], example[key])
        for key in ("rgb", "crops")
        if key in example
    }
    boxes = tf.where(mirror, mirrored, example["boxes"])
    return example | pictures | {"boxes": boxes}
