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
import sys
import time

import keras
import tensorflow as tf
import tqdm

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

    Raises:
        Interrupted: SIGINT or SIGTERM came; a checkpoint was written.
        WorkerLost: another worker of the job is gone.
        FloatingPointError: the loss is not finite.
        ValueError: the run folder holds a run of another network, or a
            dataset is empty.
    """
    loop = _Loop(
        model, task, steps_per_epoch, config, optimizer_config, run, strategy
    )
    with lost_worker.noticed(strategy_lib.this_worker(strategy)):
        loop.restore()
        with SignalWatch() as watch, contextlib.closing(loop.profile):
            loop.run_epochs(watch)


def _latest_checkpoint(folder: str) -> str | None:
    """Finds the latest checkpoint in a folder, and never one elsewhere.

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
        if glob.glob(os.path.join(glob.escape(folder), "*.index")):
            raise _damaged(folder, "none of them is named as the latest")
        return None
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
        config,
        optimizer_config,
        run,
        strategy,
    ):
        self._model = model
        self._task = task
        self._steps_per_epoch = steps_per_epoch
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
        self._latest = tf.train.CheckpointManager(
            checkpoint, run.latest, max_to_keep=2
        )
        self._best = tf.train.CheckpointManager(
            checkpoint, run.best, max_to_keep=1
        )
        self._writer = tf.summary.create_file_writer(run.tensorboard)
        self._rows = []
        self.profile = StepProfile(run.tensorboard, config.profile_steps)
        self._steps = Steps(
            model, self._optimizer, self._average, task, config, strategy
        )
        self._forward = tf.function(
            lambda inputs: self._model(inputs, training=False)
        )

    # Coming and going

    def restore(self):
        """Loads the latest checkpoint, if there is one."""
        path = _latest_checkpoint(self._run.resume)
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
        self._run.log.info("going on at step %d of %d", step, self._total)

    def _save(self):
        # Rows first: those later than the checkpoint are dropped on resuming.
        self._run.write_metrics(self._rows)
        self._latest.save(checkpoint_number=int(self._step))
        self._saved_at = time.monotonic()

    def _stop(self, watch, step):
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

    def _run_epoch(self, epoch, step, progress, watch):
        end = (epoch + 1) * self._steps_per_epoch
        done = step - epoch * self._steps_per_epoch

        def data(context):
            # Dropped pictures can make a pass shorter than an epoch.
            return self._task.train_data(epoch, context).repeat().skip(done)

        window = collections.defaultdict(list)
        started, first = time.monotonic(), step
        batches = self._steps.distribute(data)
        while step < end:
            rates = self._rates(step, end)
            try:
                with self.profile.marked(step):
                    losses = self._steps.run(batches, rates)
            except tf.errors.OutOfRangeError as error:
                raise ValueError(
                    "The training data must fill a batch. Received: fewer than "
                    f"{self._task.batch_size} usable pictures in epoch "
                    f"{epoch + 1}"
                ) from error
            self.profile.after_step(self._steps, batches, rates)
            for name, values in losses.items():
                window[name].append(values)
            before = step
            step = int(self._step.assign_add(len(rates)))
            progress.update(len(rates))
            every = self._config.log_steps
            if step // every > before // every or step == end:
                seconds = time.monotonic() - started
                speed = (step - first) * self._task.batch_size / seconds
                self._log_training(step, window, rates[-1], speed, progress)
                window.clear()
                started, first = time.monotonic(), step
            # At the end, the epoch's validation comes before any stopping.
            if step < end:
                self._pause(watch, step, window)
        return step

    def _rates(self, step, end) -> list[float]:
        """Learning rates of the steps that are executed together."""
        stop = min(end, step + self._config.steps_per_execution)
        return [
            optimizer_lib.learning_rate(
                self._optimizer_config,
                i,
                steps_per_epoch=self._steps_per_epoch,
                epochs=self._config.epochs,
            )
            for i in range(step, stop)
        ]

    def _pause(self, watch, step, window):
        """Saves and stops between two steps, where that is wanted."""
        stop, save = self._decide(watch)
        if stop or save:
            _finite_means(step, window)
            self._save()
        if stop:
            self._stop(watch, step)

    def _log_training(self, step, window, rate, speed, progress):
        scalars = _finite_means(step, window)
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
        with self._average.applied():
            scalars, pictures = validate.validate(self._forward, self._task)
            scalars = {f"validation/{k}": v for k, v in scalars.items()}
            self._record(step, scalars)
            with self._writer.as_default(step=step):
                for tag, drawn in pictures.items():
                    tf.summary.image(tag, drawn, max_outputs=8)
            self._writer.flush()
            self._run.log.info(
                "epoch %d: %s",
                epoch,
                ", ".join(f"{k} {v:.4g}" for k, v in scalars.items()),
            )
            cost = self._cost(scalars)
            improved = cost is None or cost < float(self._best_cost)
            if improved:
                self._best_cost.assign(float("inf") if cost is None else cost)
                self._save_model()
        if improved:
            self._best.save(checkpoint_number=step)

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
        if f"validation/{name}" not in scalars:
            known = [k.removeprefix("validation/") for k in scalars]
            raise ValueError(
                f"`best_by` must be 'last' or one of {known}. "
                f"Received: best_by={name!r}"
            )
        sign = -1 if name in self._task.higher_is_better else 1
        return sign * scalars[f"validation/{name}"]


def _finite_means(step, window):
    """Means of the losses since the last row; raises if one is not finite."""
    means = {
        name: float(tf.reduce_mean(tf.concat(values, 0)))
        for name, values in window.items()
    }
    if not all(map(math.isfinite, means.values())):
        raise FloatingPointError(
            f"The loss is not finite at step {step}: {means}. Lower "
            "--learning_rate or set --clip_norm; the last checkpoint is sound."
        )
    return means
