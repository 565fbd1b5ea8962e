"""Training on a TensorFlow strategy: `loop` with checkpoints and validations.

`fit` gets a model, its losses and its data, and knows nothing else about
them. It keeps checkpoints with everything that makes a resumed run equal to
one that was never interrupted: weights, optimizer, moving average, step; the
data of step n is a function of the seed and n.
"""

import contextlib
import glob
import math
import os
import re
import shutil
import sys

import keras
import numpy as np
import tensorflow as tf
import tqdm

from tfcolor import atomic
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training import strategy as strategy_lib
from tfcolor.training import validate
from tfcolor.training import workers
from tfcolor.training.loop import Loop
from tfcolor.training.loop import Plan
from tfcolor.training.loop import joined
from tfcolor.training.loop import listed
from tfcolor.training.moving_average import MovingAverage
from tfcolor.training.run_folder import RunFolder
from tfcolor.training.step_profile import StepProfile
from tfcolor.training.steps import Steps
from tfcolor.training.task import FitConfig
from tfcolor.training.task import Task

# What TensorFlow makes of a file system that is full, read-only or gone.
_NOT_WRITTEN = (
    tf.errors.DataLossError,
    tf.errors.NotFoundError,
    tf.errors.OutOfRangeError,
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,
    tf.errors.UnknownError,
)
_CHECKPOINT_FILE = r"(ckpt-\d+)(?:\.index|\.data-\d{5}-of-\d{5})"
# Pictures of a batch that an error names.
_NAMED = 16


def fit(
    model: keras.Model,
    task: Task,
    *,
    steps_per_epoch: int,
    config: FitConfig,
    optimizer_config: optimizer_lib.OptimizerConfig,
    run: RunFolder,
    strategy: tf.distribute.Strategy,
    steps_per_pass: int | None = None,
) -> None:
    """Trains a model, or goes on where the run folder says it stopped.

    Args:
        model: keras.Model, built in the scope of `strategy`.
        task: Task.
        steps_per_epoch: int.
        config: FitConfig.
        optimizer_config: OptimizerConfig.
        run: RunFolder.
        strategy: tf.distribute.Strategy.
        steps_per_pass: int or None. Where an epoch is longer, it is several
            passes over the data, each in an order and with an augmentation of
            its own. None: the data of an epoch are as long as it is.

    Raises:
        Interrupted: SIGINT or SIGTERM came; a checkpoint was written.
        WorkerLost: another worker of the job is gone.
        FloatingPointError: a loss, the weights or a validation are not
            finite. The last checkpoint is sound.
        OSError: a file cannot be written; the last checkpoint is whole. Or
            another process trains in the run folder.
        ValueError: the run folder holds a run of another network, a dataset
            is empty, or validation has no figure of the name `best_by`.
    """
    # Other workers write to folders of their own.
    alone = atomic.held(run.path) if run.is_chief else contextlib.nullcontext()
    with alone:
        plan = Plan(
            steps=steps_per_epoch * config.epochs,
            steps_per_epoch=steps_per_epoch,
            steps_per_pass=min(
                steps_per_pass or steps_per_epoch, steps_per_epoch
            ),
            batch_size=task.batch_size,
            log_steps=config.log_steps,
            save_seconds=60 * config.checkpoint_minutes,
            validation_epochs=config.validation_epochs,
            steps_per_execution=config.steps_per_execution,
        )
        loop = _Fit(model, task, plan, config, optimizer_config, run, strategy)
        with workers.noticed(strategy_lib.this_worker(strategy)):
            step = loop.restore()
            with contextlib.closing(loop.profile):
                loop.run_from(step)


