"""What the full-picture network sees of pictures."""

import functools

import tensorflow as tf

from tfcolor.color import lab
from tfcolor.data import age
from tfcolor.data import augment
from tfcolor.data import epochs
from tfcolor.data import hints as hints_lib
from tfcolor.data.full_data_config import FullDataConfig


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
            share=config.aged_share * age.BORDER_SHARE,
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
        L, ab = age.aged_with_border(
            L, ab, *squares["aging"], squares["border"]
        )
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
