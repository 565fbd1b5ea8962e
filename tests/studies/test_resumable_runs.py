import json
import os
import pathlib
import sys
import time

import pytest

from studies import resumable_runs
from tfcolor.training.loop import Interrupted
from tfcolor.training.loop import SignalWatch


def _runs(folder, *, needs=False):
    first = resumable_runs.Run(
        str(folder / "first"), "some.trainer", ("--a=1",), {"seed": 0}, "done"
    )
    second = resumable_runs.Run(
        *(str(folder / "second"), "some.trainer", ("--a=2",), {"seed": 1}),
        "done",
        (first,) if needs else (),
    )
    return [first, second]


class Start:
    """Finishes runs without a process; gives the commands it was asked."""

    def __init__(self, *statuses):
        self.commands = []
        self._statuses = list(statuses)

    def __call__(self, command, watch, deadline):
        self.commands.append(command)
        status = self._statuses.pop(0) if self._statuses else 0
        folder = command[-1].removeprefix("--workdir=")
        if status == 0:
            (pathlib.Path(folder) / "done").write_text("")
        return status


def _run_all(runs, start, **options):
    calls = []
    values = {"minutes": None, "after_each": lambda: calls.append(None)}
    resumable_runs.run_all(runs, **values | options, start=start)
    return len(calls)


def test_runs_keep_their_command_and_what_they_are(tmp_path, capsys):
    runs, start = _runs(tmp_path), Start()
    assert _run_all(runs, start) == 3
    assert start.commands[1] == [
        *(sys.executable, "-m", "some.trainer", "--a=2"),
        f"--workdir={tmp_path / 'second'}",
    ]
    text = (tmp_path / "first" / resumable_runs.COMMAND).read_text()
    assert text.startswith("python -m some.trainer --a=1 --workdir=")
    assert resumable_runs.read_conditions(str(tmp_path)) == {
        str(tmp_path / "first"): {"seed": 0},
        str(tmp_path / "second"): {"seed": 1},
    }
    assert "2 of 2 runs are done" in capsys.readouterr().out
    resumable_runs.print_list(runs)
    assert capsys.readouterr().out == "done  first\ndone  second\n"


def test_finished_runs_are_not_run_again(tmp_path):
    _run_all(_runs(tmp_path)[:1], Start())
    start = Start()
    _run_all(_runs(tmp_path), start)
    assert len(start.commands) == 1


def test_a_failed_run_does_not_stop_the_others(tmp_path):
    start = Start(2)
    with pytest.raises(ValueError, match="end well.*\n  first: "):
        _run_all(_runs(tmp_path), start)
    assert len(start.commands) == 2


def test_what_needs_a_failed_run_is_not_started(tmp_path):
    start = Start(2)
    with pytest.raises(ValueError, match="\n  second: needs first"):
        _run_all(_runs(tmp_path, needs=True), start)
    assert len(start.commands) == 1


def test_time_is_kept(tmp_path):
    start = Start()
    _run_all(_runs(tmp_path), start, minutes=1e-9)
    assert not start.commands


def test_a_run_goes_on_with_the_flags_it_began_with(tmp_path):
    _run_all(_runs(tmp_path), Start())
    (first, _) = _runs(tmp_path)
    other = resumable_runs.Run(
        first.folder, first.module, ("--a=3",), {}, "done"
    )
    wanted = r"flags it began with.*\['--a=3'\] where it had \['--a=1'\]"
    with pytest.raises(ValueError, match=wanted):
        _run_all([other], Start())
    # Trained in part counts too.
    os.remove(tmp_path / "first/done")
    checkpoint = tmp_path / "first/checkpoints/latest/ckpt-3.index"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("")
    with pytest.raises(ValueError, match=wanted):
        _run_all([other], Start())


def test_a_run_that_never_trained_may_get_other_flags(tmp_path):
    first, second = _runs(tmp_path)
    with pytest.raises(ValueError, match="first: it ended with status 2"):
        _run_all([first, second], Start(2))
    mended = resumable_runs.Run(
        first.folder, first.module, ("--a=3",), {}, "done"
    )
    start = Start()
    _run_all([mended, second], start)
    assert [command[-2] for command in start.commands] == ["--a=3"]
    text = (tmp_path / "first" / resumable_runs.COMMAND).read_text()
    assert "--a=3" in text


def test_the_reason_of_a_failure_is_in_the_log_and_in_the_message(tmp_path):
    (tmp_path / "first").mkdir()
    log = tmp_path / "first/train.log"
    log.write_text("10:00:00 error: of another day\n")

    def trainer_says(command, watch, deadline):
        if "first" in command[-1]:
            with open(log, "a") as file:
                file.write("11:00:00 error: `x` must be y\nTraceback\n")
            return 2
        return -9

    with pytest.raises(ValueError) as raised:
        _run_all(_runs(tmp_path), trainer_says)
    said = str(raised.value).splitlines()
    assert said[1] == "  first: `x` must be y"
    assert said[2].startswith("  second: it was ended by SIGKILL, as Linux")
    log = (tmp_path / "second/train.log").read_text()
    assert "error: it was ended by SIGKILL" in log


