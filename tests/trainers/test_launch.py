import os
import sys

import pytest
import tensorflow as tf
from absl import app
from absl import flags
from absl.testing import flagsaver

from flags import data  # noqa: F401
from tfcolor.training import fit
from tfcolor.training import lost_worker
from trainers import launch


@pytest.fixture
def start(monkeypatch):
    """Starts a `main` as a program would, with these arguments."""

    def start(main, *arguments):
        monkeypatch.setattr(
            app, "run", lambda f, flags_parser: f(["program", *arguments])
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


def test_an_interrupted_run_ends_in_status_130(start, capsys):
    with pytest.raises(SystemExit) as exit_status:
        start(_raises(fit.Interrupted("SIGINT at step 3; saved.")))
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
        start(_raises(lost_worker.WorkerLost("another one is gone")))
    assert exit_status.value.code == 75
    assert capsys.readouterr().err == "\nerror: another one is gone\n"


def test_faults_of_the_program_keep_their_traceback(start):
    with pytest.raises(ZeroDivisionError):
        start(_raises(ZeroDivisionError()))


def test_arguments_that_are_no_flags_are_refused(start):
    with pytest.raises(app.UsageError, match="unexpected.*pictures"):
        start(_raises(RuntimeError()), "pictures")


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
