"""The training loop.

`fit` gets a model, its losses and its data, and knows nothing else about
them. It keeps checkpoints with everything that makes a resumed run equal to
one that was never interrupted: weights, optimizer, moving average, step; the
data of step n is a function of the seed and n.
"""

import collections
import contextlib
import glob
import math
import os
import re
import shutil
import sys
import time

import keras
import numpy as np
import tensorflow as tf
import tqdm

from tfcolor import atomic
from tfcolor.training import lost_worker
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training import strategy as strategy_lib
from tfcolor.training import validate
from tfcolor.training.agreement import Agreement
from tfcolor.training.moving_average import MovingAverage
from tfcolor.training.run_folder import RunFolder
from tfcolor.training.signal_watch import SignalWatch
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
# Numbers of epochs have fewer.
_EPOCH_BITS = 32
# A loss this many times that of the first row diverges.
_GROWTH = 10


class Interrupted(Exception):
    """The run was asked to stop and has saved itself."""


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
        loop = _Loop(
            model,
            task,
            steps_per_epoch,
            min(steps_per_pass or steps_per_epoch, steps_per_epoch),
            config,
            optimizer_config,
            run,
            strategy,
        )
        with lost_worker.noticed(strategy_lib.this_worker(strategy)):
            loop.restore()
            with SignalWatch() as watch, contextlib.closing(loop.profile):
                loop.run_epochs(watch)


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


