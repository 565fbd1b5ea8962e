import csv
import glob
import json
import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver

from flags import fields
from tests import class_albums
from tests import flag_files
from tfcolor.inference.classifier import Classifier
from tfcolor.models import task_transfer
from tfcolor.models.siggraph import siggraph
from tfcolor.training.run_folder import RunFolder
from tfcolor.weights import model_file
from trainers import labelled_assembly
from trainers import train_classifier

FLAGS = {
    "width": "0.0625",
    "initializer": "he_normal",
    "image_size": "16",
    "batch_size": "6",
    "steps_per_epoch": "10",
    "epochs": "2",
    "log_steps": "1",
    "learning_rate": "0.01",
    "schedule": "constant",
    "flip": "true",
    "cache": "true",
    "best_by": "accuracy",
}


@pytest.fixture(scope="module")
def colorizer(tmp_path_factory):
    """A tiny colorizer, as a file."""
    path = str(tmp_path_factory.mktemp("colorizer") / "full.keras")
    keras.utils.set_random_seed(0)
    model = siggraph(width=1 / 16, initializer="he_normal", mask_center=0.25)
    model_file.save(model, path, model_file.ModelInfo("siggraph", 16))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, colorizer):
    """A finished run: its folder and its flags."""
    folder = tmp_path_factory.mktemp("run")
    images = class_albums.write_parts(folder / "images")
    (folder / "images/color_groups.json").write_text(
        json.dumps(class_albums.GROUPS)
    )
    (folder / "images/train/dark/broken.png").write_bytes(b"broken")
    options = FLAGS | {
        "images": images,
        "initial_weights": colorizer,
        "colorizer": colorizer,
        "workdir": str(folder / "workdir"),
    }
    with flagsaver.as_parsed(**options):
        train_classifier.main(["train_classifier"])
        lines = fields.replay_lines(train_classifier)
    return folder / "workdir", lines


@pytest.mark.slow
def test_a_run_ends_in_a_report(run):
    workdir, _ = run
    assert {"model.keras", "metrics.csv", "report", "flags.cfg"} <= set(
        os.listdir(workdir)
    )
    assert sorted(os.listdir(workdir / "report")) == [
        *("classes.csv", "confusion.png", "curves.png", "examples.png"),
        *("predictions.csv", "report.md", "summary.json"),
    ]
    summary = json.loads((workdir / "report/summary.json").read_text())
    assert (summary["part"], summary["pictures"]) == ("test", 9)
    assert summary["color_groups"]["errors"] == round(
        9 * (1 - summary["accuracy"]["value"])
    )


@pytest.mark.slow
def test_a_run_learns_and_logs_every_step(run):
    with open(run[0] / "metrics.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    losses = [float(row["loss"]) for row in rows if row["loss"]]
    right = [float(row["accuracy"]) for row in rows if row["accuracy"]]
    assert len(losses) == len(right) == 20
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert np.mean(right[-10:]) > np.mean(right[:5])
    tags = set()
    (events,) = glob.glob(str(run[0] / "tensorboard/*"))
    for record in tf.data.TFRecordDataset(events).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        tags |= {value.tag for value in event.summary.value}
    assert {"accuracy", "top3", "cross_entropy", "validation/accuracy"} <= tags
    assert "confusion (rows: true class)" in tags


@pytest.mark.slow
def test_the_log_names_classes_and_what_was_left_out(run):
    log = (run[0] / "train.log").read_text()
    assert "3 classes; 18 training, 6 validation, 9 test pictures" in log
    assert "cannot be read: " in log and "broken.png" in log


@pytest.mark.slow
def test_the_flags_of_a_run_replay_it(run):
    workdir, lines = run
    assert (workdir / "flags.cfg").read_text().splitlines() == lines
    with flag_files.parsed(workdir / "flags.cfg"):
        assert fields.replay_lines(train_classifier) == lines
    names = {line.partition("=")[0] for line in lines}
    assert {"--freeze", "--inputs", "--pictures_per_class"} - names == {
        "--pictures_per_class"
    }
    assert not {"--hint_share", "--huber_weight", "--gradient_stop"} & names


@pytest.mark.slow
def test_the_model_of_a_run_says_what_pictures_show(run):
    classifier = Classifier(run[0] / "model.keras")
    assert classifier.class_names == class_albums.CLASSES
    with open(run[0] / "report/predictions.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    pictures = []
    for row in rows:
        path = pathlib.Path(row["picture"])
        pictures.append(class_albums.picture(path.parent.name, int(path.stem)))
        assert row["true"] == path.parent.name
    found = classifier.probabilities(pictures).max(axis=1)
    expected = [float(row["probability"]) for row in rows]
    np.testing.assert_allclose(found, expected, atol=0.02)


def _build(colorizer, **options):
    options = {"width": "0.0625", "image_size": "16"} | options
    with flagsaver.as_parsed(initial_weights=colorizer, **options):
        return labelled_assembly.build_classifier(3)


def test_the_trunk_starts_from_the_colorizer_mask_and_all(colorizer):
    model, start = _build(colorizer), model_file.load(colorizer)[0]
    for name in task_transfer.trunk_layers():
        for weight, value in zip(
            model.get_layer(name).weights,
            start.get_layer(name).weights,
            strict=True,
        ):
            np.testing.assert_array_equal(weight, value)
    assert float(model.get_layer("mask_centered").offset) == -0.25


def test_the_legacy_order_takes_the_convolutions_alone(colorizer):
    model = _build(colorizer, legacy_bn_order="true", head="flatten")
    start = model_file.load(colorizer)[0]
    np.testing.assert_array_equal(
        model.get_layer("block5_conv3").kernel,
        start.get_layer("block5_conv3").kernel,
    )
    bn = [m.get_layer("block5_bn").gamma for m in (model, start)]
    assert np.abs(bn[0] - bn[1]).max() > 0


def test_a_colorizer_of_another_width_is_refused(colorizer):
    with pytest.raises(ValueError, match="set --width=0.0625. Received"):
        _build(colorizer, width="0.125")


def test_crops_of_boxes_need_boxes_and_use_them(tmp_path):
    images = class_albums.write_parts(tmp_path / "images")
    log = RunFolder(str(tmp_path / "run")).log
    with flagsaver.as_parsed(images=images, crops="boxes"):
        with pytest.raises(ValueError, match="--crops=boxes needs --boxes"):
            labelled_assembly.open_parts(log)
    folder = tmp_path / "boxes"
    for path in pathlib.Path(images).rglob("*.png"):
        target = folder / f"{path.relative_to(images)}.npz"
        os.makedirs(target.parent, exist_ok=True)
        np.savez(target, bbox=[[0, 0, 8, 16]], scores=[0.9])
    options = {"images": images, "crops": "boxes", "boxes": str(folder)}
    with flagsaver.as_parsed(**options, image_size="16"):
        parts = labelled_assembly.open_parts(log)
        memory = labelled_assembly.in_memory(parts)
        example = next(parts.train.examples().as_numpy_iterator())
    np.testing.assert_array_equal(example["boxes"][0], [0, 0, 16, 8])
    assert (len(memory.train), len(memory.test)) == (18, 9)


def test_a_broken_class_ends_the_run_before_it_starts(tmp_path):
    images = class_albums.write_parts(tmp_path / "images")
    (tmp_path / "images/train/empty").mkdir()
    options = {"images": images, "workdir": str(tmp_path / "run")}
    with flagsaver.as_parsed(**options):
        with pytest.raises(ValueError, match="empty' with none"):
            train_classifier.main(["train_classifier"])
