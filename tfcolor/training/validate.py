"""One validation: a pass over the held-out data."""

import collections
from collections.abc import Callable

import tensorflow as tf

# The sum of the losses.
_LOSS = "loss"


def check_best_by(model, task, name: str) -> None:
    """Refuses to choose a model by a figure that no validation has.

    Args:
        model: keras.Model.
        task: `Task`.
        name: str; see `FitConfig.best_by`.

    Raises:
        ValueError: there is no such figure.
    """
    # Always there: nothing need be found out.
    if name in ("last", _LOSS):
        return

    def figures(batch):
        inputs, targets = task.finish(batch)
        outputs = model(inputs, training=False)
        losses = task.losses(targets, outputs)
        return losses | task.metrics(inputs, targets, outputs)

    # Nothing is computed.
    traced = tf.function(figures).get_concrete_function(
        task.validation_data.element_spec
    )
    known = [_LOSS, *traced.structured_outputs]
    if name not in known:
        raise ValueError(
            f"`best_by` must be 'last' or one of {known}. "
            f"Received: best_by={name}"
        )


def validate(predict: Callable, task) -> tuple[dict[str, float], dict]:
    """Measures a model.

    Args:
        predict: function of a batch of the validation data to (inputs,
            targets, outputs).
        task: `Task`.

    Returns:
        dict from the names of losses and metrics to means over the pictures,
        with the sum of the losses as "loss"; dict from tags to uint8 tensors
        [N, H, W, 3], pictures for TensorBoard.

    Raises:
        ValueError: the validation data are empty.
    """
    sums, count = collections.defaultdict(float), 0
    observer = task.observe()
    for batch in task.validation_data:
        inputs, targets, outputs = predict(batch)
        losses = task.losses(targets, outputs)
        values = losses | task.metrics(inputs, targets, outputs)
        values[_LOSS] = tf.add_n(list(losses.values()))
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
