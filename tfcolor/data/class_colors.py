"""Labelled pictures for colorizers that are told, or find out, the class.

As in `pipelines`, everything is a function of source, seed and epoch.
"""

import numpy as np
import tensorflow as tf

from tfcolor.data import augment
from tfcolor.data import crop_memory
from tfcolor.data import pipelines
from tfcolor.data import worker_share

CLASS_INPUTS = ("none", "true", "shuffled")
# A seed of its own: validation has no epoch.
_VALIDATION_SEED = 2**31 - 1


def class_color_dataset(
    source,
    config: pipelines.FullDataConfig,
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
        source: source with labels; see `crop_memory.crop_examples`.
        config: FullDataConfig. There are no hints.
        class_input: str. "none"; "true": the classes are told; "shuffled":
            those of other pictures, drawn at random for each picture and
            epoch, are told instead.
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
    seed = pipelines.epoch_seed(config, epoch if training else _VALIDATION_SEED)
    pool = tf.constant(label_pool, tf.int64)

    def told_label(example, draw_seed):
        if class_input == "true":
            return example["label"]
        place = tf.random.stateless_uniform(
            [], draw_seed, maxval=tf.size(pool), dtype=tf.int32
        )
        return pool[place]

    def example(index, example):
        seeds = pipelines.example_seeds(seed, index)
        rgb = _square(example["crops"][0], config, seeds, training)
        L, ab = pipelines.split_lab(rgb)
        inputs, targets = {"L": L}, {"ab": ab}
        if class_input != "none":
            label = told_label(example, seeds[2])
            inputs["classes"] = tf.one_hot(label, num_classes)
        if not training:
            targets["label"] = example["label"]
        named = pipelines.with_name(example, names or not training)
        return inputs, targets | named

    dataset = crop_memory.crop_examples(
        source,
        side=config.load_side,
        seed=seed if training else None,
        count=steps and steps * config.batch_size,
        context=context,
    )
    dataset = worker_share.numbered(dataset, context).map(
        example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return pipelines.batched(
        dataset, config, training=training, context=context
    ).prefetch(tf.data.AUTOTUNE)


def _square(rgb, config, seeds, training) -> tf.Tensor:
    """Cuts the network's square out of one of `config.load_side`."""
    size = config.image_size
    if not training:
        rgb = tf.image.resize_with_crop_or_pad(rgb, size, size)
        return tf.ensure_shape(rgb, [size, size, 3])
    rgb = augment.random_crop(rgb, seeds[0], size=size)
    return augment.random_flip(rgb, seeds[1]) if config.flip else rgb


def read_labels(source) -> np.ndarray:
    """Returns the labels of a source, int64 array [N].

    Args:
        source: source with labels.
    """
    known = getattr(source, "labels", None)
    if known is None:
        labels = source.examples().map(lambda example: example["label"])
        known = list(labels.as_numpy_iterator())
    return np.asarray(known, np.int64)
