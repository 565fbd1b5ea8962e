"""The loop of every training, on any backend.

It says when rows are logged, when a run is validated, saved and stopped, and
what is wrong; a subclass says how. It needs no TensorFlow.
"""

import collections
import dataclasses
import signal
import time

import numpy as np
from keras import ops

# Numbers of epochs have fewer.
_EPOCH_BITS = 32
# A loss this many times that of the first row diverges.
_GROWTH = 10


class Interrupted(Exception):
    """The run was asked to stop and has saved itself."""


class WorkerLost(Exception):
    """Another worker of the job is gone, and with it the run."""


class SignalWatch:
    """Turns SIGINT and SIGTERM into a question that the loop asks.

    A context manager, for the main thread. A second signal raises
    KeyboardInterrupt: at once.

    Attributes:
        received: str or None, the name of the signal that came.
    """

    def __enter__(self):
        self.received = None
        self._before = {
            number: signal.signal(number, self._note)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *unused):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name


@dataclasses.dataclass(frozen=True)
class Plan:
    """Length and bookkeeping of a run.

    Attributes:
        steps: int, of the whole run.
        steps_per_epoch: int.
        steps_per_pass: int. Where an epoch is longer, it is several passes
            over the data.
        batch_size: int, pictures of a step.
        log_steps: int, steps between two rows.
        save_seconds: float, longest time between two checkpoints.
        validation_epochs: int, epochs between two validations.
        steps_per_execution: int, steps that are taken together.
    """

    steps: int
    steps_per_epoch: int
    steps_per_pass: int
    batch_size: int
    log_steps: int
    save_seconds: float
    validation_epochs: int = 1
    steps_per_execution: int = 1

    def place(self, step: int) -> tuple[int, int]:
        """Returns the number of the pass of a step, and its place in it.

        The first pass of an epoch has the number of the epoch; later ones
        have numbers that no epoch has.
        """
        epoch, place = divmod(step, self.steps_per_epoch)
        number, done = divmod(place, self.steps_per_pass)
        return epoch + (number << _EPOCH_BITS), done


