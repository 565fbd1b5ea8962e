"""The data sets of instance-aware colorization: pictures with their boxes.

As in `pipelines`, everything is a function of source, seed and epoch. Boxes
that cannot be used are left out one by one, counted by reason in the source's
`drop_log`; a picture without boxes stays.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from tfcolor.data import augment
from tfcolor.data import boxes as boxes_lib
from tfcolor.data import crops
from tfcolor.data import hints as hints_lib
from tfcolor.data import pipelines
from tfcolor.data import shard_source
from tfcolor.data import worker_share


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


class BoxedSource:
    """A source whose pictures come with their boxes.

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
            float32 [N, 4], "box_valid": bool [N]}`.
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
            BoxedSource, and the range to be asked of its pictures.
        """
        source, min_color_range = shard_source.without_known_grey(
            self._source, min_color_range
        )
        kept = type(self)(source, self._boxes, max_boxes=self._max_boxes)
        return kept, min_color_range

    def _with_boxes(self, example):
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
            name.decode(), height=int(height), width=int(width)
        )
        return found.boxes, found.scores

    def _note(self, name, reasons):
        name = name.decode()
        if not len(reasons):
            self.drop_log.record(name, "no boxes, whole picture used")
        for index, code in enumerate(reasons):
            reason = boxes_lib.REASONS[code]
            if reason != boxes_lib.KEPT:
                self.drop_log.record(f"{name} box {index}", f"box {reason}")
        return np.zeros([], np.int32)


def instance_dataset(
    source,
    config: pipelines.FullDataConfig,
    *,
    epoch: int,
    training: bool,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Makes one epoch of batches for the instance network.

    Of each picture one valid box is cut out, a random one in training and the
    first one otherwise, or the whole picture where it has none.

    Args:
        source: BoxedSource.
        config: FullDataConfig.
        epoch: int from 0.
        training: bool; see `pipelines.full_dataset`.
        context: tf.distribute.InputContext or None; see `worker_share`.

    Returns:
        Dataset as of `pipelines.full_dataset`.
    """
    seed = pipelines.epoch_seed(config, epoch)

    def cut(index, example):
        seeds = pipelines.example_seeds(seed, index)
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

    examples = source.examples(seed=seed if training else None, context=context)
    cut_out = worker_share.numbered(examples, context).map(
        cut, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return pipelines.full_dataset(
        _Squares(cut_out, source.drop_log),
        config,
        epoch=epoch,
        training=training,
        context=context,
    )


class _Squares:
    """A data set that is one pass of a source already, made of squares."""

    def __init__(self, dataset, drop_log):
        self._dataset = dataset
        self.drop_log = drop_log

    def examples(self, *, seed, context, side):
        del seed, context, side
        return self._dataset


def fusion_dataset(
    source,
    config: pipelines.FullDataConfig,
    box_config: BoxConfig,
    *,
    epoch: int,
    training: bool,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Makes one epoch of batches for the fusion network.

    Args:
        source: BoxedSource.
        config: FullDataConfig; pictures are not cropped.
        box_config: BoxConfig.
        epoch: int from 0.
        training: bool. False keeps the source's order and a last smaller
            batch, and gives neither hints nor flips.
        context: tf.distribute.InputContext or None; see `worker_share`.

    Returns:
        Dataset of ({"L": float32 [B, S, S, 1], "hints": [B, S, S, 2], "mask":
        [B, S, S, 1], "crops": [B, N, s, s, 1], L of each box, "boxes":
        float32 [B, N, 4], "box_valid": bool [B, N], "picture_size": int32
        [B, 2]}, {"ab": float32 [B, S, S, 2]}).
    """
    seed = pipelines.epoch_seed(config, epoch)
    crop_side = box_config.crop_size or config.image_size

    def squares(example):
        rgb = example["rgb"]
        return {
            "rgb": pipelines.resize_square(rgb, config.image_size),
            "crops": crops.instance_crops(
                rgb, example["boxes"], example["box_valid"], side=crop_side
            ),
            "boxes": example["boxes"],
            "box_valid": example["box_valid"],
            "picture_size": tf.shape(rgb)[:2],
            "name": example["name"],
        }

    def inputs_and_target(index, example):
        seeds = pipelines.example_seeds(seed, index)
        if training and config.flip:
            example = _flipped(example, seeds[1])
        L, ab = pipelines.split_lab(example["rgb"])
        hints, mask = tf.zeros_like(ab), tf.zeros_like(L)
        if training:
            hints, mask = hints_lib.hints_for_some(
                ab,
                seeds[2:],
                share=config.hint_share,
                probability=config.hint_probability,
            )
        inputs = {"L": L, "hints": hints, "mask": mask}
        inputs["crops"] = pipelines.split_lab(example["crops"])[0]
        for key in ("boxes", "box_valid", "picture_size"):
            inputs[key] = example[key]
        return inputs, {"ab": ab}

    source, min_color_range = source.without_known_grey(config.min_color_range)
    dataset = source.examples(
        seed=seed if training else None, context=context
    ).map(squares, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
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
    """Mirrors a picture, its crops and its boxes, or leaves all as it is."""
    mirror = augment.is_flipped(seed)
    width = tf.cast(example["picture_size"][1], tf.float32)
    top, left, bottom, right = tf.unstack(example["boxes"], axis=-1)
    mirrored = tf.stack([top, width - right, bottom, width - left], axis=-1)
    return example | {
        "rgb": tf.where(mirror, example["rgb"][:, ::-1], example["rgb"]),
        "crops": tf.where(
            mirror, example["crops"][:, :, ::-1], example["crops"]
        ),
        "boxes": tf.where(mirror, mirrored, example["boxes"]),
    }
