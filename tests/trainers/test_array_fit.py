import math
import os
import time

import keras
import numpy as np
import pytest

from tests.trainers import array_backend
from tfcolor.data import packs
from tfcolor.training import averaged_weights
from tfcolor.training import optimizer
from tfcolor.training.loop import Interrupted
from tfcolor.weights import model_file
from trainers import array_fit


@pytest.mark.parametrize("warmup_steps", [0, 7])
@pytest.mark.parametrize("name", ["cosine", "constant", "halving"])
def test_rates_are_those_of_other_trainers(name, warmup_steps):
    config = optimizer.OptimizerConfig(
        schedule=name, warmup_steps=warmup_steps, halve_at="0.3,0.8"
    )
    schedule = array_fit.Schedule(config, steps=50, steps_per_pass=9)
    for step in range(50):
        expected = optimizer.learning_rate(
            config, step, steps_per_epoch=50, epochs=1
        )
        assert schedule.rate(step) == pytest.approx(expected)


# As long as given, and shortened to a third of the run.
@pytest.mark.parametrize("decay_epochs", [2, 50])
def test_passes_are_the_epochs_of_the_released_schedule(decay_epochs):
    config = optimizer.OptimizerConfig(
        decay_epochs=decay_epochs, warmup_steps=3
    )
    schedule = array_fit.Schedule(config, steps=45, steps_per_pass=9)
    assert "the last 2 of 5 passes" in schedule.note()
    for step in range(45):
        expected = optimizer.learning_rate(
            config, step, steps_per_epoch=9, epochs=5
        )
        assert schedule.rate(step) == pytest.approx(expected)


def test_rates_follow_the_time_where_that_is_further():
    config = optimizer.OptimizerConfig(schedule="cosine", warmup_steps=10)
    schedule = array_fit.Schedule(config, steps=1000, steps_per_pass=9)
    half = config.learning_rate / 2
    assert schedule.rate(500) == pytest.approx(half)
    assert schedule.rate(20, share=0.5) == pytest.approx(half)
    assert schedule.rate(500, share=0.2) == pytest.approx(half)
    assert schedule.rate(20, share=1.0) == pytest.approx(0.0)
    # Warming up goes by steps.
    assert schedule.rate(4, share=0.5) == pytest.approx(half / 2)