class Loop:
    """A run: what it does between two steps, and in which order.

    Args:
        plan: Plan.

    Attributes:
        plan: Plan.
        rows: list of dict, the figures so far, each with "step".
        window: dict from the name of a loss to its values in steps that no
            row is about yet, each an array or tensor, float32 [] or [steps].
    """

    # How a run that was stopped goes on, for people.
    goes_on = "The same command goes on from here."
    # What helps where something is not finite.
    advice = (
        "Lower --learning_rate or set --clip_norm (such as 1); --warmup_steps "
        "helps at the start"
    )

    def __init__(self, plan: Plan):
        self.plan = plan
        self.rows = []
        self.window = collections.defaultdict(list)
        self._has_warned = self._is_over = False
        self._saved_at = time.monotonic()

    # What a subclass must say

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step, from 0 on."""
        raise NotImplementedError

    def take_steps(self, step: int, rates: list[float]) -> dict:
        """Takes a step for each rate; returns their losses for the window."""
        raise NotImplementedError

    def save(self, step: int) -> None:
        """Saves what the run goes on from; raises where weights are bad."""
        raise NotImplementedError

    def show(self, step: int, scalars: dict[str, float]) -> None:
        """Shows a row of training figures."""
        raise NotImplementedError

    def warn(self, text: str) -> None:
        """Says something that is wrong, in a line."""
        raise NotImplementedError

    # What it may say

    def begin_epoch(self, epoch: int) -> None:
        """Notes that an epoch begins, or goes on; its number is from 0."""

    def begin_pass(self, number: int, done: int) -> None:
        """Makes the data of a pass ready, without those of steps done."""

    def validate(self, epoch: int, step: int) -> None:
        """Validates after an epoch, from 1 on."""

    def before_stopping(self, step: int) -> None:
        """Says what there is to say once a stopped run is saved."""

    def is_over(self) -> bool:
        """Tells after a step whether the run ends, whatever the plan is."""
        return False

    def any(self, *wishes: bool) -> tuple[bool, ...]:
        """Tells for each wish whether any worker of the job has it."""
        return wishes

    def batch_of(self, step: int) -> str:
        """Says which pictures a step saw, from 1 on, where that is known."""
        return ""

    def sound(self) -> str:
        """Says what is left after an error."""
        return "What was saved before is sound"

    # The run

    def run(self, step: int) -> int:
        """Trains until the last step or a signal.

        Args:
            step: int, how many steps there were.

        Returns:
            int, how many there are now.

        Raises:
            Interrupted: SIGINT or SIGTERM came; the run is saved.
            FloatingPointError: a loss or the weights are not finite; what was
                saved before is sound.
        """
        plan = self.plan
        self._saved_at = time.monotonic()
        with SignalWatch() as watch:
            last = step >= plan.steps
            while not last:
                epoch = step // plan.steps_per_epoch
                self.begin_epoch(epoch)
                step = self._run_epoch(epoch, step, watch)
                last = step == plan.steps or self._is_over
                due = last or (epoch + 1) % plan.validation_epochs == 0
                if due:
                    self.validate(epoch + 1, step)
                stop, save = self._decide(watch)
                if due or stop or save:
                    self._save(step)
                if stop and not last:
                    self._stop(watch, step)
        return step

    def _run_epoch(self, epoch, step, watch):
        end = (epoch + 1) * self.plan.steps_per_epoch
        while step < end and not self._is_over:
            number, done = self.plan.place(step)
            self.begin_pass(number, done)
            stop = min(end, step - done + self.plan.steps_per_pass)
            step = self._run_pass(step, stop, watch)
        return step

    def _run_pass(self, step, stop, watch):
        started, first = time.monotonic(), step
        while step < stop and not self._is_over:
            together = min(stop - step, self.plan.steps_per_execution)
            rates = [self.rate(i) for i in range(step, step + together)]
            for name, values in self.take_steps(step, rates).items():
                self.window[name].append(values)
            before, step = step, step + together
            self._is_over = self.is_over()
            every = self.plan.log_steps
            is_last = step % self.plan.steps_per_epoch == 0 or self._is_over
            if step // every > before // every or is_last:
                seconds = max(1e-9, time.monotonic() - started)
                speed = (step - first) * self.plan.batch_size / seconds
                self.log(step, rates[-1], speed)
                started, first = time.monotonic(), step
            # At the end, the epoch's validation comes before any stopping.
            if not is_last:
                self._pause(watch, step)
        return step

    def _pause(self, watch, step):
        """Saves and stops between two steps, where that is wanted."""
        stop, save = self._decide(watch)
        if stop or save:
            self.finite_means(step)
            self._save(step)
        if stop:
            self._stop(watch, step)

    def _decide(self, watch) -> tuple[bool, bool]:
        """Returns whether to stop, and whether to save."""
        seconds = time.monotonic() - self._saved_at
        return self.any(
            watch.received is not None, seconds > self.plan.save_seconds
        )

    def _save(self, step):
        self.save(step)
        self._saved_at = time.monotonic()

    def _stop(self, watch, step):
        self.before_stopping(step)
        signal = watch.received or "the signal of another worker"
        raise Interrupted(f"{signal} at step {step}; saved. {self.goes_on}")

    # Rows, and what is wrong

    def log(self, step: int, rate: float, speed: float) -> None:
        """Makes a row of the losses since the last one.

        Args:
            step: int, how many steps there were.
            rate: float, the last learning rate.
            speed: float, pictures a second.
        """
        scalars = self.finite_means(step)
        self._warn_of_growth(scalars["loss"], step)
        scalars |= {"learning_rate": rate, "images_per_second": speed}
        self.rows.append({"step": step} | scalars)
        self.show(step, scalars)
        self.window.clear()

    def finite_means(self, step: int) -> dict[str, float]:
        """Returns the means of the losses since the last row.

        Args:
            step: int, how many steps there were.

        Raises:
            FloatingPointError: a loss is not finite.
        """
        losses = {name: joined(v) for name, v in self.window.items()}
        count = min(map(len, losses.values()), default=0)
        bad = [~np.isfinite(values[-count:]) for values in losses.values()]
        if np.any(bad):
            # The first of the steps that a loss is not finite at, from 1 on.
            at = step - count + 1 + int(np.any(bad, axis=0).argmax())
            found = {k: float(v[at - step - 1]) for k, v in losses.items()}
            raise self.not_finite(
                f"The loss is not finite at step {at} ({listed(found)})"
                f"{self.batch_of(at)}"
            )
        return {name: float(values.mean()) for name, values in losses.items()}

    def not_finite(self, what: str) -> FloatingPointError:
        """Makes the error of a run that has diverged.

        Args:
            what: str, the sentence that says what is not finite.
        """
        return FloatingPointError(f"{what}. {self.advice}. {self.sound()}")

    def _warn_of_growth(self, loss, step):
        """Says once that the loss grows instead of falling."""
        first = next((r["loss"] for r in self.rows if "loss" in r), loss)
        if loss > _GROWTH * first > 0 and not self._has_warned:
            self._has_warned = True
            self.warn(
                f"the loss has grown from {first:.4g} to {loss:.4g} at step "
                f"{step}: the training diverges; lower --learning_rate or set "
                "--clip_norm"
            )


def joined(values: list) -> np.ndarray:
    """Joins the values of a loss since the last row.

    Args:
        values: list of tensors or arrays, float32 [] or [steps].

    Returns:
        float32 array [all steps].
    """
    return np.concatenate(
        [np.atleast_1d(ops.convert_to_numpy(value)) for value in values]
    ).astype(np.float32)


def listed(scalars: dict[str, float]) -> str:
    """Returns figures as a line for people."""
    return ", ".join(f"{name} {value:.4g}" for name, value in scalars.items())
