"""The data sets of instance-aware colorization: pictures with their boxes.

Boxes that cannot be used are left out one by one, counted by reason in the
source's `drop_log`; a picture without boxes stays.
"""

import dataclasses
import os

import numpy as np
import tensorflow as tf

from tfcolor.boxes import boxes as boxes_lib
from tfcolor.color import lab
from tfcolor.data import box_source
from tfcolor.data import crops
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import pipelines
from tfcolor.data.full_data_config import FullDataConfig

_BOX_INPUTS = ("boxes", "box_valid", "picture_size")


@dataclasses.dataclass(frozen=True)
class BoxConfig:
    """Which boxes of a picture are used.

    Attributes:
        max_boxes: int. The boxes of highest score that a picture keeps; 8 as
            released.
        crop_size: int or None. Side in pixels of the squares that boxes are
            resized to. None: as the picture.
    """

    max_boxes: int = 8
    crop_size: int | None = None

    def __post_init__(self):
        """Refuses what no network of this family can take."""
        if self.max_boxes < 1:
            raise ValueError(
                "`max_boxes` must be at least 1. "
                f"Received: max_boxes={self.max_boxes}"
            )
        if self.crop_size is not None:
            full_data_config.check_side("crop_size", self.crop_size)


class BoxedSource(box_source.BoxSource):
    """A source whose pictures come with their boxes."""

    def with_boxes(self, example: dict) -> dict:
        """Adds boxes to an example of the source.

        Args:
            example: dict of tensors.

        Returns:
            dict of "rgb": uint8 [H, W, 3]; "name": string []; "boxes": float32
            [N, 4]; "box_valid": bool [N].
        """
        height, width = tf.unstack(tf.shape(example["rgb"])[:2])
        found, scores, example = self._found(example, height, width)
        boxes, box_valid, reasons = boxes_lib.fit_to_picture(
            tf.ensure_shape(found, [None, 4]),
            tf.ensure_shape(scores, [None]),
            height=height,
            width=width,
            max_boxes=self._max_boxes,
        )
        noted = tf.numpy_function(
            self._note, [example["name"], reasons], tf.int32
        )
        with tf.control_dependencies([noted]):
            boxes = tf.identity(boxes)
        return example | {"boxes": boxes, "box_valid": box_valid}

    def _found(self, example, height, width):
        """Returns boxes, scores and the rest of an example."""
        rest = {k: v for k, v in example.items() if not k.startswith("found_")}
        if self._boxes is None:
            return example["found_boxes"], example["found_scores"], rest
        inputs = [example["name"], height, width]
        loaded = tf.numpy_function(self._load, inputs, [tf.float32] * 2)
        return *loaded, rest

    def _load(self, name, height, width):
        found = self._boxes.load(
            os.fsdecode(name), height=int(height), width=int(width)
        )
        return found.boxes, found.scores

    def _note(self, name, reasons):
        name = os.fsdecode(name)
        if not len(reasons):
            self.drop_log.record(name, "no boxes, whole picture used")
        for index, code in enumerate(reasons):
            reason = boxes_lib.REASONS[code]
            if reason != boxes_lib.KEPT:
                self.drop_log.record(f"{name} box {index}", f"box {reason}")
        return np.zeros([], np.int32)


def instance_view(config: FullDataConfig) -> epochs.View:
    """Makes the view of the instance network, of a BoxedSource.

    Of each picture one valid box is cut out, a random one in training and the
    first one otherwise, or the whole picture where it has none.

    Args:
        config: FullDataConfig.

    Returns:
        epochs.View as of `pipelines.full_view`.
    """

    def cut(seeds, example, training):
        height, width = tf.unstack(tf.shape(example["rgb"])[:2])
        valid = example["box_valid"]
        if not training:
            valid = tf.logical_and(valid, tf.range(tf.size(valid)) == 0)
        box = crops.random_valid_box(
            example["boxes"], valid, seeds[3], height=height, width=width
        )
        rgb = crops.crop(example["rgb"], box)
        rgb = pipelines.resize_square(rgb, config.load_side)
        return {"rgb": rgb, "name": example["name"]}

    view = pipelines.full_view(config)
    return dataclasses.replace(view, side=None, prepare=cut, cuts=True)


def fusion_view(config: FullDataConfig, box_config: BoxConfig) -> epochs.View:
    """Makes the view of the fusion network, of a BoxedSource.

    Without training there are neither hints nor flips.

    Args:
        config: FullDataConfig; pictures are not cropped.
        box_config: BoxConfig.

    Returns:
        epochs.View to ({"L": float32 [B, S, S, 1], "hints": [B, S, S, 2],
        "mask": [B, S, S, 1], "crops": [B, N, s, s, 1], L of each box, "boxes":
        float32 [B, N, 4], "box_valid": bool [B, N], "picture_size": int32
        [B, 2]}, {"ab": float32 [B, S, S, 2]}).
    """
    crop_side = box_config.crop_size or config.image_size

    def squares(seeds, example, training):
        del seeds, training
        rgb = example["rgb"]
        return example | {
            "rgb": pipelines.resize_square(rgb, config.image_size),
            "crops": crops.instance_crops(
                rgb, example["boxes"], example["box_valid"], side=crop_side
            ),
            "picture_size": tf.shape(rgb)[:2],
        }

    def draw(seeds, example, training):
        drawn = {key: example[key] for key in ("rgb", "crops", *_BOX_INPUTS)}
        if not training:
            return drawn
        if config.flip:
            drawn = box_source.flipped(drawn, seeds[1])
        return drawn | pipelines.hint_seeds(config, seeds)

    def finish(batch):
        L, ab = lab.batch_to_L_and_ab(batch["rgb"])
        hints, mask = pipelines.with_hints(ab, batch, config)
        inputs = {"L": L, "hints": hints, "mask": mask}
        inputs["crops"] = lab.batch_to_L_and_ab(batch["crops"])[0]
        return inputs | {key: batch[key] for key in _BOX_INPUTS}, {"ab": ab}

    return epochs.View(
        config,
        draw,
        finish,
        prepare=squares,
        min_color_range=config.min_color_range,
    )