class _Loop:
    """The state of one call of `fit`."""

    def __init__(
        self,
        model,
        task,
        steps_per_epoch,
        steps_per_pass,
        config,
        optimizer_config,
        run,
        strategy,
    ):
        self._model = model
        self._task = task
        self._steps_per_epoch = steps_per_epoch
        self._steps_per_pass = steps_per_pass
        self._total = steps_per_epoch * config.epochs
        self._config = config
        self._optimizer_config = optimizer_config
        self._run = run
        self._strategy = strategy
        self._agreement = Agreement(strategy)
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
        self._rows = []
        # Losses of steps that no row is about yet.
        self._window = collections.defaultdict(list)
        self._has_warned = False
        self.profile = StepProfile(run.tensorboard, config.profile_steps)
        self._steps = Steps(
            model, self._optimizer, self._average, task, config, strategy
        )
        self._forward = tf.function(
            lambda inputs: self._model(inputs, training=False)
        )
        validate.check_best_by(model, task, config.best_by)

    # Coming and going

    def restore(self):
        """Loads the latest checkpoint, if there is one."""
        path = _latest_checkpoint(self._run.resume)
        for manager in (self._latest, self._best):
            _remove_leftovers(manager)
        if path is None:
            return
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
        self._rows = [
            row for row in self._run.read_metrics() if row["step"] <= step
        ]
        for name, values in self._run.read_pending(step).items():
            self._window[name].append(np.float32(values))
        self._run.log.info("going on at step %d of %d", step, self._total)

    def _save(self):
        step = int(self._step)
        self._check_weights(step)
        # Rows first: those later than the checkpoint are dropped on resuming.
        self._run.write_metrics(self._rows)
        self._run.write_pending(
            step, {k: _joined(v).tolist() for k, v in self._window.items()}
        )
        _save_checkpoint(self._latest, step)
        self._saved_at = time.monotonic()

    def _stop(self, watch, step):
        self._say_kept()
        signal = watch.received or "the signal of another worker"
        raise Interrupted(
            f"{signal} at step {step}; saved. The same command goes "
            "on from here."
        )

    def _decide(self, watch) -> tuple[bool, bool]:
        """Returns whether to stop, and whether to save."""
        minutes = (time.monotonic() - self._saved_at) / 60
        return self._agreement.any(
            watch.received is not None,
            minutes > self._config.checkpoint_minutes,
        )

    # The run

    def run_epochs(self, watch):
        """Trains until the last epoch or a signal."""
        step = int(self._step)
        self._saved_at = time.monotonic()
        with tqdm.tqdm(
            total=self._total,
            initial=step,
            unit="step",
            # A log file does not want a line a step.
            mininterval=0.5 if sys.stderr.isatty() else 30,
            dynamic_ncols=True,
            disable=not self._run.is_chief,
        ) as progress:
            while step < self._total:
                epoch = step // self._steps_per_epoch
                progress.set_description(
                    f"epoch {epoch + 1}/{self._config.epochs}"
                )
                step = self._run_epoch(epoch, step, progress, watch)
                last = step == self._total
                due = (epoch + 1) % self._config.validation_epochs == 0
                if last or due:
                    self._validate(epoch + 1, step)
                stop, save = self._decide(watch)
                if last or due or stop or save:
                    self._save()
                if stop and not last:
                    self._stop(watch, step)
        self._say_kept()

    def _run_epoch(self, epoch, step, progress, watch):
        end = (epoch + 1) * self._steps_per_epoch
        while step < end:
            number, done = self._place(step)
            stop = min(end, step - done + self._steps_per_pass)
            batches = self._batches(number, done)
            step = self._run_steps(batches, step, stop, progress, watch)
        return step

    def _place(self, step) -> tuple[int, int]:
        """Returns the number of the pass of a step, and its place in it.

        The first pass of an epoch has the number of the epoch; later ones
        have numbers that no epoch has.
        """
        epoch, place = divmod(step, self._steps_per_epoch)
        number, done = divmod(place, self._steps_per_pass)
        return epoch + (number << _EPOCH_BITS), done

    def _batches(self, number, done):
        """Makes an iterator over a pass, without the batches of steps done."""

        def data(context):
            # Dropped pictures can make a pass shorter than said.
            return self._task.train_data(number, context).repeat().skip(done)

        return self._steps.distribute(data)

    def _run_steps(self, batches, step, stop, progress, watch):
        window = self._window
        started, first = time.monotonic(), step
        while step < stop:
            rates = self._rates(step, stop)
            try:
                with self.profile.marked(step):
                    losses = self._steps.run(batches, rates)
            except tf.errors.OutOfRangeError as error:
                raise ValueError(
                    "The training data must fill a batch. Received: fewer than "
                    f"{self._task.batch_size} usable pictures in epoch "
                    f"{step // self._steps_per_epoch + 1}"
                ) from error
            self.profile.after_step(self._steps, batches, rates)
            for name, values in losses.items():
                window[name].append(values)
            before = step
            step = int(self._step.assign_add(len(rates)))
            progress.update(len(rates))
            every = self._config.log_steps
            is_last = step % self._steps_per_epoch == 0
            if step // every > before // every or is_last:
                seconds = time.monotonic() - started
                speed = (step - first) * self._task.batch_size / seconds
                self._log_training(step, rates[-1], speed, progress)
                window.clear()
                started, first = time.monotonic(), step
            # At the end, the epoch's validation comes before any stopping.
            if not is_last:
                self._pause(watch, step)
        return step

    def _rates(self, step, stop) -> list[float]:
        """Learning rates of the steps that are executed together."""
        stop = min(stop, step + self._config.steps_per_execution)
        return [
            optimizer_lib.learning_rate(
                self._optimizer_config,
                i,
                steps_per_epoch=self._steps_per_epoch,
                epochs=self._config.epochs,
            )
            for i in range(step, stop)
        ]

    def _pause(self, watch, step):
        """Saves and stops between two steps, where that is wanted."""
        stop, save = self._decide(watch)
        if stop or save:
            self._finite_means(step)
            self._save()
        if stop:
            self._stop(watch, step)

    def _log_training(self, step, rate, speed, progress):
        scalars = self._finite_means(step)
        self._warn_of_growth(scalars["loss"], step)
        progress.set_postfix(
            {k: f"{v:.4g}" for k, v in scalars.items()} | {"lr": f"{rate:.2g}"}
        )
        scalars |= {"learning_rate": rate, "images_per_second": speed}
        self._record(step, scalars)

    def _record(self, step, scalars):
        self._rows.append({"step": step} | scalars)
        with self._writer.as_default(step=step):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)

    def _validate(self, epoch, step):
        self._check_weights(step)
        with self._average.applied():
            scalars, pictures = validate.validate(self._forward, self._task)
            scalars = {f"validation/{k}": v for k, v in scalars.items()}
            self._record(step, scalars)
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
                _listed(scalars),
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

    def _finite_means(self, step):
        """Means of the losses since the last row; raises if one is not."""
        losses = {
            name: _joined(values) for name, values in self._window.items()
        }
        count = min(map(len, losses.values()), default=0)
        bad = [~np.isfinite(values[-count:]) for values in losses.values()]
        if np.any(bad):
            # The first of the steps that a loss is not finite at, from 1 on.
            at = step - count + 1 + int(np.any(bad, axis=0).argmax())
            found = {k: float(v[at - step - 1]) for k, v in losses.items()}
            raise FloatingPointError(
                f"The loss is not finite at step {at} ({_listed(found)})"
                f"{self._batch_of(at)}. {self._advice()}"
            )
        return {name: float(values.mean()) for name, values in losses.items()}

    def _check_weights(self, step):
        """Refuses to keep weights that are not finite."""
        if not bool(self._are_finite()):
            raise FloatingPointError(
                f"The weights are not finite after step {step}"
                f"{self._batch_of(step)}. {self._advice()}"
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
            raise FloatingPointError(
                f"The validation of epoch {epoch} is not finite "
                f"({_listed(scalars)}). {self._advice()}"
            )

    def _batch_of(self, step) -> str:
        """Says which pictures a step saw, where that is known."""
        if self._task.name_batch is None or not self._run.is_chief:
            return ""
        try:
            names = self._task.name_batch(*self._place(step - 1))
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

    def _advice(self) -> str:
        path = tf.train.latest_checkpoint(self._run.resume)
        sound = "There is no checkpoint yet"
        if path is not None:
            step = path.rpartition("-")[2]
            sound = (
                f"The last checkpoint, of step {step}, is sound, and the same "
                "command goes on from it with other flags"
            )
        return (
            "Lower --learning_rate or set --clip_norm (such as 1); "
            "--warmup_steps helps at the start, --precision=mixed_bfloat16 "
            f"instead of mixed_float16. {sound}"
        )

    def _warn_of_growth(self, loss, step):
        """Says once that the loss grows instead of falling."""
        first = next((r["loss"] for r in self._rows if "loss" in r), loss)
        if loss > _GROWTH * first > 0 and not self._has_warned:
            self._has_warned = True
            self._run.log.warning(
                "the loss has grown from %.4g to %.4g at step %d: the training "
                "diverges; lower --learning_rate or set --clip_norm",
                first,
                loss,
                step,
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
            for row in self._rows
            if row["step"] == step and "validation/loss" in row
        ]
        epoch = -(-step // self._steps_per_epoch)
        scalars = {k: v for row in found for k, v in row.items() if k != "step"}
        self._run.log.info(
            "%s is of epoch %d: %s", self._kept_name, epoch, _listed(scalars)
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


def _joined(values) -> np.ndarray:
    """The values of a loss since the last row, float32 [steps]."""
    return tf.concat(values, axis=0).numpy()


def _listed(scalars: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scalars.items())
