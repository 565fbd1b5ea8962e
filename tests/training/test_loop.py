"""The rules of `loop`, with steps that take no time."""

import dataclasses
import math
import os
import signal

import pytest

from tfcolor.training.loop import Interrupted
from tfcolor.training.loop import Loop
from tfcolor.training.loop import Plan

PLAN = Plan(
    steps=6,
    steps_per_epoch=3,
    steps_per_pass=3,
    batch_size=4,
    log_steps=1,
    save_seconds=1e6,
)


class _Run(Loop):
    """Writes down what is asked of it; losses are what the test says."""

    def __init__(self, *, losses=(), signal_at=None, over_at=None, **plan):
        super().__init__(dataclasses.replace(PLAN, **plan))
        self._given, self._signal_at = losses, signal_at
        self._over_at, self.step = over_at, 0
        self.done, self.warnings = [], []

    def rate(self, step):
        return 1 / (1 + step)

    def take_steps(self, step, rates):
        taken = range(step, step + len(rates))
        self.done.append(("steps", *taken))
        self.step = taken[-1] + 1
        if self._signal_at in taken:
            os.kill(os.getpid(), signal.SIGTERM)
        values = [
            self._given[i] if i < len(self._given) else 1.0 for i in taken
        ]
        return {"loss": values}

    def is_over(self):
        return self.step == self._over_at

    def save(self, step):
        self.done.append(("save", step))

    def show(self, step, scalars):
        self.done.append(("row", step, scalars["loss"]))

    def warn(self, text):
        self.warnings.append(text)

    def begin_pass(self, number, done):
        self.done.append(("pass", number, done))

    def validate(self, epoch, step):
        self.done.append(("validate", epoch, step))

    def told(self, *kinds):
        return [event for event in self.done if event[0] in kinds]


def test_epochs_end_in_a_validation_and_a_save():
    run = _Run(log_steps=100)
    assert run.run(0) == 6
    assert run.done == [
        *(("pass", 0, 0), ("steps", 0), ("steps", 1), ("steps", 2)),
        *(("row", 3, 1.0), ("validate", 1, 3), ("save", 3)),
        *(("pass", 1, 0), ("steps", 3), ("steps", 4), ("steps", 5)),
        *(("row", 6, 1.0), ("validate", 2, 6), ("save", 6)),
    ]


def test_a_run_goes_on_in_the_middle_of_a_pass():
    run = _Run(log_steps=100)
    run.window["loss"] += [4.0]
    run.run(1)
    assert run.done[0] == ("pass", 0, 1)
    # The row is about all its steps.
    assert run.told("row")[0] == ("row", 3, 2.0)
    assert _Run().run(6) == 6


def test_a_long_epoch_is_several_passes_that_no_epoch_is():
    run = _Run(steps=10, steps_per_epoch=5, steps_per_pass=2)
    run.run(0)
    places = [event[1:] for event in run.told("pass")]
    numbers = [number for number, _ in places]
    assert len(set(numbers)) == 6 and numbers[0] == 0 and numbers[3] == 1
    assert min(numbers[1:3] + numbers[4:]) > 1000
    assert {done for _, done in places} == {0}


def test_steps_are_taken_together_but_not_beyond_a_pass():
    run = _Run(steps_per_execution=2, log_steps=2)
    run.run(0)
    assert run.told("steps") == [
        *(("steps", 0, 1), ("steps", 2)),
        *(("steps", 3, 4), ("steps", 5)),
    ]
    assert [event[1] for event in run.told("row")] == [2, 3, 5, 6]


def test_validations_may_be_rarer_than_epochs_but_not_at_the_end():
    run = _Run(steps=5, steps_per_epoch=1, steps_per_pass=1)
    rare = _Run(
        steps=5, steps_per_epoch=1, steps_per_pass=1, validation_epochs=2
    )
    for one in (run, rare):
        one.run(0)
    assert len(run.told("validate")) == 5
    assert [event[1] for event in rare.told("validate")] == [2, 4, 5]
    assert [event[1] for event in rare.told("save")] == [2, 4, 5]


@pytest.mark.parametrize(
    ("step", "validations"), [(0, 0), (1, 0), (2, 1), (3, 1)]
)
def test_a_signal_stops_after_its_step_and_saves(step, validations):
    run = _Run(signal_at=step)
    message = f"SIGTERM at step {step + 1}; saved. The same command goes on"
    with pytest.raises(Interrupted, match=message):
        run.run(0)
    assert run.done[-1] == ("save", step + 1)
    assert len(run.told("validate")) == validations


def test_a_signal_in_the_last_step_lets_the_run_end():
    run = _Run(signal_at=5)
    assert run.run(0) == 6
    assert run.told("validate", "save")[-2:] == [
        *(("validate", 2, 6), ("save", 6)),
    ]


def test_saves_come_in_between_where_time_is_up():
    run = _Run(save_seconds=-1)
    run.run(0)
    assert [event[1] for event in run.told("save")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("log_steps", [1, 2, 100])
def test_a_run_may_be_over_before_its_last_step(log_steps):
    run = _Run(over_at=4, log_steps=log_steps)
    assert run.run(0) == 4
    assert run.done[-3:] == [
        *(("row", 4, 1.0), ("validate", 2, 4), ("save", 4)),
    ]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize(
    "options", [{"log_steps": 100}, {"save_seconds": -1}, {"log_steps": 1}]
)
def test_a_loss_that_is_not_finite_is_never_saved(bad, options):
    run = _Run(losses=[1, 1, 1, 1, bad], **options)
    with pytest.raises(FloatingPointError) as raised:
        run.run(0)
    said = str(raised.value)
    assert said.startswith(f"The loss is not finite at step 5 (loss {bad})")
    assert "--learning_rate" in said and "before is sound" in said
    assert max(step for _, step in run.told("save")) <= 4


def test_a_loss_that_grows_is_warned_of_once():
    run = _Run(losses=[1, 5, 20, 30, 40, 50])
    run.run(0)
    (said,) = run.warnings
    assert "grown from 1 to 20 at step 3: the training diverges" in said
