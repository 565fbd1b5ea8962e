import dataclasses
import signal

import numpy as np
import pytest

from tests.training import run_files
from tests.training import tiny_run
from tests.training.tiny_run import TinyRun
from tests.training.tiny_run import interrupt_in
from tfcolor.training.loop import Interrupted


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tmp_path, whole, number
):
    run = TinyRun(epochs=3, on_epoch=interrupt_in(1, signals=[number]))
    with pytest.raises(Interrupted, match="at step 4; saved"):
        run.start(tmp_path)
    assert len(run_files.column(tmp_path, "loss")) == 4
    TinyRun(epochs=3).start(tmp_path)
    assert "going on at step 4 of 9" in (tmp_path / "train.log").read_text()
    run_files.assert_same_run(whole, tmp_path)


@pytest.mark.slow
def test_a_run_goes_on_within_a_later_pass_of_an_epoch(tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run = TinyRun(epochs=1, steps=5, steps_per_pass=2)
    run.start(whole)
    second_pass = 1 << 32
    with pytest.raises(Interrupted, match="at step 3; saved"):
        dataclasses.replace(run, on_epoch=interrupt_in(second_pass)).start(
            stopped
        )
    numbers = []
    dataclasses.replace(run, on_epoch=numbers.append).start(stopped)
    assert numbers == [second_pass, 2 * second_pass]
    run_files.assert_same_run(whole, stopped)


def test_an_interruption_at_the_end_of_an_epoch_validates_first(tmp_path):
    run = TinyRun(epochs=2, steps=1, on_epoch=interrupt_in(0))
    with pytest.raises(Interrupted, match="at step 1; saved"):
        run.start(tmp_path)
    assert len(run_files.column(tmp_path, "validation/loss")) == 1
    assert (tmp_path / "model.keras").exists()


@pytest.mark.slow
def test_an_interruption_in_the_last_step_lets_the_run_end(tmp_path):
    TinyRun(epochs=1, steps=1, on_epoch=interrupt_in(0)).start(tmp_path)
    assert len(run_files.column(tmp_path, "validation/loss")) == 1


def test_a_second_signal_stops_at_once_and_handlers_come_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    on_epoch = interrupt_in(0, signals=[signal.SIGINT] * 2)
    with pytest.raises(KeyboardInterrupt):
        TinyRun(on_epoch=on_epoch).start(tmp_path)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, whole):
    killed = run_files.program(tmp_path, "kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    # Killed in the validation after step 6: the steps since 3 are lost.
    assert run_files.latest(tmp_path)["step/.ATTRIBUTES/VARIABLE_VALUE"] == 3
    TinyRun(epochs=3).start(tmp_path)
    run_files.assert_same_run(whole, tmp_path)


def test_checkpoints_that_a_killed_run_left_in_pieces_are_removed(tmp_path):
    TinyRun(epochs=1).start(tmp_path)
    latest = tmp_path / "checkpoints" / "latest"
    before = {path.name for path in latest.iterdir()}
    for name in (
        *("ckpt-1.index", "ckpt-2.data-00000-of-00001", "checkpoint.tmp1"),
        *("ckpt-3.index.tempstate1", "mine.txt"),
    ):
        (latest / name).write_text("half")
    (latest / "ckpt-4_temp").mkdir()
    (latest / "ckpt-4_temp" / "part-00000-of-00001.index").write_text("half")
    TinyRun(epochs=1).start(tmp_path)
    assert {path.name for path in latest.iterdir()} == before | {"mine.txt"}


@pytest.mark.slow
def test_a_finished_run_started_again_changes_nothing(tmp_path):
    run = TinyRun(epochs=1)
    run.start(tmp_path)
    before = run_files.latest(tmp_path)
    model = run.start(tmp_path)
    assert run_files.latest(tmp_path).keys() == before.keys()
    kernel = model.get_layer("first").kernel
    stored = [v for v in before.values() if v.shape == kernel.shape]
    assert any(np.array_equal(kernel, value) for value in stored)


@pytest.mark.slow
def test_more_epochs_make_a_finished_run_go_on(tmp_path):
    TinyRun(epochs=1).start(tmp_path)
    TinyRun(epochs=2).start(tmp_path)
    assert run_files.column(tmp_path, "step")[-1] == 6


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"filters": 5}, {"normalized": False}])
def test_another_network_in_the_same_folder_is_refused(tmp_path, options):
    TinyRun(epochs=1).start(tmp_path)
    with pytest.raises(ValueError, match="its network must not change"):
        TinyRun(epochs=2, **options).start(tmp_path)


@pytest.mark.slow
def test_signals_are_heard_between_executions(tmp_path):
    run = TinyRun(
        steps=4,
        on_epoch=interrupt_in(0),
        config_options={"steps_per_execution": 3},
    )
    with pytest.raises(Interrupted, match="at step 3; saved"):
        run.start(tmp_path)
    dataclasses.replace(run, on_epoch=tiny_run.nothing).start(tmp_path)
    assert [row["step"] for row in run_files.rows(tmp_path) if row["loss"]] == [
        *("3", "4", "7", "8"),
    ]


@pytest.mark.long
def test_a_row_after_an_interruption_is_about_all_its_steps(tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    TinyRun(epochs=2, steps=5, log_steps=5).start(whole)
    calls = []

    def data(epoch, count):
        # Asked for the second epoch's data once more after the interruption.
        calls.append(epoch)
        return tiny_run.batches(epoch, count)

    run = TinyRun(epochs=2, steps=5, log_steps=5, data=data)
    with pytest.raises(Interrupted, match="at step 6; saved"):
        dataclasses.replace(run, on_epoch=interrupt_in(1)).start(stopped)
    run.start(stopped)
    assert calls == [0, 1, 1]
    for name in ("loss", "huber"):
        np.testing.assert_allclose(
            run_files.column(stopped, name),
            run_files.column(whole, name),
            rtol=1e-5,
        )