class _Time:
    """A clock that goes on only when told."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def test_the_share_of_time_begins_after_the_first_step(monkeypatch):
    passing = _Time(monkeypatch)
    clock = array_fit.Clock(10)
    passing.now += 90
    assert clock.share == 0
    clock.start()
    assert clock.share == 0
    # Ten seconds are kept for the last save.
    passing.now += 250
    assert clock.share == pytest.approx(0.5)
    passing.now += 251
    assert clock.share == 1


def test_without_a_limit_no_time_is_over(monkeypatch):
    passing = _Time(monkeypatch)
    clock = array_fit.Clock(None)
    clock.start()
    passing.now += 1e6
    assert clock.share == 0


# The loop


class _Steps:
    """Steps without a network: weight and loss are what the test says."""

    def __init__(self, network, *, losses=(), seconds=0.0, time=None):
        self._weights = averaged_weights.changing(network)
        self._given, self._seconds, self._time = losses, seconds, time
        self.rates, self.value = [], 0.0

    def run(self, chosen, rate):
        self.rates.append(rate)
        self.value = float(len(self.rates))
        if self._time:
            self._time.now += self._seconds
        done = len(self.rates)
        return self._given[done - 1] if done <= len(self._given) else 1.0

    def averages(self):
        return [np.full(w.shape, self.value) for w in self._weights]


def _fit(folder, *, length, minutes=None, log_steps=10, **options):
    network = array_backend.network()
    steps = _Steps(network, **options)
    path = os.path.join(folder, "model.keras")
    config = optimizer.OptimizerConfig(schedule="cosine")
    array_fit.fit(
        steps,
        packs.batches(9, batch_size=2, seed=0),
        array_fit.Schedule(config, steps=length, steps_per_pass=4),
        array_fit.Kept(network, path, model_file.ModelInfo()),
        length=length,
        batch_size=2,
        clock=array_fit.Clock(minutes),
        log_steps=log_steps,
    )
    return steps


def _kept_value(folder):
    model = keras.saving.load_model(os.path.join(folder, "model.keras"))
    return float(np.mean(model.get_layer("ab").get_weights()[0]))


@pytest.fixture(autouse=True)
def _save_without_architecture(monkeypatch):
    def save(model, path, info):
        model.save(path)

    monkeypatch.setattr(model_file, "save", save)


def test_minutes_end_a_run_in_time(tmp_path, monkeypatch):
    passing = _Time(monkeypatch)
    steps = _fit(tmp_path, length=10**6, minutes=10, seconds=2, time=passing)
    assert 580 <= passing.now - 100 <= 600
    assert steps.rates[-1] < 1e-4 * steps.rates[1]
    assert steps.rates == sorted(steps.rates, reverse=True)
    assert _kept_value(tmp_path) == len(steps.rates)


def test_a_step_is_taken_however_short_the_time_is(tmp_path, monkeypatch):
    passing = _Time(monkeypatch)
    steps = _fit(tmp_path, length=9, minutes=0.01, seconds=2, time=passing)
    assert len(steps.rates) == 1 and _kept_value(tmp_path) == 1


def test_no_time_is_refused(tmp_path, monkeypatch):
    passing = _Time(monkeypatch)
    clock = array_fit.Clock(1)
    passing.now += 60
    monkeypatch.setattr(array_fit, "Clock", lambda minutes: clock)
    with pytest.raises(ValueError, match="--minutes must.*Received"):
        _fit(tmp_path, length=9)
    assert not os.listdir(tmp_path)


def test_rows_tell_the_mean_since_the_row_before(tmp_path, capsys):
    _fit(tmp_path, length=5, log_steps=2, losses=[4, 2, 1, 2, 7])
    rows = capsys.readouterr().out.splitlines()
    assert [row.split(",")[0] for row in rows] == [
        "step 2: loss 3.0000",
        "step 4: loss 1.5000",
        "step 5: loss 7.0000",
    ]


def test_a_save_may_follow_a_row_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(array_fit, "_SAVE_SECONDS", -1)
    _fit(tmp_path, length=2, log_steps=1)
    assert _kept_value(tmp_path) == 2


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("save_seconds", [0, 60])
def test_a_loss_that_is_not_finite_stops_and_is_not_saved(
    tmp_path, monkeypatch, bad, save_seconds
):
    _fit(tmp_path, length=2)
    monkeypatch.setattr(array_fit, "_SAVE_SECONDS", save_seconds)
    with pytest.raises(
        FloatingPointError, match="not finite at step 3 .*before"
    ):
        _fit(tmp_path, length=9, losses=[1, 1, bad])
    assert _kept_value(tmp_path) == 2


def test_weights_that_are_not_finite_are_not_saved(tmp_path, monkeypatch):
    _fit(tmp_path, length=2)
    monkeypatch.setattr(
        _Steps, "averages", lambda self: [np.array([1.0, np.nan])]
    )
    with pytest.raises(FloatingPointError, match="The weights are not"):
        _fit(tmp_path, length=1)
    assert _kept_value(tmp_path) == 2


def test_a_signal_saves_and_says_so(tmp_path, monkeypatch):
    run = _Steps.run

    def run_and_signal(self, chosen, rate):
        if len(self.rates) == 3:
            os.kill(os.getpid(), 15)
        return run(self, chosen, rate)

    monkeypatch.setattr(_Steps, "run", run_and_signal)
    with pytest.raises(Interrupted, match="SIGTERM at step 4"):
        _fit(tmp_path, length=9)
    assert _kept_value(tmp_path) == 4
