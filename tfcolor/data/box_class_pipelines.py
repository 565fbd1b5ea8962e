"""Pictures with their boxes and what these show, for the ensemble.

As in `pipelines`, everything is a function of source, seed and epoch.
"""

import numpy as np
import tensorflow as tf

from tfcolor.data import augment
from tfcolor.data import picture_boxes
from tfcolor.data import pipelines
from tfcolor.data import shard_source
from tfcolor.data import worker_share


class BoxClassSource:
    """A source whose pictures come with boxes and their classes.

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
            Dataset of `{"rgb": uint8 [H, W, 3], "name": string [], "boxes":
            float32 [N, 4], "box_classes": int32 [N], 0 for rows that are no
            boxes}`.
        """
        return self._source.examples(seed=seed, context=context).map(
            self._with_boxes,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def without_known_grey(self, min_color_range: float) -> tuple:
        """Leaves out nearly grey pictures; see `shard_source`.

        Args:
            min_color_range: float, CIELAB.

        Returns:
            BoxClassSource, and the range to be asked of its pictures.
        """
        source, min_color_range = shard_source.without_known_grey(
            self._source, min_color_range
        )
        kept = type(self)(source, self._boxes, max_boxes=self._max_boxes)
        return kept, min_color_range

    def _with_boxes(self, example):
        height, width = tf.unstack(tf.shape(example["rgb"])[:2])
        own = {k: v for k, v in example.items() if k.startswith("found_")}
        boxes, classes = tf.numpy_function(
            self._load,
            [example["name"], height, width, *own.values()],
            [tf.float32, tf.int32],
        )
        return {k: v for k, v in example.items() if k not in own} | {
            "boxes": tf.ensure_shape(boxes, [self._max_boxes, 4]),
            "box_classes": tf.ensure_shape(classes, [self._max_boxes]),
        }

    def _load(self, name, height, width, *own):
        size = {"height": int(height), "width": int(width)}
        if self._boxes is None:
            found = picture_boxes.make(*own)
        else:
            found = self._boxes.load(name.decode(), **size)
        found = found.best(**size, max_boxes=self._max_boxes)
        if not len(found):
            self.drop_log.record(name.decode(), "no boxes, no classes given")
        boxes = np.zeros([self._max_boxes, 4], np.float32)
        classes = np.zeros([self._max_boxes], np.int32)
        boxes[: len(found)] = found.boxes
        classes[: len(found)] = found.classes
        return boxes, classes


def box_class_dataset(
    source,
    config: pipelines.FullDataConfig,
    *,
    epoch: int,
    training: bool,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Makes one epoch of batches for the ensemble with box classes.

    Args:
        source: BoxClassSource.
        config: FullDataConfig; pictures are not cropped, there are no hints.
        epoch: int from 0.
        training: bool. False keeps the source's order and a last smaller
            batch, and does not flip.
        context: tf.distribute.InputContext or None; see `worker_share`.

    Returns:
        Dataset of ({"L": float32 [B, S, S, 1], "boxes": float32 [B, N, 4],
        "box_classes": int32 [B, N], "picture_size": int32 [B, 2]}, {"ab":
        float32 [B, S, S, 2]}).
    """
    seed = pipelines.epoch_seed(config, epoch)

    def square(example):
        rgb = example["rgb"]
        return example | {
            "rgb": pipelines.resize_square(rgb, config.image_size),
            "picture_size": tf.shape(rgb)[:2],
        }

    def inputs_and_target(index, example):
        if training and config.flip:
            flip_seed = pipelines.example_seeds(seed, index)[1]
            example = _flipped(example, flip_seed)
        L, ab = pipelines.split_lab(example["rgb"])
        kept = ("boxes", "box_classes", "picture_size")
        return {"L": L} | {key: example[key] for key in kept}, {"ab": ab}

    source, min_color_range = source.without_known_grey(config.min_color_range)
    dataset = source.examples(
        seed=seed if training else None, context=context
    ).map(square, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = pipelines.drop_low_color(
        dataset, min_color_range, source.drop_log
    )
    dataset = worker_share.numbered(dataset, context).map(
        inputs_and_target,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return pipelines.batched(
        dataset, config, training=training, context=context
    ).prefetch(tf.data.AUTOTUNE)


def _flipped(example: dict, seed: tf.Tensor) -> dict:
    """Mirrors a picture and its boxes, or leaves both as they are."""
    mirror = augment.is_flipped(seed)
    width = tf.cast(example["picture_size"][1], tf.float32)
    top, left, bottom, right = tf.unstack(example["boxes"], axis=-1)
    mirrored = tf.stack([top, width - right, bottom, width - left], axis=-1)
    return example | {
        "rgb": tf.where(mirror, example["rgb"][:, ::-1], example["rgb"]),
        "boxes": tf.where(mirror, mirrored, example["boxes"]),
    }
