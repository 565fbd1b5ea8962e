"""Jobs of two real processes equal one process on the same batches."""

import csv
import dataclasses
import os
import pathlib
import random
import signal
import time

import numpy as np
import pytest
from absl.testing import flagsaver

from tests import drawn
from tests.faults import disks
from tests.training import jobs
from tfcolor.weights import model_file
from trainers import train_full

pytestmark = pytest.mark.long
# Until the others of a worker that hangs have ended.
_MAX_SECONDS = 120
FLAGS = {
    "width": "0.0625",
    "image_size": "32",
    "batch_size": "4",
    "epochs": "3",
    "steps_per_epoch": "5",
    "log_steps": "1",
    "flip": "true",
    "learning_rate": "0.0002",
    "schedule": "constant",
    "clip_norm": "5",
    "ema_momentum": "0.9",
    "class_weight": "0.2",
    "rebalance": "0.5",
}


@dataclasses.dataclass(frozen=True)
class Runs:
    """Where the pictures are and two runs on them: one process, two."""

    folder: pathlib.Path

    def flags(self, workdir) -> dict[str, str]:
        """The flags of a run in a folder."""
        return FLAGS | {
            "images": str(self.folder / "images"),
            "validation_images": str(self.folder / "held_out"),
            "workdir": str(workdir),
        }

    def start(self, workdir, **more):
        """Starts a job of two processes in a folder."""
        logs = workdir.with_suffix(".logs")
        logs.mkdir(exist_ok=True)
        flags = self.flags(workdir) | {"strategy": "multi_worker"} | more
        return jobs.start(
            "trainers.train_full",
            [f"--{name}={value}" for name, value in flags.items()],
            workers=2,
            logs=logs,
        )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = Runs(tmp_path_factory.mktemp("runs"))
    drawn.write_album(runs.folder / "images", 22, side=40)
    drawn.write_album(runs.folder / "held_out", 3, side=40)
    with flagsaver.as_parsed(**runs.flags(runs.folder / "one")):
        train_full.main(["train_full"])
    two = runs.folder / "two"
    (runs.folder / "temporary").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(runs.folder / "temporary"))
        processes = runs.start(two)
    assert jobs.wait(processes) == [0, 0], _said(two)
    return runs


def _said(workdir, index=0):
    return jobs.log_path(workdir.with_suffix(".logs"), index).read_text()


def _column(workdir, name):
    with open(workdir / "metrics.csv", newline="") as file:
        return [float(r[name]) for r in csv.DictReader(file) if r[name]]


def _assert_same_weights(first, second):
    models = [
        model_file.load(str(folder / "model.keras"))[0].get_weights()
        for folder in (first, second)
    ]
    for one, other in zip(*models, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_two_workers_have_the_losses_of_one(runs):
    for name in ("loss", "class", "huber"):
        one = _column(runs.folder / "one", name)
        two = _column(runs.folder / "two", name)
        assert len(one) == 15
        # The first five steps; differences of rounding grow afterwards.
        np.testing.assert_allclose(two[:5], one[:5], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(two, one, rtol=1e-2)
    np.testing.assert_allclose(
        _column(runs.folder / "two", "validation/loss"),
        _column(runs.folder / "one", "validation/loss"),
        rtol=1e-2,
    )


def test_only_the_chief_writes(runs):
    names = [sorted(os.listdir(runs.folder / n)) for n in ("one", "two")]
    assert names[0] == names[1]
    for index in (0, 1):
        assert f"worker {index} of 2" in _said(runs.folder / "two", index)
    log = (runs.folder / "two/train.log").read_text()
    assert "worker 0 of 2" in log and "worker 1 of 2" not in log
    # Not a file that is gone.
    said = _said(runs.folder / "two", 1)
    assert f"done: the first worker has written {runs.folder}/two\n" in said
    assert not list((runs.folder / "temporary").glob("tfcolor-worker-*"))


def test_a_killed_worker_ends_the_job_and_a_restart_goes_on(runs, tmp_path):
    workdir = tmp_path / "killed"
    processes = runs.start(workdir, checkpoint_minutes="0")
    jobs.wait_for(workdir / "checkpoints/latest/ckpt-3.index", processes)
    killed = random.choice([0, 1])
    processes[killed].kill()
    statuses = jobs.wait(processes)
    assert statuses[killed] == -signal.SIGKILL
    assert statuses[1 - killed] == 75, _said(workdir, 1 - killed)
    said = _said(workdir, 1 - killed)
    assert "error: another of the 2 workers is gone; started again" in said
    assert "Traceback" not in said
    assert jobs.wait(runs.start(workdir)) == [0, 0], _said(workdir)
    assert "going on at step " in _said(workdir, 1)
    _assert_same_weights(workdir, runs.folder / "two")
    for name in ("loss", "validation/loss"):
        np.testing.assert_allclose(
            _column(workdir, name),
            _column(runs.folder / "two", name),
            rtol=1e-5,
        )


@pytest.mark.parametrize("stopped", [0, 1])
def test_a_worker_that_hangs_ends_the_job_and_a_restart_goes_on(
    runs, tmp_path, stopped
):
    workdir = tmp_path / "hanging"
    processes = runs.start(workdir, checkpoint_minutes="0")
    jobs.wait_for(workdir / "checkpoints/latest/ckpt-3.index", processes)
    processes[stopped].send_signal(signal.SIGSTOP)
    started = time.monotonic()
    other = processes[1 - stopped]
    try:
        status = other.wait(_MAX_SECONDS)
        seconds = time.monotonic() - started
    finally:
        processes[stopped].send_signal(signal.SIGCONT)
        statuses = jobs.wait(processes)
    said = _said(workdir, 1 - stopped)
    print(f"worker {1 - stopped} ended after {seconds:.0f} s: {said[-300:]}")
    assert status == 75, said
    assert "error: another of the 2 workers is gone; started again" in said
    assert "Traceback" not in said
    # It finds, when it goes on, that it is alone.
    assert statuses[stopped] == 75, _said(workdir, stopped)
    assert jobs.wait(runs.start(workdir)) == [0, 0], _said(workdir)
    _assert_same_weights(workdir, runs.folder / "two")


def test_a_chief_whose_disk_is_full_ends_the_job(runs, tmp_path):
    workdir = tmp_path / "full"
    with disks.small(workdir, "500k"):
        statuses = jobs.wait(runs.start(workdir))
    assert statuses == [2, 75], [_said(workdir, i) for i in (0, 1)]
    said = _said(workdir)
    assert "No space left on device" in said and "Traceback" not in said


def test_a_signal_to_one_worker_stops_all_after_the_same_step(runs, tmp_path):
    workdir = tmp_path / "stopped"
    processes = runs.start(workdir, checkpoint_minutes="0")
    jobs.wait_for(workdir / "checkpoints/latest/ckpt-2.index", processes)
    processes[1].send_signal(signal.SIGTERM)
    assert jobs.wait(processes) == [130, 130], _said(workdir)
    for index, name in enumerate(["the signal of another worker", "SIGTERM"]):
        assert f"interrupted: {name} at step " in _said(workdir, index)
