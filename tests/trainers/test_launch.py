import os
import sys

import pytest
import tensorflow as tf
from absl import app
from absl import flags
from absl.testing import flagsaver

from flags import data  # noqa: F401
from flags import run as run_flags  # defines --workdir
from tfcolor.training import workers
from tfcolor.training.loop import Interrupted
from trainers import launch


@pytest.fixture
def start(monkeypatch):
    """Starts a `main` as a program would, with these arguments."""

    def start(main, *arguments):
        monkeypatch.setattr(
            app, "run", lambda f, **_: f(["program", *arguments])
        )
        launch.run(main)

    return start


def _raises(error):
    def main(argv):
        raise error

    return main


def test_a_program_gets_its_arguments(start):
    seen = []
    start(seen.append)
    assert seen == [["program"]]


@pytest.mark.parametrize(
    "error", [ValueError, FileNotFoundError, FloatingPointError]
)
def test_mistakes_of_the_user_end_in_one_line_and_status_2(
    start, capsys, error
):
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(error("`x` must be y")))
    assert exit_status.value.code == 2
    assert capsys.readouterr().err == "\nerror: `x` must be y\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "`batch_size` must be 4. Received: batch_size=3, x=1",
            "--batch_size must be 4. Received: --batch_size=3, x=1",
        ),
        ("lower --max_pixels; `rgb`", "lower --max_pixels; `rgb`"),
        (
            "Received: 'batch_size=1' of (seed=2)",
            "Received: 'batch_size=1' of (--seed=2)",
        ),
        (
            "The loss is not finite, for the pictures seed=2.png, seed=3.png",
            "The loss is not finite, for the pictures seed=2.png, seed=3.png",
        ),
    ],
)
def test_errors_of_the_library_name_the_flags_of_the_program(
    start, capsys, log, error, said
):
    with pytest.raises(SystemExit):
        start(_raises(ValueError(error)))
    assert capsys.readouterr().err == f"\nerror: {said}\n"
    assert log.read_text().endswith(f" error: {said}\n")


def test_a_program_may_know_an_argument_under_another_name():
    said = launch.in_flags("`folder` of 6", folder="--packs")
    assert said == "--packs of 6"


def test_an_interrupted_run_ends_in_status_130(start, capsys):
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(Interrupted("SIGINT at step 3; saved.")))
    assert exit_status.value.code == 130
    assert "SIGINT at step 3" in capsys.readouterr().err


def test_a_damaged_shard_ends_in_one_line_and_status_2(start, capsys):
    message = "{{node}} DamagedShard: The shard a is damaged: b\nTraceback"
    error = tf.errors.UnknownError(None, None, message)
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(error))
    assert exit_status.value.code == 2
    shown = capsys.readouterr().err
    assert shown == "\nerror: The shard a is damaged: b\n"
    with pytest.raises(tf.errors.UnknownError):
        start(_raises(tf.errors.UnknownError(None, None, "another one")))


def test_the_loss_of_a_worker_ends_in_one_line_and_status_75(
    start, capsys, monkeypatch
):
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(workers.WorkerLost("another one is gone")))
    assert exit_status.value.code == 75
    assert capsys.readouterr().err == "\nerror: another one is gone\n"


def test_faults_of_the_program_keep_their_traceback(start):
    with pytest.raises(ZeroDivisionError):
        start(_raises(ZeroDivisionError()))


def test_arguments_that_are_no_flags_are_refused(start):
    with pytest.raises(app.UsageError, match="unexpected.*pictures"):
        start(_raises(RuntimeError()), "pictures")


@pytest.fixture
def log(tmp_path):
    """The log of a run folder that the flags name."""
    with flagsaver.as_parsed(workdir=str(tmp_path)):
        assert run_flags.WORKDIR.value == str(tmp_path)
        yield tmp_path / "train.log"


def test_the_reason_of_an_end_is_in_the_log(start, log):
    for error, said in (
        (ValueError("`x` must be y"), "error: `x` must be y"),
        (Interrupted("SIGINT at step 3"), "interrupted: SIGINT at step 3"),
    ):
        with pytest.raises(SystemExit):
            start(_raises(error))
        assert log.read_text().splitlines()[-1].endswith(f" {said}")


def test_the_log_has_the_traceback_of_a_fault_of_the_program(start, log):
    with pytest.raises(ZeroDivisionError):
        start(_raises(ZeroDivisionError("by 0")))
    lines = log.read_text().splitlines()
    assert lines[0].endswith(" error: ZeroDivisionError: by 0")
    assert lines[1] == "Traceback (most recent call last):"


