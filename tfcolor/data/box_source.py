"""What data sets of pictures with boxes have in common.

As in `pipelines`, everything is a function of source, seed and epoch.
"""

import abc
from collections.abc import Callable

import tensorflow as tf

from tfcolor.data import augment
from tfcolor.data import pipelines
from tfcolor.data import shard_source
from tfcolor.data import worker_share


class BoxSource(abc.ABC):
    """A source whose pictures come with boxes; the base of such sources.

    Subclasses say in `with_boxes` what a picture gets.

    Args:
        source: a source of `sources` that decodes pictures at full size.
        boxes: what `box_files.open_boxes` returns; None where the source has
            boxes of its own, as prepared shards do.
        max_boxes: int, N.
    """

    def __init__(self, source, boxes, *, max_boxes: int):
        self._source = source
        self._boxes = boxes
        self._max_boxes = max_boxes
        self.drop_log = source.drop_log

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

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures.

        Args:
            seed: int or None, of the order.
            context: tf.distribute.InputContext or None; see `worker_share`.

        Returns:
            Dataset of `with_boxes` of each picture.
        """
        return self._source.examples(seed=seed, context=context).map(
            self.with_boxes,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def without_known_grey(self, min_color_range: float) -> tuple:
        """Leaves out nearly grey pictures; see `shard_source`.

        Args:
            min_color_range: float, CIELAB.

        Returns:
            A source of this kind, and the range to be asked of its pictures.
        """
        source, min_color_range = shard_source.without_known_grey(
            self._source, min_color_range
        )
        kept = type(self)(source, self._boxes, max_boxes=self._max_boxes)
        return kept, min_color_range


def batches(
    source: BoxSource,
    config: pipelines.FullDataConfig,
    *,
    resize: Callable[[dict], dict],
    finish: Callable[[tf.Tensor, dict], tuple],
    seed: int,
    training: bool,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Makes one epoch of batches of pictures with boxes.

    Args:
        source: BoxSource.
        config: FullDataConfig.
        resize: function of an example of the source, to one with "rgb":
            uint8 [S, S, 3] and "name". Nearly grey ones are dropped.
        finish: function of an example's number and such an example, to
            (inputs, targets).
        seed: int, of the order.
        training: bool. False keeps the source's order and a last smaller
            batch.
        context: tf.distribute.InputContext or None; see `worker_share`.

    Returns:
        Dataset of batches of (inputs, targets).
    """
    source, min_color_range = source.without_known_grey(config.min_color_range)
    dataset = source.examples(
        seed=seed if training else None, context=context
    ).map(resize, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = pipelines.drop_low_color(
        dataset, min_color_range, source.drop_log
    )
    dataset = worker_share.numbered(dataset, context).map(
        finish, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return pipelines.batched(
        dataset, config, training=training, context=context
    ).prefetch(tf.data.AUTOTUNE)


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
