"""Training on arrays: `loop` with a time limit, rows on the screen, a model."""

import dataclasses
import math
import time

import numpy as np

from tfcolor.training import averaged_weights
from tfcolor.training import optimizer as optimizer_lib
from tfcolor.training.loop import Loop
from tfcolor.training.loop import Plan
from tfcolor.weights import model_file
from trainers import array_steps

_SAVE_SECONDS = 60
# Kept for the last save: so many seconds, or this share of a short limit.
_RESERVE_SECONDS, _RESERVE_SHARE = 10, 0.05


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

    def save(self, averages: list[np.ndarray]) -> None:
        """Writes the model file.

        Args:
            averages: list of float32 arrays, finite; see `Steps.averages`.
        """
        variables = averaged_weights.changing(self._network)
        for variable, average in zip(variables, averages, strict=True):
            variable.assign(average)
        model_file.save(self._network, self._path, self._info)


class _ArrayFit(Loop):
    """The state of one call of `fit`."""

    goes_on = (
        "--initial_weights with its model.keras begins from there, the same "
        "command anew."
    )

    def __init__(self, plan, steps, batches, schedule, kept, clock):
        super().__init__(plan)
        self._steps, self._batches = steps, batches
        self._schedule, self._kept, self._clock = schedule, kept, clock

    def rate(self, step):
        return self._schedule.rate(step, share=self._clock.share)

    def take_steps(self, step, rates):
        (rate,) = rates
        loss = self._steps.run(next(self._batches), rate)
        if not step:
            # Until then the step was compiled.
            float(loss)
            self._clock.start()
        return {"loss": loss}

    def is_over(self):
        return self._clock.share == 1

    def save(self, step):
        averages = self._steps.averages()
        if not all(np.isfinite(average).all() for average in averages):
            raise self.not_finite(
                f"The weights are not finite after step {step}"
            )
        self._kept.save(averages)

    def show(self, step, scalars):
        print(
            f"step {step}: loss {scalars['loss']:.4f}, "
            f"rate {scalars['learning_rate']:.2e}, "
            f"{scalars['images_per_second']:.0f} pictures/s",
            flush=True,
        )

    def warn(self, text):
        print(text, flush=True)


def fit(
    steps: array_steps.Steps,
    batches,
    schedule: Schedule,
    kept: Kept,
    *,
    length: int,
    batch_size: int,
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
        batch_size: int, B.
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
    plan = Plan(
        steps=length,
        steps_per_epoch=length,
        steps_per_pass=length,
        batch_size=batch_size,
        log_steps=log_steps,
        save_seconds=_SAVE_SECONDS,
    )
    _ArrayFit(plan, steps, batches, schedule, kept, clock).run(0)
