"""The data set of the full-picture network, and pictures kept in memory."""

import functools
import os

import numpy as np
import tensorflow as tf
import tqdm

from tfcolor.color import lab
from tfcolor.data import augment
from tfcolor.data import epochs
from tfcolor.data import hints as hints_lib
from tfcolor.data import worker_share
from tfcolor.data.drop_log import DropLog
from tfcolor.data.full_data_config import BORDER_SHARE
from tfcolor.data.full_data_config import FullDataConfig
from tfcolor.data.source import Source


class MemorySource(Source):
    """Resized pictures kept in memory, nearly grey ones left out.

    Args:
        rgb: uint8 array [N, S, S, 3].
        names: list of N str.
        drop_log: DropLog.
    """

    def __init__(self, rgb: np.ndarray, names: list[str], drop_log: DropLog):
        with tf.device("CPU"):
            self._rgb = tf.constant(rgb)
            self._names = tf.constant(names, tf.string, shape=[len(names)])
        self.drop_log = drop_log

    def __len__(self):
        return int(self._rgb.shape[0])

    def colored(self, min_color_range: float) -> tuple["MemorySource", float]:
        """Returns the source as it is: `into_memory` has looked at colors."""
        return self, 0.0

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
        side: int | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the squares; see `source`."""
        order = np.arange(len(self))
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)
        dataset = tf.data.Dataset.from_tensor_slices(order)
        return worker_share.share(dataset, context).map(
            lambda i: {"rgb": self._rgb[i], "name": self._names[i]}
        )


def resize_square(rgb: tf.Tensor, side: int) -> tf.Tensor:
    """Squashes a picture to a square, with antialiasing.

    Args:
        rgb: uint8 tensor [H, W, 3].
        side: int, pixels.

    Returns:
        uint8 tensor [side, side, 3], within one grey level of Pillow's
        bilinear resize.
    """
    if rgb.shape[:2] == [side, side]:
        return rgb
    resized = tf.image.resize(rgb, [side, side], antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0, 255)), tf.uint8)


def into_memory(
    source, *, side: int, min_color_range: float, label: str = "pictures"
) -> MemorySource:
    """Decodes and resizes a whole source, with a progress bar.

    Args:
        source: Source.
        side: int, pixels.
        min_color_range: float, CIELAB; 0 keeps every picture.
        label: str, shown beside the progress bar.

    Returns:
        MemorySource with the pictures that were not dropped.

    Raises:
        ValueError: no picture is left.
    """
    colored, asked = source.colored(min_color_range)
    dataset = epochs.drop_low_color(
        colored.examples(side=side), asked, source.drop_log
    )
    rgb = np.empty([len(source), side, side, 3], np.uint8)
    names = []
    progress = tqdm.tqdm(
        dataset.prefetch(64).as_numpy_iterator(),
        total=len(source),
        desc=f"loading {label}",
        unit="picture",
        mininterval=1,
    )
    for example in progress:
        rgb[len(names)] = example["rgb"]
        names.append(os.fsdecode(example["name"]))
    if not names:
        raise ValueError(
            "A source must have at least one usable picture. Received: "
            f"{len(source)} pictures; {source.drop_log.summary()}"
        )
    return MemorySource(rgb[: len(names)], names, source.drop_log)


def full_view(config: FullDataConfig) -> epochs.View:
    """Makes the view of the full-picture network.

    Without training, the middle is cut out instead of a random part, and there
    are no hints.

    Args:
        config: FullDataConfig. Squares in memory are of its `load_side`.

    Returns:
        epochs.View to ({"L": float32 [B, S, S, 1], "hints": [B, S, S, 2],
        "mask": [B, S, S, 1]}, {"ab": float32 [B, S, S, 2]}), CIELAB.
    """
    return epochs.View(
        config,
        draw=functools.partial(_square, config),
        finish=functools.partial(_full_batch, config),
        side=config.load_side,
        min_color_range=config.min_color_range,
    )


def _square(config, seeds, example, training) -> dict:
    size = config.image_size
    if not training:
        return {"rgb": middle(example["rgb"], size)}
    if config.min_area < 1:
        rgb = augment.random_resized_crop(
            example["rgb"], seeds[0], size=size, min_area=config.min_area
        )
    else:
        rgb = augment.random_crop(example["rgb"], seeds[0], size=size)
    if config.flip:
        rgb = augment.random_flip(rgb, seeds[1])
    # Nothing is computed that nothing needs.
    square = {"rgb": rgb} | hint_seeds(config, seeds)
    if config.aged_share:
        seed = tf.random.fold_in(seeds[1], 1)
        square["aging"] = augment.aging(
            seed, size=size, share=config.aged_share
        )
        square["border"] = augment.border(
            tf.random.fold_in(seed, 2),
            size=size,
            share=config.aged_share * BORDER_SHARE,
        )
    return square


def middle(rgb: tf.Tensor, size: int) -> tf.Tensor:
    """Cuts the middle out of a square.

    Args:
        rgb: uint8 tensor [S, S, 3].
        size: int, pixels.

    Returns:
        uint8 tensor [size, size, 3].
    """
    rgb = tf.image.resize_with_crop_or_pad(rgb, size, size)
    return tf.ensure_shape(rgb, [size, size, 3])


def _full_batch(config, squares) -> tuple[dict, dict]:
    """Makes inputs and targets of squares, with hints and age where drawn."""
    L, ab = lab.batch_to_L_and_ab(squares["rgb"])
    if "aging" in squares:
        borders = squares["border"]
        bordered = augment.in_border(borders, config.image_size)
        L = augment.aged_lightness(L, *squares["aging"])
        L = tf.where(bordered, borders[:, 4, None, None, None], L)
        ab = tf.where(bordered, 0.0, ab)
    hints, mask = with_hints(ab, squares, config)
    return {"L": L, "hints": hints, "mask": mask}, {"ab": ab}


def hint_seeds(config: FullDataConfig, seeds: list[tf.Tensor]) -> dict:
    """Returns "hint_seeds", int64 [2, 2], where a picture may get hints.

    Args:
        config: FullDataConfig.
        seeds: of `epochs.example_seeds`.

    Returns:
        dict, empty without hints.
    """
    if not config.hint_share or config.hint_probability == 1:
        return {}
    return {"hint_seeds": tf.stack(seeds[2:])}


def with_hints(
    ab: tf.Tensor, drawn: dict, config: FullDataConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gives a batch its hints, where there are seeds for any.

    Args:
        ab: float32 tensor [B, S, S, 2], CIELAB.
        drawn: dict; perhaps with "hint_seeds", int64 [B, 2, 2].
        config: FullDataConfig.

    Returns:
        hints and mask; see `hints.hints_for_batch`.
    """
    if "hint_seeds" not in drawn:
        return hints_lib.no_hints(ab)
    return hints_lib.hints_for_batch(
        ab,
        drawn["hint_seeds"],
        share=config.hint_share,
        probability=config.hint_probability,
    )
