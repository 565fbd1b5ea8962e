"""The data sets that trainers use: the one definition of the example keys.

Everything is deterministic: equal seeds, epochs and sources give equal
batches, on any machine.
"""

import os

import numpy as np
import tensorflow as tf
import tqdm

from tfcolor.color import lab
from tfcolor.data import augment
from tfcolor.data import hints as hints_lib
from tfcolor.data import shard_source
from tfcolor.data import worker_share
from tfcolor.data.drop_log import DropLog
from tfcolor.data.full_data_config import FullDataConfig

LOW_COLOR = shard_source.LOW_COLOR
# Of the pixels that are looked at first: every eighth one, of every eighth row.
_SAMPLE = 8


class MemorySource:
    """Resized pictures kept in memory; a source like those of `sources`.

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

    def examples(
        self,
        *,
        seed: int | None = None,
        context: tf.distribute.InputContext | None = None,
    ) -> tf.data.Dataset:
        """Returns one pass over the pictures; see `sources`."""
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


def color_range(rgb: tf.Tensor) -> tf.Tensor:
    """Returns the range of a plus the range of b of a picture.

    Args:
        rgb: uint8 tensor [H, W, 3].

    Returns:
        float32 tensor [], CIELAB.
    """
    _, ab = lab.bytes_to_L_and_ab(rgb)
    spread = tf.reduce_max(ab, axis=[0, 1]) - tf.reduce_min(ab, axis=[0, 1])
    return tf.reduce_sum(spread)


def _is_colored(rgb: tf.Tensor, min_color_range: float) -> tf.Tensor:
    # Some of the pixels never range farther than all of them do, and nearly
    # always far enough.
    sample = color_range(rgb[::_SAMPLE, ::_SAMPLE])
    return tf.cond(
        sample >= min_color_range,
        lambda: True,
        lambda: color_range(rgb) >= min_color_range,
    )


def squares(
    source,
    *,
    side: int,
    min_color_range: float,
    seed: int | None = None,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """One pass over a source, resized, nearly grey pictures dropped.

    Args:
        source: a source; see `sources`. A MemorySource passes as it is.
        side: int, pixels.
        min_color_range: float, CIELAB; 0 keeps every picture.
        seed: int or None, of the order.
        context: tf.distribute.InputContext or None. The worker whose part it
            is; see `worker_share`.

    Returns:
        Dataset of `{"rgb": uint8 [side, side, 3], "name": string []}`.
    """
    if isinstance(source, MemorySource):
        return source.examples(seed=seed, context=context)
    source, min_color_range = shard_source.without_known_grey(
        source, min_color_range
    )
    return drop_low_color(
        source.examples(seed=seed, context=context, side=side),
        min_color_range,
        source.drop_log,
    )


def drop_low_color(
    dataset: tf.data.Dataset, min_color_range: float, drop_log: DropLog
) -> tf.data.Dataset:
    """Drops nearly grey pictures one by one, noting each.

    Args:
        dataset: Dataset of dicts with "rgb", uint8 [S, S, 3], and "name".
        min_color_range: float, CIELAB; 0 keeps every picture.
        drop_log: DropLog.

    Returns:
        Dataset.
    """
    if min_color_range <= 0:
        return dataset

    def note_grey(name):
        drop_log.record(os.fsdecode(name), LOW_COLOR)
        return np.zeros([], np.int32)

    def is_colored(example):
        colored = _is_colored(example["rgb"], min_color_range)
        tf.cond(
            colored,
            lambda: 0,
            lambda: tf.ensure_shape(
                tf.numpy_function(note_grey, [example["name"]], tf.int32), []
            ),
        )
        return colored

    return dataset.filter(is_colored)


def into_memory(
    source, *, side: int, min_color_range: float, label: str = "pictures"
) -> MemorySource:
    """Decodes and resizes a whole source, with a progress bar.

    Args:
        source: a source; see `sources`.
        side: int, pixels.
        min_color_range: float, CIELAB; 0 keeps every picture.
        label: str, shown beside the progress bar.

    Returns:
        MemorySource with the pictures that were not dropped.

    Raises:
        ValueError: no picture is left.
    """
    dataset = squares(source, side=side, min_color_range=min_color_range)
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


def epoch_seed(config: FullDataConfig, epoch: int) -> int:
    """Returns one number for seed and epoch, as different as they are.

    Args:
        config: FullDataConfig.
        epoch: int from 0, of any size.

    Returns:
        int of 31 bits.
    """
    sequence = np.random.SeedSequence([config.seed, epoch])
    return int(sequence.generate_state(1)[0] >> 1)


def example_seeds(seed: int, index: tf.Tensor) -> list[tf.Tensor]:
    """Returns the seeds of one example of an epoch.

    Args:
        seed: int, of the epoch.
        index: int64 tensor [], place of the example in the epoch.

    Returns:
        list of 4 int64 tensors [2]: crop, flip, whether there are hints, hints.
    """
    pair = tf.stack([tf.constant(seed, tf.int64), index])
    return tf.unstack(tf.random.split(pair, 4), num=4)


def full_dataset(
    source,
    config: FullDataConfig,
    *,
    epoch: int,
    training: bool,
    context: tf.distribute.InputContext | None = None,
    names: bool = False,
) -> tf.data.Dataset:
    """Makes one epoch of batches for the full-picture network.

    Args:
        source: a source; see `sources`, or a MemorySource of squares of
            `config.load_side`.
        config: FullDataConfig.
        epoch: int from 0; with the seed it fixes order and augmentation.
        training: bool. False keeps the source's order, cuts the middle
            instead of a random crop, gives no hints, and keeps a last smaller
            batch.
        context: tf.distribute.InputContext or None. The worker whose part of
            the batches it is; see `worker_share`.
        names: bool. Training batches have the pictures' "name", string [B],
            among their targets; devices that train know no strings.

    Returns:
        Dataset of ({"L": float32 [B, S, S, 1], "hints": [B, S, S, 2],
        "mask": [B, S, S, 1]}, {"ab": float32 [B, S, S, 2]}), CIELAB.
    """
    order_seed = epoch_seed(config, epoch)
    dataset = squares(
        source,
        side=config.load_side,
        min_color_range=config.min_color_range,
        seed=order_seed if training else None,
        context=context,
    )
    size = config.image_size
    has_hints = config.hint_share > 0 and config.hint_probability < 1

    def training_square(index, example):
        seeds = example_seeds(order_seed, index)
        if config.min_area < 1:
            rgb = augment.random_resized_crop(
                example["rgb"], seeds[0], size=size, min_area=config.min_area
            )
        else:
            rgb = augment.random_crop(example["rgb"], seeds[0], size=size)
        if config.flip:
            rgb = augment.random_flip(rgb, seeds[1])
        # Nothing is computed that nothing needs.
        square = {"rgb": rgb} | with_name(example, names)
        if has_hints:
            square["hint_seeds"] = tf.stack(seeds[2:])
        if config.aged_share:
            seed = tf.random.fold_in(seeds[1], 1)
            square["aging"] = augment.aging(
                seed, size=size, share=config.aged_share
            )
        return square

    def middle_square(index, example):
        rgb = tf.image.resize_with_crop_or_pad(example["rgb"], size, size)
        return {"rgb": tf.ensure_shape(rgb, [size, size, 3])}

    dataset = worker_share.numbered(dataset, context).map(
        training_square if training else middle_square,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    # Bytes are batched, and all colors of a batch converted at once.
    return (
        batched(dataset, config, training=training, context=context)
        .map(
            lambda squares: _full_batch(squares, config),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .prefetch(tf.data.AUTOTUNE)
    )


def _full_batch(squares, config) -> tuple[dict, dict]:
    """Makes inputs and targets of squares, with hints and age where drawn."""
    L, ab = split_lab(squares["rgb"])
    hints, mask = hints_lib.no_hints(ab)
    if "hint_seeds" in squares:
        hints, mask = hints_lib.hints_for_batch(
            ab,
            squares["hint_seeds"],
            share=config.hint_share,
            probability=config.hint_probability,
        )
    if "aging" in squares:
        L = augment.aged_lightness(L, *squares["aging"])
    targets = {"ab": ab} | with_name(squares, "name" in squares)
    return {"L": L, "hints": hints, "mask": mask}, targets


def with_name(example: dict, wanted: bool) -> dict:
    """Returns what adds the name of an example where that is wanted."""
    return {"name": example["name"]} if wanted else {}


def batched(
    dataset: tf.data.Dataset,
    config: FullDataConfig,
    *,
    training: bool,
    context: tf.distribute.InputContext | None,
) -> tf.data.Dataset:
    """Makes the batches, or a worker's part of them.

    Args:
        dataset: Dataset of examples.
        config: FullDataConfig.
        training: bool. Leaves out a last smaller batch.
        context: tf.distribute.InputContext or None; see `worker_share`.

    Returns:
        Dataset.
    """
    size = worker_share.batch_size(config.batch_size, context)
    return dataset.batch(size, drop_remainder=training)


def split_lab(rgb: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits pictures of a data set into lightness and color.

    Args:
        rgb: uint8 tensor [..., H, W, 3]. Every new shape is compiled anew; see
            `lab.batch_to_L_and_ab`.

    Returns:
        L, float32 [..., H, W, 1], 0..100; ab, float32 [..., H, W, 2].
    """
    return lab.batch_to_L_and_ab(rgb)
