import gc
import os
import subprocess
import sys
import tempfile

import pytest
from PIL import Image

from tfcolor.training import run_folder
from tfcolor.training.run_folder import RunFolder

ROWS = [
    {"step": 1, "loss": 0.5, "learning_rate": 1e-3},
    {"step": 2, "loss": 0.25, "learning_rate": 1e-3},
    {"step": 2, "validation/loss": 0.3, "validation/psnr": 24.0},
]


@pytest.fixture
def run(tmp_path):
    return RunFolder(str(tmp_path / "deep/run"))


def test_metrics_come_back_as_they_were_written(run):
    assert run.read_metrics() == []
    run.write_metrics(ROWS)
    assert run.read_metrics() == ROWS
    assert RunFolder(run.path).read_metrics() == ROWS


def test_metrics_are_a_csv_file_with_empty_cells(run):
    run.write_metrics(ROWS)
    with open(os.path.join(run.path, "metrics.csv")) as f:
        assert f.read().splitlines() == [
            "step,loss,learning_rate,validation/loss,validation/psnr",
            "1,0.5,0.001,,",
            "2,0.25,0.001,,",
            "2,,,0.3,24",
        ]


def test_curves_are_a_picture(run):
    run.write_metrics(ROWS)
    with Image.open(run.curves) as picture:
        assert picture.format == "PNG"
        assert picture.width > 500


def test_what_is_compared_shares_a_plot():
    names = ["loss", "validation/loss", "validation/grey_psnr"]
    names += ["validation/psnr", "validation/true_colorfulness"]
    assert run_folder.curve_groups([*names, "validation/colorfulness"]) == {
        "loss": ["loss", "validation/loss"],
        "psnr": ["validation/grey_psnr", "validation/psnr"],
        "colorfulness": [
            *("validation/true_colorfulness", "validation/colorfulness")
        ],
    }
    # Nothing to be compared with.
    assert list(run_folder.curve_groups(["grey_psnr"])) == ["grey_psnr"]


def test_curves_that_are_compared_are_drawn_in_the_same_axes(run, monkeypatch):
    drawn = []
    close = run_folder.plt.close

    def look(figure):
        drawn.extend(figure.axes)
        close(figure)

    monkeypatch.setattr(run_folder.plt, "close", look)
    more = {"step": 2, "validation/grey_psnr": 23.0}
    run.write_metrics([*ROWS, more])
    (axes,) = [axis for axis in drawn if axis.get_title() == "psnr"]
    labels = [line.get_label() for line in axes.get_lines()]
    assert sorted(labels) == ["validation/grey_psnr", "validation/psnr"]


def test_metrics_without_rows_need_no_curves(run):
    run.write_metrics([])
    assert run.read_metrics() == []
    assert not os.path.exists(run.curves)


def test_nothing_half_written_is_left(run):
    run.write_metrics(ROWS)
    run.write_flags(["--epochs=3"])
    assert sorted(os.listdir(run.path)) == [
        "curves.png",
        "flags.cfg",
        "metrics.csv",
        "train.log",
    ]


def test_flags_that_changed_are_told(run):
    run.write_flags(["--epochs=3", "--flip"])
    run.write_flags(["--epochs=3", "--flip"])
    log = os.path.join(run.path, "train.log")
    with open(log) as f:
        assert f.read() == ""
    run.write_flags(["--epochs=4", "--flip"])
    with open(log) as f:
        assert "was --epochs=3, now --epochs=4" in f.read()
    with open(os.path.join(run.path, "flags.cfg")) as f:
        assert f.read() == "--epochs=4\n--flip\n"


def test_the_log_goes_on_where_it_was(run):
    run.log.info("first")
    again = RunFolder(run.path)
    again.log.info("second")
    with open(os.path.join(run.path, "train.log")) as f:
        lines = f.read().splitlines()
    assert [line.split()[-1] for line in lines] == ["first", "second"]


def test_a_run_that_is_no_longer_used_closes_its_log(tmp_path):
    run = RunFolder(str(tmp_path))
    (file,) = [h for h in run.log.handlers if hasattr(h, "baseFilename")]
    run.log.info("open")
    stream = file.stream
    assert not stream.closed
    del run
    gc.collect()
    assert stream.closed


def _worker():
    return RunFolder("unused", is_chief=False)


def test_a_worker_writes_to_a_folder_of_its_own_and_removes_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    worker = _worker()
    assert os.path.dirname(worker.path) == str(tmp_path)
    worker.discard()
    assert os.listdir(tmp_path) == []


def test_folders_of_killed_workers_go_when_another_one_starts(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, signal\n"
        "from tfcolor.training.run_folder import RunFolder\n"
        "RunFolder('unused', is_chief=False)._temporary\n"
        "worker = RunFolder('unused', is_chief=False)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=False,
    )
    (killed,) = os.listdir(tmp_path)
    other = tmp_path / "tfcolor-worker-of_somebody"
    other.mkdir()
    living = _worker()
    another = _worker()
    assert sorted(os.listdir(tmp_path)) == sorted(
        [other.name, *(os.path.basename(w.path) for w in (living, another))]
    )
    for worker in (living, another):
        worker.discard()


def test_pending_losses_belong_to_their_checkpoint(run):
    for step in (3, 5, 9):
        run.write_pending(step, {"loss": [0.5, step]})
    # As many as there are checkpoints.
    found = [run.read_pending(step) for step in (3, 5, 9, 11)]
    assert found == [{}, {"loss": [0.5, 5]}, {"loss": [0.5, 9]}, {}]


def test_what_a_killed_run_left_beside_its_checkpoints_goes(tmp_path):
    leftover = tmp_path / "run/checkpoints/latest/.tfcolor-0f.tmp"
    leftover.mkdir(parents=True)
    (leftover / "new").write_text("half")
    RunFolder(str(tmp_path / "run"))
    assert not leftover.exists()
