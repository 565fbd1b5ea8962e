"""Epochs: batches of any source, as a network is to see it.

Training takes them as bytes, from `drawn`, and makes CIELAB of them in its
steps, on the device; `epoch` has done that already.

Everything is deterministic: equal seeds, epochs and sources give equal
batches, on any machine.
"""

import dataclasses
import os
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.data import source as source_lib
from tfcolor.data import worker_share
from tfcolor.data.drop_log import DropLog
from tfcolor.data.full_data_config import FullDataConfig

# Of the pixels that are looked at first: every eighth one, of every eighth row.
_SAMPLE = 8
# Instead of an epoch, without training.
_NO_EPOCH = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class View:
    """What a network sees of a source's examples, in training and otherwise.

    The functions are of TensorFlow. Seeds are those of `example_seeds`.

    Attributes:
        config: FullDataConfig: seed and size of a batch.
        draw: function of (seeds, example, training) to what is batched:
            squares as bytes, "rgb" uint8 [S, S, 3], and what else belongs to
            them.
        finish: function of a batch of them to (inputs, targets), CIELAB.
        side: int or None. The source squashes pictures to such squares, in
            pixels; None leaves them at their own sizes.
        prepare: function of (seeds, example, training) to an example, or None.
            What comes before nearly grey pictures are dropped.
        min_color_range: float, CIELAB; 0 keeps every picture. See
            `color_range`.
        cuts: bool. `prepare` leaves only a part of a picture, whose colors
            say nothing about the whole.
        named: bool. Batches always have names without training.
    """

    config: FullDataConfig
    draw: Callable
    finish: Callable
    side: int | None = None
    prepare: Callable | None = None
    min_color_range: float = 0.0
    cuts: bool = False
    named: bool = False

    def then(self, change: Callable) -> "View":
        """Returns the view that changes what this one makes.

        Args:
            change: function of (inputs, targets) to (inputs, targets).
        """
        return dataclasses.replace(
            self, finish=lambda batch: change(*self.finish(batch))
        )

    def finished(self, batch: dict) -> tuple[dict, dict]:
        """Makes what the network sees of a batch of `drawn`.

        Args:
            batch: dict of tensors.

        Returns:
            (inputs, targets); "name" stays, among the targets.
        """
        inputs, targets = self.finish(batch)
        named = {"name": batch["name"]} if "name" in batch else {}
        return inputs, targets | named


def epoch(source: source_lib.Source, view: View, **options) -> tf.data.Dataset:
    """Makes one epoch of batches, colors included.

    Args:
        source: Source.
        view: View.
        **options: of `drawn`.

    Returns:
        Dataset of batches of (inputs, targets).
    """
    batches = _mapped(drawn(source, view, **options), view.finished)
    return batches.prefetch(tf.data.AUTOTUNE)


def drawn(
    source: source_lib.Source,
    view: View,
    *,
    epoch: int,
    training: bool,
    steps: int | None = None,
    context: tf.distribute.InputContext | None = None,
    names: bool = False,
) -> tf.data.Dataset:
    """Makes one epoch of batches of bytes, for `View.finished`.

    Args:
        source: Source.
        view: View.
        epoch: int from 0; with the seed it fixes order and augmentation.
        training: bool. False keeps the source's order and a last smaller
            batch, does not augment, and is the same in every epoch.
        steps: int or None. Batches of an epoch of training, where the source
            repeats; None is a pass.
        context: tf.distribute.InputContext or None. The worker whose part of
            the batches it is; see `worker_share`.
        names: bool. The pictures' "name", string [B], is there too; devices
            that train know no strings.

    Returns:
        Dataset of dicts of what `view.draw` makes, [B, ...]. It does not read
        ahead.
    """
    seed = epoch_seed(view.config, epoch if training else _NO_EPOCH)
    names = names or (view.named and not training)

    def draw(index, example):
        batched = view.draw(example_seeds(seed, index), example, training)
        return batched | ({"name": example["name"]} if names else {})

    def prepare(index, example):
        return view.prepare(example_seeds(seed, index), example, training)

    asked = view.min_color_range
    if not view.cuts:
        source, asked = source.colored(asked)
    batch_size = view.config.batch_size
    count = {"count": steps and steps * batch_size} if source.repeats else {}
    dataset = source.examples(
        seed=seed if training else None,
        context=context,
        side=view.side,
        **count,
    )
    if view.prepare is not None:
        dataset = _mapped(worker_share.numbered(dataset, context), prepare)
    dataset = drop_low_color(dataset, asked, source.drop_log)
    dataset = _mapped(worker_share.numbered(dataset, context), draw)
    size = worker_share.batch_size(batch_size, context)
    return dataset.batch(size, drop_remainder=training)


def _mapped(dataset, function) -> tf.data.Dataset:
    return dataset.map(
        function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
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
        drop_log.record(os.fsdecode(name), source_lib.LOW_COLOR)
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


def _is_colored(rgb: tf.Tensor, min_color_range: float) -> tf.Tensor:
    # Some of the pixels never range farther than all of them do, and nearly
    # always far enough.
    sample = color_range(rgb[::_SAMPLE, ::_SAMPLE])
    return tf.cond(
        sample >= min_color_range,
        lambda: True,
        lambda: color_range(rgb) >= min_color_range,
    )


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
