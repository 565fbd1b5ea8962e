import csv
import glob
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver

from flags import data as data_flags
from flags import fields
from flags import model as model_flags
from flags import run as run_flags
from tests import drawn
from tests import flag_files
from tests.models import model_contract
from tfcolor.data import records
from tfcolor.training.run_folder import RunFolder
from tfcolor.weights import model_file
from trainers import assembly
from trainers import train_full

ROOT = pathlib.Path(__file__).parents[2]
FLAGS = {
    "width": "0.0625",
    "image_size": "32",
    "batch_size": "4",
    "epochs": "2",
    "log_steps": "1",
    "flip": "true",
    "cache": "true",
    "class_weight": "0.2",
    "rebalance": "0.5",
    "ema_momentum": "0.9",
}


def _lines():
    return fields.replay_lines(train_full)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run on 12 pictures: its folder and its flags."""
    folder = tmp_path_factory.mktemp("run")
    images = drawn.write_album(folder / "images", 12, kind="jpg")
    drawn.write(f"{images}/grey.png", drawn.grey(0))
    (pathlib.Path(images) / "broken.jpg").write_bytes(b"broken")
    held_out = drawn.write_album(folder / "held out", 3, kind="jpg")
    options = FLAGS | {
        "images": images,
        "validation_images": held_out,
        "workdir": str(folder / "workdir"),
    }
    with flagsaver.as_parsed(**options):
        train_full.main(["train_full"])
        lines = _lines()
    return folder / "workdir", lines


def test_a_run_leaves_everything_in_its_folder(run):
    workdir, _ = run
    assert sorted(os.listdir(workdir)) == [
        "checkpoints",
        "curves.png",
        "flags.cfg",
        "metrics.csv",
        "model.keras",
        "tensorboard",
        "train.log",
    ]
    assert sorted(os.listdir(workdir / "checkpoints")) == ["best", "latest"]


def test_flags_cfg_replays_the_run(run):
    workdir, lines = run
    path = workdir / "flags.cfg"
    assert path.read_text().splitlines() == lines
    for name, value in FLAGS.items():
        flag = f"--{name}" if value == "true" else f"--{name}={value}"
        assert flag in lines
    with flag_files.parsed(path):
        assert _lines() == lines
        assert data_flags.config().image_size == 32
        assert model_flags.options()["width"] == 0.0625
        assert run_flags.config().epochs == 2


def test_the_log_counts_pictures_and_names_the_dropped_ones(run):
    log = (run[0] / "train.log").read_text()
    assert "14 training, 3 validation pictures" in log
    assert "dropped 1 pictures, nearly grey: " in log
    assert "dropped 1 pictures, cannot be read: " in log
    assert "broken.jpg (" in log
    assert "epoch 2: validation/" in log


def test_metrics_and_tensorboard_have_the_same_figures(run):
    with open(run[0] / "metrics.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    losses = [float(row["loss"]) for row in rows if row["loss"]]
    # 12 usable pictures in memory are three batches.
    assert len(losses) == 6 and np.isfinite(losses).all()
    (events,) = glob.glob(str(run[0] / "tensorboard/*"))
    tags = set()
    for record in tf.data.TFRecordDataset(events).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        tags |= {value.tag for value in event.summary.value}
    pictures_tag = "grey | predicted | true"
    assert tags - {pictures_tag} == set(rows[0]) - {"step"}
    assert pictures_tag in tags
    for name in ("loss", "huber", "class", "psnr", "colorfulness"):
        assert f"validation/{name}" in tags
    assert {"huber", "class", "learning_rate", "images_per_second"} <= tags


def test_the_model_of_a_run_loads_with_its_info(run):
    model, info = model_file.load(str(run[0] / "model.keras"))
    assert (info.architecture, info.image_size) == ("siggraph", 32)
    outputs = model(model_contract.random_inputs(40, 16))
    assert outputs["ab"].shape == (2, 40, 16, 2)
    assert np.isfinite(outputs["ab"]).all()


def test_a_run_may_start_from_a_model_file(run, tmp_path):
    start = str(run[0] / "model.keras")
    with flagsaver.as_parsed(initial_weights=start, width="0.0625"):
        model = assembly.build_siggraph()
    weights = model_file.load(start)[0].get_weights()
    for weight, value in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_shards_and_held_out_shares_are_sources_too(tmp_path):
    images = drawn.write_album(tmp_path / "images", 30, side=8)
    shard = str(tmp_path / "shards/a.tfrecord")
    os.makedirs(tmp_path / "shards")
    encoded = [(f"{i}", drawn.encode(drawn.colored(i))) for i in (1, 2)]
    records.write_shard(shard, encoded)
    log = RunFolder(str(tmp_path / "run")).log
    with flagsaver.as_parsed(images=images, validation_share="0.3"):
        train, held_out = assembly.open_sources(log)
    assert len(train) + len(held_out) == 30 and len(held_out) > 0
    assert not set(train.paths) & set(held_out.paths)
    with flagsaver.as_parsed(images=images, validation_images=shard):
        train, held_out = assembly.open_sources(log)
    assert (len(train), len(held_out)) == (30, 2)


def _program(*arguments):
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")
    }
    return subprocess.run(
        [sys.executable, "-m", "trainers.train_full", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment,
    )


@pytest.mark.slow
def test_help_lists_the_flags_of_all_groups_and_nothing_else():
    finished = _program("--help")
    text = finished.stdout
    assert "Trains the full-picture colorizer" in text
    for name in ("images", "width", "huber_weight", "schedule", "workdir"):
        assert f"--{name}" in text or f"--[no]{name}" in text
    for name in ("[no]flip", "epochs", "precision", "hint_share"):
        assert f"--{name}" in text
    # No messages of TensorFlow between the lines.
    assert finished.stderr == ""


@pytest.mark.slow
def test_a_missing_flag_is_named():
    finished = _program("--images=somewhere")
    assert finished.returncode == 1
    assert "--workdir must have a value" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.slow
def test_pictures_that_are_not_there_end_in_one_line(tmp_path):
    finished = _program(f"--images={tmp_path}/no*", f"--workdir={tmp_path}/w")
    assert finished.returncode == 2
    assert "error: Every input must be a picture" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("trainer", ["train_full", "train_classifier"])
def test_without_tensorflow_help_is_a_line_that_says_what_trains(trainer):
    done = subprocess.run(
        [sys.executable, "-m", "tests.hidden_packages", "tensorflow"]
        + [f"trainers.{trainer}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("error: TensorFlow is not installed.")
    assert "python -m trainers.train_on_arrays" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_says_what_trains_without_tensorflow():
    said = " ".join(train_full.__doc__.split())
    assert "`python -m trainers.train_on_arrays`" in said
    assert "--network=siggraph" in said


def test_other_errors_of_programs_keep_their_traceback():
    program = "import trainers; import no_such_package"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "no_such_package" in done.stderr