def _latest_checkpoint(folder: str) -> str | None:
    """Finds the latest checkpoint in a folder, and never one elsewhere.

    One alone that nobody named is the first of a process that was killed before
    it could: its index, which is written last, is there.

    Raises:
        ValueError: there are checkpoints, and which is the latest is not
            said, or another place is named.
    """
    try:
        found = tf.train.latest_checkpoint(folder)
    except Exception as error:
        # Of many kinds, on a damaged file that names it.
        raise _damaged(folder, error) from error
    if found is None:
        indices = glob.glob(os.path.join(glob.escape(folder), "*.index"))
        named = os.path.exists(os.path.join(folder, "checkpoint"))
        if len(indices) > 1 or (indices and named):
            raise _damaged(folder, "none of them is named as the latest")
        return indices[0].removesuffix(".index") if indices else None
    if os.path.realpath(os.path.dirname(found)) != os.path.realpath(folder):
        raise _damaged(folder, f"the latest is said to be {found!r}")
    return found


def _damaged(path: str, reason) -> ValueError:
    return ValueError(
        "The checkpoints of a run must be whole and in its folder; without "
        f"them it begins anew. Received: {path!r} ({reason})"
    )


class _Fit(Loop):
    """The state of one call of `fit`."""

    advice = (
        f"{Loop.advice}, --precision=mixed_bfloat16 instead of mixed_float16"
    )

    def __init__(
        self, model, task, plan, config, optimizer_config, run, strategy
    ):
        super().__init__(plan)
        self._model = model
        self._task = task
        self._config = config
        self._optimizer_config = optimizer_config
        self._run = run
        self._strategy = strategy
        self._agreement = workers.Agreement(strategy)
        with strategy.scope():
            self._optimizer = optimizer_lib.build_optimizer(optimizer_config)
            self._optimizer.build(model.trainable_variables)
            self._average = MovingAverage(model, optimizer_config.ema_momentum)
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        # The loss, or a metric times -1 where higher is better.
        self._best_cost = tf.Variable(float("inf"), trainable=False)
        checkpoint = tf.train.Checkpoint(
            model=model,
            optimizer=self._optimizer,
            average=self._average,
            step=self._step,
            best_loss=self._best_cost,
        )
        # A manager reads what is there.
        for folder in (run.latest, run.best):
            _latest_checkpoint(folder)
        self._latest = tf.train.CheckpointManager(
            checkpoint, run.latest, max_to_keep=2
        )
        self._best = tf.train.CheckpointManager(
            checkpoint, run.best, max_to_keep=1
        )
        self._writer = tf.summary.create_file_writer(run.tensorboard)
        self.profile = StepProfile(run.tensorboard, config.profile_steps)
        self._steps = Steps(
            model, self._optimizer, self._average, task, config, strategy
        )
        self._predict = tf.function(self._finished_and_predicted)
        validate.check_best_by(model, task, config.best_by)

    def _finished_and_predicted(self, batch):
        inputs, targets = self._task.finish(batch)
        return inputs, targets, self._model(inputs, training=False)

    # Coming and going

    def restore(self) -> int:
        """Loads the latest checkpoint, if any; returns its step."""
        path = _latest_checkpoint(self._run.resume)
        for manager in (self._latest, self._best):
            _remove_leftovers(manager)
        if path is None:
            return 0
        try:
            status = self._latest.checkpoint.restore(path)
            status.assert_existing_objects_matched()
        except (ValueError, AssertionError) as error:
            raise ValueError(
                "A run folder must hold one run: its network must not change. "
                f"Received: {self._run.path!r} with another network ({error})"
            ) from error
        except (tf.errors.OpError, IndexError) as error:
            raise _damaged(path, error) from error
        step = int(self._step)
        self.rows = [
            row for row in self._run.read_metrics() if row["step"] <= step
        ]
        for name, values in self._run.read_pending(step).items():
            self.window[name].append(np.float32(values))
        self._run.log.info("going on at step %d of %d", step, self.plan.steps)
        return step

    def save(self, step):
        self._check_weights(step)
        # Rows first: those later than the checkpoint are dropped on resuming.
        self._run.write_metrics(self.rows)
        self._run.write_pending(
            step, {k: joined(v).tolist() for k, v in self.window.items()}
        )
        _save_checkpoint(self._latest, step)

    def before_stopping(self, step):
        self._say_kept()

    def any(self, *wishes):
        return self._agreement.any(*wishes)

    # The run

    def run_from(self, step):
        """Trains until the last epoch or a signal, with a progress bar."""
        with tqdm.tqdm(
            total=self.plan.steps,
            initial=step,
            unit="step",
            # A log file does not want a line a step.
            mininterval=0.5 if sys.stderr.isatty() else 30,
            dynamic_ncols=True,
            disable=not self._run.is_chief,
        ) as self._progress:
            self.run(step)
        self._say_kept()

    def begin_epoch(self, epoch):
        self._progress.set_description(
            f"epoch {epoch + 1}/{self._config.epochs}"
        )

    def begin_pass(self, number, done):
        def data(context):
            # Dropped pictures can make a pass shorter than said.
            return self._task.train_data(number, context).repeat().skip(done)

        self._batches = self._steps.distribute(data)

    def rate(self, step):
        return optimizer_lib.learning_rate(
            self._optimizer_config,
            step,
            steps_per_epoch=self.plan.steps_per_epoch,
            epochs=self._config.epochs,
        )

    def take_steps(self, step, rates):
        try:
            with self.profile.marked(step):
                losses = self._steps.run(self._batches, rates)
        except tf.errors.OutOfRangeError as error:
            raise ValueError(
                "The training data must fill a batch. Received: fewer than "
                f"{self._task.batch_size} usable pictures in epoch "
                f"{step // self.plan.steps_per_epoch + 1}"
            ) from error
        self.profile.after_step(self._steps, self._batches, rates)
        self._step.assign_add(len(rates))
        self._progress.update(len(rates))
        return losses

    def show(self, step, scalars):
        rate = scalars["learning_rate"]
        self._progress.set_postfix(
            {
                name: f"{value:.4g}"
                for name, value in scalars.items()
                if name not in ("learning_rate", "images_per_second")
            }
            | {"lr": f"{rate:.2g}"}
        )
        self._write_scalars(step, scalars)

    def warn(self, text):
        self._run.log.warning("%s", text)

    def _write_scalars(self, step, scalars):
        with self._writer.as_default(step=step):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)

    def validate(self, epoch, step):
        self._check_weights(step)
        with self._average.applied():
            scalars, pictures = validate.validate(self._predict, self._task)
            scalars = {f"validation/{k}": v for k, v in scalars.items()}
            self.rows.append({"step": step} | scalars)
            self._write_scalars(step, scalars)
            with self._writer.as_default(step=step):
                for tag, drawn in pictures.items():
                    tf.summary.image(tag, drawn, max_outputs=8)
            self._writer.flush()
            cost = self._cost(scalars)
            self._check_validation(scalars, cost, epoch)
            improved = cost is None or cost < float(self._best_cost)
            self._run.log.info(
                "epoch %d: %s%s",
                epoch,
                listed(scalars),
                f"; {self._kept_name} is of this epoch" if improved else "",
            )
            if improved:
                self._best_cost.assign(float("inf") if cost is None else cost)
                self._save_model()
        if improved:
            _save_checkpoint(self._best, step)

    def _save_model(self):
        # A model is used where there is one replica.
        strategy_lib.synchronize_batch_norm(self._model, False)
        self._task.save_model(self._model, self._run.model)
        several = self._strategy.num_replicas_in_sync > 1
        strategy_lib.synchronize_batch_norm(self._model, several)

    def _cost(self, scalars):
        """What the kept model is best by: lower is better; None is the last."""
        name = self._config.best_by
        if name == "last":
            return None
        sign = -1 if name in self._task.higher_is_better else 1
        return sign * scalars[f"validation/{name}"]

    # What is wrong, and what is kept

    def _check_weights(self, step):
        """Refuses to keep weights that are not finite."""
        if not bool(self._are_finite()):
            raise self.not_finite(
                f"The weights are not finite after step {step}"
                f"{self.batch_of(step)}"
            )

    @tf.function
    def _are_finite(self):
        variables = self._model.trainable_variables
        return tf.reduce_all(
            [tf.reduce_all(tf.math.is_finite(v.value)) for v in variables]
        )

    def _check_validation(self, scalars, cost, epoch):
        loss = scalars["validation/loss"]
        if not math.isfinite(loss) or not math.isfinite(cost or 0):
            raise self.not_finite(
                f"The validation of epoch {epoch} is not finite "
                f"({listed(scalars)})"
            )

    def batch_of(self, step):
        if self._task.name_batch is None or not self._run.is_chief:
            return ""
        try:
            names = self._task.name_batch(*self.plan.place(step - 1))
        except (OSError, ValueError, tf.errors.OpError):
            # What is wrong with the data is not what is to be said.
            return ""
        if len(names) > _NAMED:
            self._run.log.info(
                "pictures of step %d: %s", step, ", ".join(names)
            )
            more = f" and {len(names) - _NAMED} more, which train.log names"
        else:
            more = ""
        return f", for the pictures {', '.join(names[:_NAMED])}{more}"

    def sound(self):
        path = tf.train.latest_checkpoint(self._run.resume)
        if path is None:
            return "There is no checkpoint yet"
        step = path.rpartition("-")[2]
        return (
            f"The last checkpoint, of step {step}, is sound, and the same "
            "command goes on from it with other flags"
        )

    @property
    def _kept_name(self) -> str:
        return os.path.basename(self._run.model)

    def _say_kept(self):
        """Says which epoch the kept model is of, and whether it is any good."""
        path = tf.train.latest_checkpoint(self._run.best)
        if path is None:
            return
        step = int(path.rpartition("-")[2])
        found = [
            row
            for row in self.rows
            if row["step"] == step and "validation/loss" in row
        ]
        epoch = -(-step // self.plan.steps_per_epoch)
        scalars = {k: v for row in found for k, v in row.items() if k != "step"}
        self._run.log.info(
            "%s is of epoch %d: %s", self._kept_name, epoch, listed(scalars)
        )
        for name, floor in self._task.floors.items():
            value = scalars.get(f"validation/{name}", math.nan)
            least = scalars.get(f"validation/{floor}", math.nan)
            sign = 1 if name in self._task.higher_is_better else -1
            if sign * value <= sign * least:
                self._run.log.warning(
                    "%s is no better than nothing: %s %.4g, %s %.4g; train "
                    "longer, on more pictures, or with another --learning_rate",
                    self._kept_name,
                    name,
                    value,
                    floor,
                    least,
                )


def _save_checkpoint(manager: tf.train.CheckpointManager, step: int) -> None:
    try:
        manager.save(checkpoint_number=step)
    except _NOT_WRITTEN as error:
        raise OSError(
            f"A checkpoint cannot be written to {manager.directory}: "
            f"{error.message.strip().splitlines()[0]}. The one before it is "
            "whole; once there is room, the same command goes on from there."
        ) from error


def _remove_leftovers(manager: tf.train.CheckpointManager) -> None:
    """Removes checkpoints that a killed run began to write or to remove."""
    if not os.path.isdir(manager.directory):
        return
    latest = _latest_checkpoint(manager.directory)
    kept = {
        os.path.basename(path)
        for path in [*manager.checkpoints, latest]
        if path
    }
    for entry in list(os.scandir(manager.directory)):
        whole = re.fullmatch(_CHECKPOINT_FILE, entry.name)
        if whole and whole[1] in kept:
            continue
        if entry.name.startswith("ckpt-") and entry.is_dir():
            shutil.rmtree(entry.path)
        elif entry.name.startswith(("ckpt-", "checkpoint.")):
            os.remove(entry.path)
