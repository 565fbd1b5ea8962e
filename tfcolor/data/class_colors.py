"""Labelled pictures for class-conditional colorizers and their controls."""

import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.data import augment
from tfcolor.data import crop_memory
from tfcolor.data import epochs
from tfcolor.data import pipelines
from tfcolor.data.full_data_config import FullDataConfig
from tfcolor.data.source import Source

CLASS_INPUTS = ("none", "true", "shuffled")
# A seed of its own: validation has no epoch.
_VALIDATION_SEED = 2**31 - 1


def class_color_dataset(
    source,
    config: FullDataConfig,
    *,
    class_input: str,
    num_classes: int,
    label_pool: np.ndarray,
    epoch: int,
    training: bool,
    steps: int | None = None,
    context: tf.distribute.InputContext | None = None,
    names: bool = False,
) -> tf.data.Dataset:
    """Makes one epoch of batches for the ensemble and its controls.

    Nearly grey pictures stay: every class keeps its pictures.

    Args:
        source: Source with labels, such as a CropMemory.
        config: FullDataConfig. There are no hints.
        class_input: str. "none"; "true": those of the pictures; "shuffled":
            those of other pictures, drawn at random for each picture and
            epoch.
        num_classes: int, K.
        label_pool: int array, the labels of the training pictures, from which
            "shuffled" draws.
        epoch: int from 0; with the seed it fixes order and augmentation.
        training: bool. False keeps the source's order and a last smaller
            batch, cuts the middle out, and does not augment.
        steps: int or None. Batches of an epoch from memory; None is a pass.
        context: tf.distribute.InputContext or None; see `worker_share`.
        names: bool. Training batches have the pictures' "name", string [B],
            among their targets; devices that train know no strings.

    Returns:
        Dataset of ({"L": float32 [B, S, S, 1]} and perhaps {"classes":
        float32 [B, K]}, {"ab": float32 [B, S, S, 2]}); without `training`
        "label", int64 [B], and "name", string [B], are beside "ab".

    Raises:
        ValueError: `class_input` is not known.
    """
    if class_input not in CLASS_INPUTS:
        raise ValueError(
            f"`class_input` must be one of {CLASS_INPUTS}. "
            f"Received: class_input={class_input!r}"
        )
    pool = tf.constant(label_pool, tf.int64)

    def squares(seeds, example):
        del seeds
        return crop_memory.crops_of(example, side=config.load_side)

    def draw(seeds, example):
        rgb = _square(example["crops"][0], config, seeds, training)
        given = example["label"]
        if class_input == "shuffled":
            place = tf.random.stateless_uniform(
                [], seeds[2], maxval=tf.size(pool), dtype=tf.int32
            )
            given = pool[place]
        return {"rgb": rgb, "label": example["label"], "given": given}

    def finish(batch):
        L, ab = lab.batch_to_L_and_ab(batch["rgb"])
        inputs, targets = {"L": L}, {"ab": ab}
        if class_input != "none":
            inputs["classes"] = tf.one_hot(batch["given"], num_classes)
        if not training:
            targets["label"] = batch["label"]
        return inputs, targets

    return epochs.epoch(
        source,
        epochs.View(draw, finish, prepare=squares),
        config,
        epoch=epoch if training else _VALIDATION_SEED,
        training=training,
        context=context,
        names=names or not training,
        count=steps and steps * config.batch_size,
    )


def _square(rgb, config, seeds, training) -> tf.Tensor:
    """Cuts the network's square out of one of `config.load_side`."""
    if not training:
        return pipelines.middle(rgb, config.image_size)
    rgb = augment.random_crop(rgb, seeds[0], size=config.image_size)
    return augment.random_flip(rgb, seeds[1]) if config.flip else rgb


def read_labels(source: Source) -> np.ndarray:
    """Returns the labels of a source, int64 array [N].

    Args:
        source: Source with labels.
    """
    known = source.labels
    if known is None:
        labels = source.examples().map(lambda example: example["label"])
        known = list(labels.as_numpy_iterator())
    return np.asarray(known, np.int64)
