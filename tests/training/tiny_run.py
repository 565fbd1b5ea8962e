"""A training run of seconds: a tiny network that learns a color from L.

Run as a program it is one run in a process of its own, which can be killed:

    python -m tests.training.tiny_run WORKDIR {kill,mirrored}
"""

import dataclasses
import functools
import os
import signal
import sys
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfcolor.losses import objective
from tfcolor.metrics import colorizer_metrics
from tfcolor.training import fit
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training import validation_pictures
from tfcolor.training.loop import Interrupted
from tfcolor.training.run_folder import RunFolder
from tfcolor.training.task import FitConfig
from tfcolor.training.task import Task
from tfcolor.weights import model_file

STEPS, BATCH = 3, 4
OPTIMIZER = optimizer_lib.OptimizerConfig(
    learning_rate=0.01, schedule="cosine", ema_momentum=0.9
)
CLIPPED = dataclasses.replace(OPTIMIZER, clip_norm=0.5)


def nothing(*unused):
    """What happens at an epoch or a validation if a test wants nothing."""


@dataclasses.dataclass(frozen=True)
class TinyRun:
    """Everything a test may want to change about the run.

    Attributes:
        epochs: int.
        steps: int, steps an epoch.
        steps_per_pass: int or None, steps a pass over the data.
        filters: int, width of the network.
        normalized: bool, whether the network has a batch normalization.
        data: function of (epoch, count) to a Dataset of batches.
        on_epoch: function of the epoch, called before its data is made.
        on_validation: function, called in each validation.
        optimizer: OptimizerConfig.
        log_steps: int.
        checkpoint_minutes: float.
        validation_epochs: int.
        best_by: str.
        profile_steps: int.
        task_options: dict, more of the task.
        config_options: dict, more of the FitConfig.
        strategy: tf.distribute.Strategy or None.
    """

    epochs: int = 2
    steps: int = STEPS
    steps_per_pass: int | None = None
    filters: int = 4
    normalized: bool = True
    data: Callable = lambda epoch, count: batches(epoch, count)
    on_epoch: Callable = nothing
    on_validation: Callable = nothing
    optimizer: optimizer_lib.OptimizerConfig = OPTIMIZER
    log_steps: int = 1
    checkpoint_minutes: float = 60.0
    validation_epochs: int = 1
    best_by: str = "loss"
    profile_steps: int = 0
    task_options: dict = dataclasses.field(default_factory=dict)
    config_options: dict = dataclasses.field(default_factory=dict)
    strategy: tf.distribute.Strategy | None = None

    def start(self, workdir) -> keras.Model:
        """Trains in a folder, or goes on there; returns the model."""
        keras.utils.set_random_seed(1)
        strategy = self.strategy or tf.distribute.get_strategy()
        with strategy.scope():
            model = network(self.filters, self.normalized)
        fit.fit(
            model,
            self._task(),
            steps_per_epoch=self.steps,
            steps_per_pass=self.steps_per_pass,
            config=FitConfig(
                epochs=self.epochs,
                log_steps=self.log_steps,
                checkpoint_minutes=self.checkpoint_minutes,
                validation_epochs=self.validation_epochs,
                best_by=self.best_by,
                profile_steps=self.profile_steps,
                **self.config_options,
            ),
            optimizer_config=self.optimizer,
            run=RunFolder(str(workdir)),
            strategy=strategy,
        )
        return model

    def _task(self):
        def train_data(epoch, context):
            self.on_epoch(epoch)
            whole = self.data(epoch, self.steps * BATCH)
            workers = context.num_input_pipelines
            if workers == 1:
                return whole
            part = whole.unbatch().shard(workers, context.input_pipeline_id)
            return part.batch(BATCH // workers, drop_remainder=True)

        def metrics(inputs, targets, outputs):
            self.on_validation()
            return colorizer_metrics(inputs, targets, outputs)

        options = {
            "train_data": train_data,
            "validation_data": batches(1000, 6),
            "losses": objective.objective(objective.ObjectiveConfig()),
            "metrics": metrics,
            "observe": validation_pictures.FirstTriples,
            "batch_size": BATCH,
            "save_model": functools.partial(
                model_file.save, info=model_file.ModelInfo("tiny", 8)
            ),
        }
        return Task(**options | self.task_options)


def network(filters, normalized) -> keras.Model:
    """From L to ab, with or without a batch normalization."""
    L = keras.Input((None, None, 1), name="L")
    x = keras.layers.Rescaling(1 / 100)(L)
    x = keras.layers.Conv2D(
        filters, 3, padding="same", activation="relu", name="first"
    )(x)
    if normalized:
        x = keras.layers.BatchNormalization(momentum=0.9, name="bn")(x)
    x = keras.layers.Conv2D(2, 1, name="second", dtype="float32")(x)
    return keras.Model({"L": L}, {"ab": 100 * x})


def batches(epoch, count) -> tf.data.Dataset:
    """Batches of pictures whose color follows from their lightness."""
    rng = np.random.default_rng(epoch)
    L = rng.uniform(10, 90, [count, 8, 8, 1]).astype(np.float32)
    ab = np.concatenate([L / 2, 20 - L / 4], -1)
    dataset = tf.data.Dataset.from_tensor_slices(({"L": L}, {"ab": ab}))
    return dataset.batch(BATCH)


def drawn(epoch, count) -> tf.data.Dataset:
    """`batches` of one dict, which `finishing` takes apart in the step."""
    return batches(epoch, count).map(lambda inputs, targets: inputs | targets)


def finishing() -> dict:
    """Options of a task whose data are `drawn`."""
    return {
        "finish": lambda batch: ({"L": batch["L"]}, {"ab": batch["ab"]}),
        "validation_data": drawn(1000, 6),
    }


def kill_in_the_second_validation() -> Callable:
    """Makes an `on_validation` that ends the process as `kill -9` does."""
    calls = []

    def on_validation():
        calls.append(None)
        # A validation has two batches.
        if len(calls) > 2:
            os.kill(os.getpid(), signal.SIGKILL)

    return on_validation


def _mirrored() -> tf.distribute.Strategy:
    """Two copies on one CPU; must come before anything uses TensorFlow."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)
    from tfcolor.training import strategy as strategy_lib

    return strategy_lib.build_strategy("mirrored")


def interrupt_in(*epochs, signals=(signal.SIGINT,)) -> Callable:
    """Makes an `on_epoch` that sends this process signals."""

    def on_epoch(epoch):
        if epoch in epochs:
            for number in signals:
                os.kill(os.getpid(), number)

    return on_epoch


def _start_mirrored(workdir):
    """Runs on two devices: interrupted, in parts, in float16."""
    run = TinyRun(optimizer=CLIPPED, strategy=_mirrored())
    if run.strategy.num_replicas_in_sync != 2:
        sys.exit("two replicas were expected")
    try:
        dataclasses.replace(run, on_epoch=interrupt_in(1)).start(workdir)
    except Interrupted:
        run.start(workdir)
    dataclasses.replace(
        run,
        normalized=False,
        config_options={"accumulate_steps": 2},
        data=drawn,
        task_options=finishing(),
    ).start(f"{workdir}_in_parts")
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    dataclasses.replace(run, steps=6).start(f"{workdir}_float16")


if __name__ == "__main__":
    if sys.argv[2] == "mirrored":
        _start_mirrored(sys.argv[1])
    else:
        TinyRun(epochs=3, on_validation=kill_in_the_second_validation()).start(
            sys.argv[1]
        )
