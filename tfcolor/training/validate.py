"""One validation: a pass over the held-out data."""

import collections
from collections.abc import Callable

import tensorflow as tf


def validate(forward: Callable, task) -> tuple[dict[str, float], dict]:
    """Measures a model.

    Args:
        forward: function of inputs to outputs.
        task: `fit.Task`.

    Returns:
        dict from the names of losses and metrics to means over the pictures,
        with the sum of the losses as "loss"; dict from tags to uint8 tensors
        [N, H, W, 3], pictures for TensorBoard.

    Raises:
        ValueError: the validation data are empty.
    """
    sums, count = collections.defaultdict(float), 0
    observer = task.observe()
    for inputs, targets in task.validation_data:
        outputs = forward(inputs)
        losses = task.losses(targets, outputs)
        values = losses | task.metrics(inputs, targets, outputs)
        values["loss"] = tf.add_n(list(losses.values()))
        for name, value in values.items():
            sums[name] += float(tf.reduce_sum(value))
        count += int(value.shape[0])
        observer.add(inputs, targets, outputs)
    if not count:
        raise ValueError(
            "The validation data must have a picture. Received: none"
        )
    means = {name: total / count for name, total in sums.items()}
    return means, observer.pictures()
