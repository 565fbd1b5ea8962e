"""Pictures with their boxes and what these show, for the ensemble."""

import os

import numpy as np
import tensorflow as tf

from tfcolor.boxes import picture_boxes
from tfcolor.color import lab
from tfcolor.data import box_source
from tfcolor.data import epochs
from tfcolor.data import pipelines
from tfcolor.data.full_data_config import FullDataConfig

_BOX_INPUTS = ("boxes", "box_classes", "picture_size")


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


def box_class_view(config: FullDataConfig) -> epochs.View:
    """Makes the view of the ensemble with box classes, of a BoxClassSource.

    Args:
        config: FullDataConfig; pictures are not cropped, there are no hints.

    Returns:
        epochs.View to ({"L": float32 [B, S, S, 1], "boxes": float32 [B, N, 4],
        "box_classes": int32 [B, N], "picture_size": int32 [B, 2]}, {"ab":
        float32 [B, S, S, 2]}).
    """

    def square(seeds, example, training):
        del seeds, training
        rgb = example["rgb"]
        return example | {
            "rgb": pipelines.resize_square(rgb, config.image_size),
            "picture_size": tf.shape(rgb)[:2],
        }

    def draw(seeds, example, training):
        drawn = {key: example[key] for key in ("rgb", *_BOX_INPUTS)}
        flips = training and config.flip
        return box_source.flipped(drawn, seeds[1]) if flips else drawn

    def finish(batch):
        L, ab = lab.batch_to_L_and_ab(batch["rgb"])
        return {"L": L} | {key: batch[key] for key in _BOX_INPUTS}, {"ab": ab}

    return epochs.View(
        config,
        draw,
        finish,
        prepare=square,
        min_color_range=config.min_color_range,
    )
