"""The loop of `trainers.train_on_arrays`: rates, time limit, rows and saves."""

import dataclasses
import math
import time

import numpy as np

from tfcolor.training import averaged_weights
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training.signal_watch import SignalWatch
from tfcolor.weights import model_file
from trainers import array_steps

_SAVE_SECONDS = 60
# Kept for the last save: so many seconds, or this share of a short limit.
_RESERVE_SECONDS, _RESERVE_SHARE = 10, 0.05


class Interrupted(Exception):
    """The run was asked to stop and has saved itself."""


class Clock:
    """How much of a time limit is over.

    The share is that of the time from the end of the first step on: reading
    and compiling come before it.

    Args:
        minutes: float or None, from now on; None is no limit.
    """

    def __init__(self, minutes: float | None):
        self.minutes = minutes
        seconds = math.inf if minutes is None else 60 * minutes
        reserve = min(_RESERVE_SECONDS, _RESERVE_SHARE * seconds)
        self._end = time.monotonic() + seconds - reserve
        self._begin = None

    def start(self) -> None:
        """Says that the first step is over."""
        self._begin = time.monotonic()

    @property
    def share(self) -> float:
        """Share of the time that is over, 0..1; 1 is the end."""
        now = time.monotonic()
        if now >= self._end:
            return 1.0
        if self._begin is None or math.isinf(self._end):
            return 0.0
        return (now - self._begin) / (self._end - self._begin)


class Schedule:
    """The learning rates of `optimizer.learning_rate`, within a time limit.

    Args:
        config: OptimizerConfig.
        steps: int, length of the run.
        steps_per_pass: int, of a pass over the pictures: an epoch of the
            released schedule.
    """

    def __init__(self, config, *, steps: int, steps_per_pass: int):
        # Warming up goes by steps, whatever the time is.
        self._config = dataclasses.replace(config, warmup_steps=0)
        self._warmup = max(1, config.warmup_steps)
        self._steps = steps
        self._epochs = 1
        if config.schedule == "released":
            self._epochs = max(1, round(steps / steps_per_pass))

    def note(self) -> str:
        """Says in a line what an epoch of the schedule is, where it has any."""
        if self._config.schedule != "released":
            return ""
        last = optimizer_lib.decay_epochs(self._config, epochs=self._epochs)
        return (
            f"the rate falls over the last {last} of {self._epochs} passes "
            "over the pictures"
        )

    def rate(self, step: int, *, share: float = 0.0) -> float:
        """Returns the rate of a step.

        Args:
            step: int from 0.
            share: float 0..1, of the time that is over.

        Returns:
            float.
        """
        rate = optimizer_lib.learning_rate(
            self._config,
            max(step, int(share * self._steps)),
            steps_per_epoch=-(-self._steps // self._epochs),
            epochs=self._epochs,
        )
        return rate * min(1.0, (step + 1) / self._warmup)


class Kept:
    """The model file of a run, of averaged weights in float32.

    Args:
        network: keras.Model as the trained one, built in float32; it gets the
            averages.
        path: str, ending in `.keras`.
        info: ModelInfo.
    """

    def __init__(self, network, path, info):
        self._network, self._path, self._info = network, path, info
        self.saved_at = time.monotonic()

    def save(self, steps: array_steps.Steps) -> None:
        """Writes the model file.

        Args:
            steps: Steps.

        Raises:
            FloatingPointError: the weights are not finite; the file stays as
                it was.
        """
        averages = steps.averages()
        if not all(np.isfinite(average).all() for average in averages):
            raise _not_finite("The weights are")
        variables = averaged_weights.changing(self._network)
        for variable, average in zip(variables, averages, strict=True):
            variable.assign(average)
        model_file.save(self._network, self._path, self._info)
        self.saved_at = time.monotonic()


def _not_finite(what: str) -> FloatingPointError:
    return FloatingPointError(
        f"{what} not finite, and were not saved. Lower --learning_rate or set "
        "--clip_norm (such as 1); --warmup_steps helps at the start"
    )


class Rows:
    """The rows on the screen: mean losses since the row before."""

    def __init__(self):
        self._losses, self._rates, self._pictures = [], [], 0
        self._since = time.monotonic()

    def add(self, loss, rate: float, pictures: int) -> None:
        """Notes a step; its loss is not read yet."""
        self._losses.append(loss)
        self._rates.append(rate)
        self._pictures += pictures

    def check(self, step: int) -> None:
        """Waits for the device, and looks at the losses since the last row.

        Args:
            step: int, how many there were, for the error.

        Raises:
            FloatingPointError: a loss is not finite.
        """
        self._losses = [float(loss) for loss in self._losses]
        bad = np.flatnonzero(~np.isfinite(self._losses))
        if len(bad):
            at = step - len(self._losses) + 1 + int(bad[0])
            raise _not_finite(f"The losses from step {at} on are")

    def say(self, step: int) -> None:
        """Prints a row, and begins the next one; see `check`."""
        if not self._losses:
            return
        self.check(step)
        mean, rate = np.mean(self._losses), self._rates[-1]
        speed = self._pictures / max(1e-9, time.monotonic() - self._since)
        print(
            f"step {step}: loss {mean:.4f}, rate {rate:.2e}, "
            f"{speed:.0f} pictures/s",
            flush=True,
        )
        self.__init__()


def fit(
    steps: array_steps.Steps,
    batches,
    schedule: Schedule,
    kept: Kept,
    *,
    length: int,
    clock: Clock,
    log_steps: int,
) -> None:
    """Trains until the steps or the time are over, and saves.

    Args:
        steps: Steps.
        batches: iterator over int arrays [B], places of pictures.
        schedule: Schedule.
        kept: Kept.
        length: int, steps.
        clock: Clock.
        log_steps: int, steps between two rows.

    Raises:
        FloatingPointError: a loss or the weights are not finite; the model
            file is the one before.
        Interrupted: SIGINT or SIGTERM came; the model file is of then.
        ValueError: the time is over before the first step.
    """
    if clock.share == 1:
        raise ValueError(
            "--minutes must be longer than it takes to read pictures and "
            f"weights. Received: --minutes={clock.minutes}"
        )
    rows, done = Rows(), 0
    with SignalWatch() as watch:
        while done < length and not watch.received:
            share = clock.share
            if done and share == 1:
                break
            rate, chosen = schedule.rate(done, share=share), next(batches)
            loss = steps.run(chosen, rate)
            rows.add(loss, rate, len(chosen))
            done += 1
            if done == 1:
                rows.check(done)
                clock.start()
            if done % log_steps == 0:
                rows.say(done)
            if time.monotonic() - kept.saved_at > _SAVE_SECONDS:
                rows.check(done)
                kept.save(steps)
        rows.say(done)
        kept.save(steps)
    if watch.received and done < length:
        raise Interrupted(
            f"{watch.received} at step {done}; saved. --initial_weights with "
            "its model.keras begins from there, the same command anew."
        )