def test_a_worker_that_is_not_the_chief_leaves_the_log_alone(
    start, log, monkeypatch
):
    task = '{"task": {"type": "worker", "index": 1}}'
    monkeypatch.setenv("TF_CONFIG", task)
    with pytest.raises(SystemExit):
        start(_raises(ValueError("no")))
    assert not log.exists()


def test_a_flag_that_is_not_known_is_in_the_log(tmp_path, capsys):
    argv = ["program", f"--workdir={tmp_path}", "--no_such_flag=1"]
    with pytest.raises(SystemExit):
        launch.parse(argv)
    assert "no_such_flag" in capsys.readouterr().err
    said = (tmp_path / "train.log").read_text()
    assert " error: Unknown command line flag 'no_such_flag'" in said
    flags.FLAGS.mark_as_parsed()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        tf.errors.InternalError(None, None, "RESOURCE_EXHAUSTED: out of mem"),
    ],
)
def test_memory_that_runs_out_is_said_with_what_to_try(start, capsys, error):
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(error))
    assert exit_status.value.code == 2
    said = capsys.readouterr().err
    assert "error: Memory ran out. Try a smaller --batch_size" in said
    assert "--precision=mixed_bfloat16" in said


def test_a_program_says_its_own_remedy_and_arguments(monkeypatch, capsys, log):
    monkeypatch.setattr(app, "run", lambda f, **_: f(["program"]))
    for error, said in (
        (MemoryError(), "Memory ran out. Try patience"),
        (RuntimeError("CUDA_ERROR_OUT_OF_MEMORY"), "Memory ran out. Try pat"),
        (ValueError("`folder` of 6"), "--packs of 6"),
        # The name of a picture, no memory.
        (FloatingPointError("not finite: OOM.png"), "not finite: OOM.png"),
    ):
        with pytest.raises(SystemExit) as exit_status:
            launch.run(_raises(error), try_less="patience", folder="--packs")
        assert exit_status.value.code == 2
        assert capsys.readouterr().err.startswith(f"\nerror: {said}")
        assert f" error: {said}" in log.read_text()


@pytest.mark.slow
def test_memory_that_a_tensor_wants_in_vain_is_said(start, capsys):
    def main(argv):
        tf.ones([1 << 24, 1 << 24])

    with pytest.raises(SystemExit) as exit_status:
        start(main)
    assert exit_status.value.code == 2
    said = capsys.readouterr().err
    assert "ran out for an array of 16777216 x 16777216. Try" in said


HOSTILE_FLAG_FILES = {
    "binary": bytes(range(256)),
    "UTF-16": "--batch_size=4\n".encode("utf-16"),
    "unknown": b"--no_such_flag=1\n",
    "no number": b"--max_pixels=many\n",
    "out of range": b"--max_pixels=-1\n",
    "no flag": b"rm -rf folder\n",
    "absent": b"--flagfile=absent.cfg\n",
    "a folder": b"--flagfile=/\n",
}


@pytest.mark.parametrize("name", HOSTILE_FLAG_FILES)
def test_hostile_flag_files_end_in_lines_and_no_traceback(
    tmp_path, capsys, name
):
    path = tmp_path / "flags.cfg"
    path.write_bytes(HOSTILE_FLAG_FILES[name])
    before = {f: flags.FLAGS[f].value for f in ("max_pixels", "batch_size")}
    with flagsaver.flagsaver(), pytest.raises(SystemExit) as exit_status:
        launch.parse(["program", f"--flagfile={path}"])
        # What is no flag is an argument, which `run` refuses.
        raise SystemExit(1)
    assert exit_status.value.code in (1, 2)
    assert "Traceback" not in capsys.readouterr().err
    assert before == {f: flags.FLAGS[f].value for f in before}


def test_a_full_disk_is_not_taken_for_memory(start, capsys):
    message = "runs/tensorboard; No space left on device"
    error = tf.errors.ResourceExhaustedError(None, None, message)
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(error))
    assert exit_status.value.code == 2
    said = capsys.readouterr().err
    assert "error: runs/tensorboard; No space left on device" in said
    assert "emory" not in said


def test_a_log_that_cannot_be_written_hides_no_reason(start, log, capsys):
    log.mkdir()
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(ValueError("`x` must be y")))
    assert exit_status.value.code == 2
    assert "error: `x` must be y" in capsys.readouterr().err
