import csv
import os
import pathlib
import signal
import subprocess
import sys

import pytest
from absl.testing import flagsaver

from studies import resumable_runs
from studies import task_transfer
from tests import class_albums
from tests.evaluation import predictions_of_classes as made
from tests.studies import quick_runs
from tfcolor.training.loop import Interrupted

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def started(monkeypatch):
    """Replaces training by a quick report; gives the commands it ran."""

    def train(folder, command):
        if "random-freeze_none" in str(folder) and "--fails" in command:
            return 2
        quick_runs.write_report(folder, made.MIXED)
        return 0

    return quick_runs.replace_training(monkeypatch, train)


def _flags(tmp_path, **options):
    values = {
        "images": str(tmp_path),
        "workdir": str(tmp_path / "runs"),
        "trunks": "random,full=full.keras",
        "sizes": "2,all",
        "seeds": "0,1",
        "precision": "float32",
    }
    return flagsaver.as_parsed(**values | options)


def _start(tmp_path, **options):
    with _flags(tmp_path, **options):
        task_transfer.main(["experiment"])


def test_runs_are_all_combinations_cheap_ones_and_low_seeds_first(tmp_path):
    with _flags(tmp_path):
        runs = task_transfer.list_runs()
    assert len(runs) == len({run.folder for run in runs}) == 32
    assert [run.condition["seed"] for run in runs] == [0] * 16 + [1] * 16
    freezes = [run.condition["freeze"] for run in runs[:16]]
    assert freezes == ["trunk"] * 8 + ["none"] * 8
    assert runs[0].name == "random-freeze_trunk-L-2-seed0"


def test_commands_say_everything_a_run_needs(tmp_path, started, monkeypatch):
    monkeypatch.setattr(task_transfer, "outputs", lambda conditions: {})
    _start(tmp_path, seeds="3", train_flag="--epochs=5")
    assert len(started) == 16
    first, *_, last = started
    assert first[1:3] == ["-m", "trainers.train_classifier"]
    assert "--pictures_per_class=2" in first and "--seed=3" in first
    assert not [c for c in first if c.startswith("--initial_weights")]
    assert not [c for c in last if c.startswith("--pictures_per_class")]
    assert "--initial_weights=full.keras" in last
    assert "--inputs=L_ab" in last and "--freeze=none" in last
    assert first[-2] == "--epochs=5"
    command = tmp_path / "runs/random-freeze_trunk-L-2-seed3/command.txt"
    assert command.read_text().split()[1:] == first[1:]


def test_finished_runs_are_kept_and_parts_add_up(tmp_path, started, capsys):
    _start(tmp_path, seeds="0", freezes="trunk", input_modes="L")
    assert len(started) == 4
    with open(tmp_path / "runs/results.csv", newline="") as f:
        assert [row["seeds"] for row in csv.DictReader(f)] == ["1"] * 4
    _start(tmp_path, freezes="trunk", input_modes="L")
    assert len(started) == 8
    assert "8 of 8 runs are done" in capsys.readouterr().out
    with open(tmp_path / "runs/results.csv", newline="") as f:
        assert [row["seeds"] for row in csv.DictReader(f)] == ["2"] * 4
    assert {"results.csv", "results.md", "results.png"} <= set(
        os.listdir(tmp_path / "runs")
    )
    _start(tmp_path, freezes="trunk", list="true")
    said = capsys.readouterr().out
    assert said.count("done  ") == 8 and said.count("-seed") == 16
    assert len(started) == 8


def test_other_flags_need_another_folder(tmp_path, started):
    _start(tmp_path, seeds="0", freezes="trunk")
    with pytest.raises(ValueError, match="give another --workdir"):
        _start(tmp_path, seeds="0", freezes="trunk", train_flag="--epochs=9")
    assert len(started) == 8


def test_a_run_that_fails_is_named_at_the_end(tmp_path, started):
    options = {"seeds": "0", "train_flag": "--fails", "input_modes": "L"}
    with pytest.raises(ValueError, match="\n  random-freeze_none-L"):
        _start(tmp_path, **options)
    assert len(started) == 8


def test_no_run_starts_after_the_deadline(tmp_path, started, capsys):
    _start(tmp_path, minutes="1e-9")
    assert started == []
    assert "0 of 32 runs are done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trunks": "full"}, "--trunks must be"),
        ({"trunks": "random=x"}, "--trunks must be"),
        ({"sizes": "many"}, r"Received: \['many'\]"),
        ({"freezes": "half"}, r"Received: \['half'\]"),
        ({"seeds": "-1"}, r"Received: \['-1'\]"),
    ],
)
def test_wrong_lists_are_refused(tmp_path, started, options, said):
    with pytest.raises(ValueError, match=said):
        _start(tmp_path, **options)
    assert started == []


def test_an_interruption_ends_the_experiment(tmp_path, started, monkeypatch):
    def interrupted(command, watch, deadline):
        started.append(command)
        os.kill(os.getpid(), signal.SIGINT)
        return 130

    monkeypatch.setattr(resumable_runs, "_process", interrupted)
    with pytest.raises(Interrupted, match="the same command goes on"):
        _start(tmp_path)
    assert len(started) == 1


@pytest.mark.long
def test_the_experiment_runs_for_real(tmp_path):
    images = class_albums.write_parts(tmp_path / "images")
    preset = tmp_path / "tiny.cfg"
    preset.write_text(
        "--width=0.0625\n--image_size=16\n--batch_size=6\n--cache\n"
        "--epochs=1\n--steps_per_epoch=2\n--log_steps=1\n"
    )
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "trainers.task_transfer_experiment"),
            *(f"--images={images}", f"--workdir={tmp_path / 'runs'}"),
            *(f"--preset={preset}", "--trunks=random", "--freezes=none"),
            *("--input_modes=L", "--sizes=2,all", "--seeds=0"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "2 of 2 runs are done" in finished.stdout
    with open(tmp_path / "runs/results.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert [row["pictures_per_class"] for row in rows] == ["2", "all"]
