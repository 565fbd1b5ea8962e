"""What a run trains, and for how long."""

import dataclasses
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class FitConfig:
    """Length and bookkeeping of a run.

    Attributes:
        epochs: int, length of the whole run.
        steps_per_epoch: int or None; None is one pass over the pictures. More
            are several passes, each in an order and with an augmentation of
            its own.
        log_steps: int, steps between two rows of training scalars.
        checkpoint_minutes: float, longest time between two checkpoints.
        validation_epochs: int, epochs between two validations.
        best_by: str. Validation figure by which the model that is kept is
            chosen, "loss" or a metric; "last" keeps that of the last
            validation.
        profile_steps: int, steps after the first one that TensorBoard's
            profile shows, beside the graph of a step; 0 is none.
        accumulate_steps: int. Parts that a batch is computed in, one after
            the other: their gradients are added before the weights move. The
            memory of a step is that of a part; batch normalization sees the
            parts.
        steps_per_execution: int. Steps that run without asking for signals,
            checkpoints and rows in between, for accelerators that small
            steps leave waiting.
        jit_compile: bool. Compiles a step's forward and backward pass with
            XLA.
    """

    epochs: int = 150
    steps_per_epoch: int | None = None
    log_steps: int = 50
    checkpoint_minutes: float = 5.0
    validation_epochs: int = 1
    best_by: str = "loss"
    profile_steps: int = 0
    accumulate_steps: int = 1
    steps_per_execution: int = 1
    jit_compile: bool = False

    def __post_init__(self):
        """Refuses counts below 1."""
        for name in (
            *("epochs", "steps_per_epoch", "log_steps", "validation_epochs"),
            *("accumulate_steps", "steps_per_execution"),
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value}"
                )


@dataclasses.dataclass(frozen=True)
class Task:
    """What is trained, in functions of the data's and the model's dicts.

    Attributes:
        train_data: function of the number of a pass and a
            tf.distribute.InputContext to a Dataset of what `finish` takes, the
            same batches whenever it is asked again: of B examples, or of W
            workers each its part of every batch, B / W examples. The first
            pass of an epoch has the number of the epoch, int from 0; another
            one of the same epoch has a number that no other pass has.
        validation_data: Dataset of what `finish` takes.
        losses: function of (targets, outputs) to a dict of float32 [B].
        metrics: function of (inputs, targets, outputs) to such a dict.
        observe: function without arguments that begins a validation, and
            returns what looks at it for TensorBoard: its `add(inputs, targets,
            outputs)` is called for each batch, then its `pictures()`, a dict
            from tags to uint8 tensors [N, H, W, 3].
        batch_size: int, pictures a global batch.
        save_model: function of (model, path).
        finish: function of a batch of the data to (inputs, targets). It is a
            part of the step, on its device.
        train_metrics: function of (targets, outputs) to a dict of float32
            [B], measured in each step of the training too; None is nothing.
        higher_is_better: names of metrics that grow when a model gets better.
        floors: dict from the name of a metric to that of another one, which a
            model that has learned anything beats, such as "psnr" and
            "grey_psnr".
        name_batch: function of the number of a pass and the place of a batch
            in it, int from 0, to a list of str: what the pictures of that
            batch are called. Asked when a loss is not finite; None is not
            known.
    """

    train_data: Callable
    validation_data: tf.data.Dataset
    losses: Callable
    metrics: Callable
    observe: Callable
    batch_size: int
    save_model: Callable
    finish: Callable = lambda batch: batch
    train_metrics: Callable | None = None
    higher_is_better: Collection[str] = ()
    floors: Mapping[str, str] = dataclasses.field(default_factory=dict)
    name_batch: Callable | None = None