@pytest.mark.slow
def test_a_flag_that_a_trainer_does_not_know_is_in_the_log(tmp_path):
    run = resumable_runs.Run(
        str(tmp_path / "run"),
        "trainers.train_full",
        ("--images=x", "--wdith=1"),
        {},
        "done",
    )
    with pytest.raises(ValueError, match="run: Unknown command line flag 'wdi"):
        _run_all([run], None)
    log = (tmp_path / "run/train.log").read_text()
    assert "error: Unknown command line flag 'wdith'" in log


def test_a_signal_is_told_to_the_run_and_ends_all(tmp_path):
    # A program that waits, and ends as a trainer does when it is told.
    source = (
        "import os, signal, sys, time\n"
        "def end(*_): sys.exit(130)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "time.sleep(30)\n"
    )
    (tmp_path / "waiting_program.py").write_text(source)
    run = resumable_runs.Run(
        str(tmp_path / "run"), "waiting_program", (), {"a": 1}, "done"
    )
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(tmp_path)
    try:
        with pytest.raises(Interrupted, match="SIGINT"):
            _run_all([run], None)
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    condition = json.loads((tmp_path / "run/condition.json").read_text())
    assert condition == {"a": 1}


_CHILD = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
signal.signal(signal.SIGINT, lambda *_: sys.exit(9))
open(sys.argv[1], "w").close()
time.sleep(60)
"""


def test_a_run_is_told_once_to_save_itself_when_time_is_over(tmp_path):
    command = [sys.executable, "-c", _CHILD, str(tmp_path / "ready")]
    started = time.monotonic()
    with SignalWatch() as watch:
        assert resumable_runs._process(command, watch, started + 0.5) == 130
    assert time.monotonic() - started < 20


@pytest.fixture
def with_files(tmp_path):
    """A run with weights and a flag file that names another."""
    for name in ("weights.keras", "inner.cfg"):
        (tmp_path / name).write_text("--epochs=3\n")
    (tmp_path / "outer.cfg").write_text(f"--flagfile={tmp_path}/inner.cfg\n")
    return resumable_runs.Run(
        *(str(tmp_path / "run"), "some.trainer"),
        (
            f"--flagfile={tmp_path}/outer.cfg",
            f"--initial_weights={tmp_path}/weights.keras",
        ),
        *({}, "done"),
    )


@pytest.mark.parametrize("name", ["outer.cfg", "inner.cfg", "weights.keras"])
def test_changed_files_of_a_run_are_said(tmp_path, with_files, name, capsys):
    _run_all([with_files], Start())
    _run_all([with_files], Start())
    assert "has changed" not in capsys.readouterr().out
    with open(tmp_path / name, "a") as file:
        file.write("# changed\n")
    os.utime(tmp_path / name, (1, 1))
    start = Start()
    _run_all([with_files], start)
    assert not start.commands
    said = capsys.readouterr().out.splitlines()[0]
    assert said.startswith(f"{tmp_path}/{name} has changed since these")
    assert said.endswith(": run")


def test_a_changed_version_is_said(tmp_path, capsys, monkeypatch):
    _run_all(_runs(tmp_path), Start())
    monkeypatch.setattr(resumable_runs, "__version__", "99.0")
    _run_all(_runs(tmp_path), Start())
    out = capsys.readouterr().out
    assert "tfcolor (now 99.0) has changed" in out
    assert ": first, second\n" in out
    # Runs made before it was kept.
    for name in ("first", "second"):
        (tmp_path / name / resumable_runs.BEGAN_WITH).unlink()
    _run_all(_runs(tmp_path), Start())
    assert "has changed" not in capsys.readouterr().out


def test_what_a_run_began_with_stays_when_it_goes_on(tmp_path, with_files):
    _run_all([with_files], Start())
    kept = tmp_path / "run" / resumable_runs.BEGAN_WITH
    before = kept.read_text()
    (tmp_path / "run/done").unlink()
    checkpoint = tmp_path / "run/checkpoints/latest/ckpt-3.index"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("")
    (tmp_path / "weights.keras").write_text("others")
    _run_all([with_files], Start())
    assert kept.read_text() == before


def test_shipped_weights_are_among_the_files():
    run = resumable_runs.Run(
        "run", "some.trainer", ("--initial_weights=lite0_unet",), {}, "done"
    )
    (path,) = resumable_runs._files(run)
    assert path.endswith("lite0_unet.npz")
