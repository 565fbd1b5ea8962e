"""Evaluations on a real cluster: killed with kill -9, and started again."""

import collections
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.inference import models
from tfcolor.cli import main

ray = pytest.importorskip("ray")
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore"),
]
ROOT = pathlib.Path(__file__).parent.parent.parent
_PICTURES = 12
# Of the list of true pictures; one between both classes is broken.
_INDICES = {*range(6), *range(7, 13)}
_TABLES = ("metrics.csv", "summary.md", "by_class.csv")
_SECONDS = 400


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Twelve pictures of two classes, and a broken one; a model."""
    folder = tmp_path_factory.mktemp("given")
    for i in range(_PICTURES):
        drawn.write(folder / f"truth/{i % 2}/{i}.png", drawn.colored(i, 60, 80))
    (folder / "truth/0/bad.png").write_bytes(b"nothing")
    models.save(models.lightness_model(), folder / "plain.keras")
    return folder


def _arguments(given, output):
    return [
        *(f"--truth={given / 'truth'}", f"--output={output}"),
        *(f"--model={given / 'plain.keras'}", "--by_class"),
    ]


@pytest.fixture(scope="module")
def expected(given):
    """The tables of one machine."""
    assert main.run(["evaluate", *_arguments(given, given / "one")]) == 1
    return {name: (given / "one" / name).read_bytes() for name in _TABLES}


def _start(log, arguments):
    log.mkdir()
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.cluster.to_be_killed"),
            *(log, "evaluate", *arguments),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a terminal would take with it stays.
        start_new_session=True,
    )


def _measured(log):
    """Returns the pictures of each pass, and how often they were measured."""
    found = collections.defaultdict(collections.Counter)
    for name in os.listdir(log):
        which, index, *_ = name.split("-")
        found[which][int(index)] += 1
    return found


def _kill_in(which, log, arguments):
    """Kills the command once some pictures of a pass were measured."""
    process = _start(log, arguments)
    _wait_for(which, log, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    # Its processes end a little later than the command.
    _wait_for_quiet(log)
    return _measured(log)


def _wait_for(which, log, process):
    deadline = time.monotonic() + _SECONDS
    while len(_measured(log)[which]) < 4:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _wait_for_quiet(log):
    count = -1
    while count != len(os.listdir(log)):
        count = len(os.listdir(log))
        time.sleep(3)


def _finish(log, arguments):
    return _end(log, _start(log, arguments))


def _end(log, process):
    try:
        output, error = process.communicate(timeout=_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 1, error
    return _measured(log), output, error


def _tables(folder):
    return {name: (folder / name).read_bytes() for name in _TABLES}


@pytest.mark.parametrize("which", ["first_pass", "second_pass"])
def test_a_killed_command_goes_on_when_it_is_started_again(
    given, expected, tmp_path, which
):
    report = tmp_path / "report"
    arguments = _arguments(given, report)
    before = _kill_in(which, tmp_path / "before", arguments)
    assert not report.exists()
    assert len(before[which]) < _PICTURES
    after, _, error = _finish(tmp_path / "after", arguments)
    for each in ("first_pass", "second_pass"):
        # What was being written when it was killed is measured twice.
        twice = set(before[each]) & set(after[each])
        assert len(twice) <= 2
        assert set(before[each]) | set(after[each]) == _INDICES
        assert set(after[each].values()) <= {1}
    assert 4 - 2 <= _PICTURES - len(after[which]) < _PICTURES
    assert "had been measured before" in error
    assert _tables(report) == expected
    assert sorted(os.listdir(tmp_path)) == [
        *("after", "before", "report", "report.failures.csv")
    ]


@pytest.mark.parametrize("which", ["first_pass", "second_pass"])
def test_a_killed_process_is_made_up_for(given, expected, tmp_path, which):
    log, report = tmp_path / "log", tmp_path / "report"
    process = _start(log, _arguments(given, report))
    _wait_for(which, log, process)
    *_, pid, _ = next(n for n in os.listdir(log) if which in n).split("-")
    os.kill(int(pid), signal.SIGKILL)
    found, _, _ = _end(log, process)
    for each in found.values():
        assert set(each) == _INDICES
        # Of that process one picture was not written yet.
        assert sum(each.values()) <= len(_INDICES) + 1
    assert _tables(report) == expected


@pytest.mark.parametrize("changed", ["picture", "model"])
def test_what_changed_in_between_is_measured_again(given, tmp_path, changed):
    report, mine = tmp_path / "report", tmp_path / "given"
    for path in [*(given / "truth").rglob("*.png"), given / "plain.keras"]:
        place = mine / path.relative_to(given)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())
    arguments = _arguments(mine, report)
    before = _kill_in("second_pass", tmp_path / "before", arguments)
    assert set(before["first_pass"]) == _INDICES
    if changed == "picture":
        # That of index 0.
        rgb = np.full((60, 80, 3), 90, np.uint8)
        Image.fromarray(rgb).save(mine / "truth/0/0.png")
    else:
        models.save(models.plain_model(), mine / "plain.keras")
    after, _, error = _finish(tmp_path / "after", arguments)
    only_one = changed == "picture"
    assert set(after["first_pass"]) == ({0} if only_one else _INDICES)
    assert set(after["second_pass"]) == _INDICES
    assert ("had other options, models or" in error) != only_one
    arguments = _arguments(mine, tmp_path / "one")
    assert main.run(["evaluate", *arguments]) == 1
    assert _tables(report) == _tables(tmp_path / "one")
