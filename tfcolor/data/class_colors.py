"""Labelled pictures for class-conditional colorizers and their controls."""

import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.data import augment
from tfcolor.data import epochs
from tfcolor.data import memory_source
from tfcolor.data import pipelines
from tfcolor.data.full_data_config import FullDataConfig
from tfcolor.data.source import Source

CLASS_INPUTS = ("none", "true", "shuffled")


def class_color_view(
    config: FullDataConfig,
    *,
    class_input: str,
    num_classes: int,
    label_pool: np.ndarray,
) -> epochs.View:
    """Makes the view of the ensemble and its controls, of a labelled source.

    Nearly grey pictures stay: every class keeps its pictures. Without training,
    the middle is cut out.

    Args:
        config: FullDataConfig. There are no hints.
        class_input: str. "none"; "true": those of the pictures; "shuffled":
            those of other pictures, drawn at random for each picture and
            epoch.
        num_classes: int, K.
        label_pool: int array, the labels of the training pictures, from which
            "shuffled" draws.

    Returns:
        epochs.View to ({"L": float32 [B, S, S, 1]} and perhaps {"classes":
        float32 [B, K]}, {"ab": float32 [B, S, S, 2]}); without training
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

    def squares(seeds, example, training):
        del seeds, training
        return memory_source.crops_of(example, side=config.load_side)

    def draw(seeds, example, training):
        drawn = {"given": example["label"]}
        if class_input == "shuffled":
            place = tf.random.stateless_uniform(
                [], seeds[2], maxval=tf.size(pool), dtype=tf.int32
            )
            drawn["given"] = pool[place]
        if not training:
            drawn["label"] = example["label"]
        rgb = _square(example["crops"][0], config, seeds, training)
        return drawn | {"rgb": rgb}

    def finish(batch):
        L, ab = lab.batch_to_L_and_ab(batch["rgb"])
        inputs, targets = {"L": L}, {"ab": ab}
        if class_input != "none":
            inputs["classes"] = tf.one_hot(batch["given"], num_classes)
        if "label" in batch:
            targets["label"] = batch["label"]
        return inputs, targets

    return epochs.View(config, draw, finish, prepare=squares, named=True)


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
