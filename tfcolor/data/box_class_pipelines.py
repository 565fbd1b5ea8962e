"""Pictures with their boxes and what these show, for the ensemble.

As in `pipelines`, everything is a function of source, seed and epoch.
"""

import os

import numpy as np
import tensorflow as tf

from tfcolor.data import box_source
from tfcolor.data import picture_boxes
from tfcolor.data import pipelines


class BoxClassSource(box_source.BoxSource):
    """A source whose pictures come with boxes and their classes."""

    def with_boxes(self, example: dict) -> dict:
        """Adds boxes and classes to an example of the source.

        Args:
            example: dict of tensors.

        Returns:
            dict of "rgb": uint8 [H, W, 3]; "name": string []; "boxes": float32
            [N, 4]; "box_classes": int32 [N], 0 for rows that are no boxes.
        """
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
            found = self._boxes.load(os.fsdecode(name), **size)
        found = found.best(**size, max_boxes=self._max_boxes)
        if not len(found):
            self.drop_log.record(
                os.fsdecode(name), "no boxes, no classes given"
            )
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
    names: bool = False,
) -> tf.data.Dataset:
    """Makes one epoch of batches for the ensemble with box classes.

    Args:
        source: BoxClassSource.
        config: FullDataConfig; pictures are not cropped, there are no hints.
        epoch: int from 0.
        training: bool. False keeps the source's order and a last smaller
            batch, and does not flip.
        context: tf.distribute.InputContext or None; see `worker_share`.
        names: bool. Training batches have the pictures' "name", string [B],
            among their targets; devices that train know no strings.

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
            example = box_source.flipped(example, flip_seed)
        L, ab = pipelines.split_lab(example["rgb"])
        kept = ("boxes", "box_classes", "picture_size")
        inputs = {"L": L} | {key: example[key] for key in kept}
        return inputs, {"ab": ab} | pipelines.with_name(example, names)

    return box_source.batches(
        source,
        config,
        resize=square,
        finish=inputs_and_target,
        seed=seed,
        training=training,
        context=context,
    )
