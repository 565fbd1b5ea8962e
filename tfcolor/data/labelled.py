"""Labelled data sets: pictures and their classes."""

import dataclasses
import os

import tensorflow as tf

from tfcolor.color import lab
from tfcolor.data import augment
from tfcolor.data import epochs
from tfcolor.data import memory_source
from tfcolor.data import pipelines
from tfcolor.data.full_data_config import FullDataConfig
from tfcolor.data.source import Source

INPUTS = ("L", "L_ab")
CROPS = ("whole", "boxes")


@dataclasses.dataclass(frozen=True)
class LabelConfig:
    """What a classifier sees of labelled pictures.

    Attributes:
        inputs: str. "L": the lightness alone, without hints, as in the study;
            "L_ab": the true colors beside it, as hints at every pixel.
        crops: str. "whole": the picture; "boxes": one random box of it in
            training and the best one otherwise, the whole picture where it
            has none.
        random_crop_area: float in (0, 1]. In training, a random part of at
            least this share of the area is cut out and resized; 1 is off.
        random_crop_share: float in 0..1. Share of the training pictures that
            are cut so; the others are seen whole, as sharp as in use.
        pictures_per_class: int or None. Training pictures of each class that
            are used, chosen by the seed; None is all.
        test_share: float in 0..1. Share of the training files that is kept
            for the test when no test pictures are given, by a hash of their
            names.
    """

    inputs: str = "L"
    crops: str = "whole"
    random_crop_area: float = 1.0
    random_crop_share: float = 1.0
    pictures_per_class: int | None = None
    test_share: float = 0.2

    def __post_init__(self):
        """Refuses unknown choices and shares that cannot be."""
        for name, allowed in (("inputs", INPUTS), ("crops", CROPS)):
            value = getattr(self, name)
            if value not in allowed:
                raise ValueError(
                    f"`{name}` must be one of {allowed}. "
                    f"Received: {name}={value!r}"
                )
        if not 0 < self.random_crop_area <= 1:
            raise ValueError(
                "`random_crop_area` must be above 0 and at most 1. "
                f"Received: random_crop_area={self.random_crop_area}"
            )
        if not 0 <= self.random_crop_share <= 1:
            raise ValueError(
                "`random_crop_share` must be from 0 to 1. "
                f"Received: random_crop_share={self.random_crop_share}"
            )
        if not 0 <= self.test_share < 1:
            raise ValueError(
                "`test_share` must be at least 0 and below 1. "
                f"Received: test_share={self.test_share}"
            )
        if self.pictures_per_class is not None and self.pictures_per_class < 2:
            raise ValueError(
                "`pictures_per_class` must be at least 2. "
                f"Received: pictures_per_class={self.pictures_per_class}"
            )


class LabelledSource(Source):
    """Picture files and their classes.

    Args:
        source: Source with `paths`.
        labels: list of int, one for each of `source.paths`.
    """

    def __init__(self, source, labels: list[int]):
        self.drop_log = source.drop_log
        self.labels = list(labels)
        self.has_boxes = source.has_boxes
        self._source = source
        with tf.device("CPU"):
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    tf.constant(
                        [os.fsencode(p) for p in source.paths], tf.string
                    ),
                    tf.constant(self.labels, tf.int64),
                ),
                default_value=-1,
            )

    def __len__(self):
        return len(self._source)

    def examples(self, **options) -> tf.data.Dataset:
        """Returns one pass; examples have "label": int64 []. See `source`."""
        return self._source.examples(**options).map(
            lambda example: (
                example | {"label": self._table.lookup(example["name"])}
            )
        )


def network_inputs(rgb: tf.Tensor, inputs: str) -> dict[str, tf.Tensor]:
    """Returns what a classifier sees of pictures.

    Args:
        rgb: uint8 tensor [..., S, S, 3].
        inputs: str, one of `INPUTS`.

    Returns:
        dict of "L", float32 [..., S, S, 1], "hints", [..., S, S, 2], and
        "mask", [..., S, S, 1], CIELAB.
    """
    L, ab = lab.batch_to_L_and_ab(rgb)
    if inputs == "L":
        return {"L": L, "hints": tf.zeros_like(ab), "mask": tf.zeros_like(L)}
    return {"L": L, "hints": ab, "mask": tf.ones_like(L)}


def labelled_view(
    config: FullDataConfig, label_config: LabelConfig
) -> epochs.View:
    """Makes the view of a classifier, of a labelled source.

    Args:
        config: FullDataConfig. Pictures are neither dropped for their color
            nor cropped by `load_size`, which is the side they are kept at.
        label_config: LabelConfig.

    Returns:
        epochs.View to ({"L": float32 [B, S, S, 1], "hints": [B, S, S, 2],
        "mask": [B, S, S, 1]}, {"label": int64 [B]}); without training the
        pictures' "name", string [B], is beside the label.
    """
    size = config.image_size

    def squares(seeds, example, training):
        del seeds, training
        return memory_source.crops_of(example, side=config.load_side)

    def draw(seeds, example, training):
        crop_seed, flip_seed, _, box_seed = seeds
        rgb = example["crops"][0]
        if training:
            rgb = _chosen(example["crops"], box_seed)
        if training and label_config.random_crop_area < 1:
            rgb = _cut(rgb, crop_seed, size, label_config)
        else:
            rgb = pipelines.resize_square(rgb, size)
        if training and config.flip:
            rgb = augment.random_flip(rgb, flip_seed)
        return {"rgb": rgb, "label": example["label"]}

    def finish(batch):
        inputs = network_inputs(batch["rgb"], label_config.inputs)
        return inputs, {"label": batch["label"]}

    return epochs.View(config, draw, finish, prepare=squares, named=True)


def _chosen(squares, seed):
    """Returns one of the squares of a picture, at random."""
    place = tf.random.stateless_uniform(
        [], seed, maxval=tf.shape(squares)[0], dtype=tf.int32
    )
    return squares[place]


def _cut(rgb, seed, size, label_config):
    """Returns a random part of a picture, or the whole, as a square."""
    part = augment.random_resized_crop(
        rgb, seed, size=size, min_area=label_config.random_crop_area
    )
    if label_config.random_crop_share == 1:
        return part
    # The crop draws from the seed itself.
    share = tf.random.stateless_uniform([], seed + 1)
    return tf.cond(
        share < label_config.random_crop_share,
        lambda: part,
        lambda: pipelines.resize_square(rgb, size),
    )
