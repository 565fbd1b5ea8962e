"""The training loop.

`fit` gets a model, its losses and its data, and knows nothing else about
them. It keeps checkpoints with everything that makes a resumed run equal to
one that was never interrupted: weights, optimizer, moving average, step; the
data of step n is a function of the seed and n.
"""

import collections
import math
import sys
import time

import keras
import tensorflow as tf
import tqdm

from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training import validate
from tfcolor.training.moving_average import MovingAverage
from tfcolor.training.run_folder import RunFolder
from tfcolor.training.signal_watch import SignalWatch
from tfcolor.training.step_profile import StepProfile
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
        FloatingPointError: the loss is not finite.
        ValueError: the run folder holds a run of another network, or a
            dataset is empty.
    """
    loop = _Loop(
        model, task, steps_per_epoch, config, optimizer_config, run, strategy
    )
    loop.restore()
    with SignalWatch() as watch:
        try:
            loop.run_epochs(watch)
        finally:
            loop.profile.close()


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
        self._train_step = tf.function(self._distributed_step)
        self._forward = tf.function(
            lambda inputs: self._model(inputs, training=False)
        )

    # One step

    def _replica_step(self, inputs, targets):
        model, optimizer = self._model, self._optimizer
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            losses = self._share(self._task.losses(targets, outputs))
            total = tf.add_n(list(losses.values()))
            scaled = optimizer.scale_loss(total)
        gradients = tape.gradient(
            scaled,
            [v.value for v in model.trainable_variables],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        optimizer.apply(gradients, model.trainable_variables)
        measured = {}
        if self._task.train_metrics is not None:
            measured = self._share(self._task.train_metrics(targets, outputs))
        return losses | {"loss": total} | measured

    def _share(self, values):
        """Divides by the GLOBAL batch: replicas' results are added."""
        return {
            name: tf.reduce_sum(value) / self._task.batch_size
            for name, value in values.items()
        }

    def _distributed_step(self, inputs, targets):
        losses = self._strategy.run(self._replica_step, (inputs, targets))
        self._average.update()
        return {
            name: self._strategy.reduce("SUM", value, axis=None)
            for name, value in losses.items()
        }

    # Coming and going

    def restore(self):
        """Loads the latest checkpoint, if there is one."""
        path = self._latest.latest_checkpoint
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

    def _save_is_due(self):
        minutes = (time.monotonic() - self._saved_at) / 60
        return minutes > self._config.checkpoint_minutes

    def _stop(self, watch, step):
        raise Interrupted(
            f"{watch.received} at step {step}; saved. The same command goes "
            "on from here."
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
                if last or due or watch.received or self._save_is_due():
                    self._save()
                if watch.received and not last:
                    self._stop(watch, step)

    def _run_epoch(self, epoch, step, progress, watch):
        end = (epoch + 1) * self._steps_per_epoch
        done = step - epoch * self._steps_per_epoch
        # Dropped pictures can make a pass shorter than an epoch.
        data = self._task.train_data(epoch).repeat().skip(done)
        window = collections.defaultdict(list)
        started, first = time.monotonic(), step
        batches = self._strategy.experimental_distribute_dataset(data)
        for inputs, targets in batches:
            rate = optimizer_lib.learning_rate(
                self._optimizer_config,
                step,
                steps_per_epoch=self._steps_per_epoch,
                epochs=self._config.epochs,
            )
            self._optimizer.learning_rate = rate
            for name, value in self._train_step(inputs, targets).items():
                window[name].append(value)
            self.profile.after_step(self._train_step, inputs, targets)
            step = int(self._step.assign_add(1))
            progress.update()
            if step % self._config.log_steps == 0 or step == end:
                seconds = time.monotonic() - started
                speed = (step - first) * self._task.batch_size / seconds
                self._log_training(step, window, rate, speed, progress)
                window.clear()
                started, first = time.monotonic(), step
            if step == end:
                # The epoch's validation comes before any stopping.
                return step
            if watch.received or self._save_is_due():
                _finite_means(step, window)
                self._save()
            if watch.received:
                self._stop(watch, step)
        raise ValueError(
            "The training data must fill a batch. Received: fewer than "
            f"{self._task.batch_size} usable pictures in epoch {epoch + 1}"
        )

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
                self._task.save_model(self._model, self._run.model)
        if improved:
            self._best.save(checkpoint_number=step)

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
        name: float(tf.reduce_mean(tf.stack(values)))
        for name, values in window.items()
    }
    if not all(map(math.isfinite, means.values())):
        raise FloatingPointError(
            f"The loss is not finite at step {step}: {means}. Lower "
            "--learning_rate or set --clip_norm; the last checkpoint is sound."
        )
    return means
