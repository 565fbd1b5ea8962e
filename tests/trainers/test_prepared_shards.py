"""Every trainer reads what `tfcolor prepare` makes."""

import csv

import numpy as np
import pytest
from absl.testing import flagsaver

from tests import class_albums
from tests.data import albums
from tfcolor.cli import main as cli
from tfcolor.data import manifest
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from trainers import train_alexnet
from trainers import train_box_ensemble
from trainers import train_classifier
from trainers import train_ensemble
from trainers import train_full
from trainers import train_fusion
from trainers import train_instance
from trainers import train_resnet_colorizer

FLAGS = {
    "width": "0.03125",
    "image_size": "32",
    "batch_size": "2",
    "epochs": "1",
    "steps_per_epoch": "2",
    "log_steps": "1",
    "validation_share": "0.3",
}
COLORIZERS = (train_full, train_resnet_colorizer)
WITH_BOXES = (train_instance, train_fusion, train_box_ensemble)
LABELLED = (train_alexnet, train_classifier, train_ensemble)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Shards with boxes and shards with classes, and a colorizer."""
    folder = tmp_path_factory.mktemp("prepared")
    images = albums.write(folder / "images")
    boxes = albums.write_boxes(folder / "boxes")
    options = ["--size=32", "--shard_size=4"]
    for more in (
        [f"--images={images}", f"--boxes={boxes}", f"--output={folder}/boxed"],
        [
            f"--images={class_albums.write_parts(folder / 'classes')}",
            f"--output={folder}/labelled",
        ],
    ):
        cli.run(["prepare", *options, *more])
    full = siggraph(width=1 / 32, initializer="he_normal")
    info = model_file.ModelInfo("siggraph", 32)
    model_file.save(full, str(folder / "full.keras"), info)
    return folder


def _losses(program, workdir, **options):
    flags = FLAGS | options | {"workdir": str(workdir)}
    with flagsaver.as_parsed(**flags):
        program.main([program.__name__])
    with open(workdir / "metrics.csv", newline="") as file:
        return [float(r["loss"]) for r in csv.DictReader(file) if r["loss"]]


def _options(program, prepared):
    kind = "labelled" if program in LABELLED else "boxed"
    options = {"images": str(prepared / kind)}
    if program is train_fusion:
        start = str(prepared / "full.keras")
        options |= {"full_weights": start, "instance_weights": start}
    if program is train_alexnet:
        # Smaller ones it cannot pool.
        options["image_size"] = "64"
    if program is train_ensemble:
        options["class_source"] = "given"
    return options


@pytest.mark.long
def test_a_colorizer_learns_the_same_from_equal_shards(prepared, tmp_path):
    options = {"images": str(prepared / "boxed"), "flip": "true"}
    first, second = (
        _losses(train_full, tmp_path / name, **options) for name in "ab"
    )
    np.testing.assert_allclose(first, second, rtol=1e-5)
    log = (tmp_path / "a/train.log").read_text()
    assert "training, " in log and "validation pictures" in log


@pytest.mark.long
@pytest.mark.parametrize(
    "program",
    [*COLORIZERS, *WITH_BOXES, *LABELLED],
    ids=lambda program: program.__name__.rpartition(".")[2],
)
def test_trainers_read_shards(program, prepared, tmp_path):
    options = _options(program, prepared)
    assert np.isfinite(_losses(program, tmp_path / "run", **options)).all()


@pytest.mark.long
def test_boxes_of_shards_can_be_what_is_classified(prepared, tmp_path):
    images = class_albums.write(tmp_path / "classes", 5)
    boxes = tmp_path / "boxes"
    boxes.mkdir()
    albums.write_box(boxes / "dark/000.png.npz", [4, 4, 20, 30])
    cli.run(
        [
            *("prepare", f"--images={images}", f"--boxes={boxes}"),
            *("--size=32", f"--output={tmp_path}/records"),
        ]
    )
    options = {"images": f"{tmp_path}/records", "crops": "boxes"}
    losses = _losses(train_classifier, tmp_path / "run", **options)
    assert np.isfinite(losses).all()


def test_without_boxes_instances_cannot_be_trained(prepared, tmp_path):
    options = {"images": str(prepared / "images")}
    with pytest.raises(ValueError, match="--boxes must be given, unless"):
        _losses(train_instance, tmp_path / "run", **options)


@pytest.mark.long
def test_a_run_goes_on_without_a_damaged_shard(prepared, tmp_path):
    cli.run(
        [
            *("prepare", f"--images={prepared}/images", "--size=32"),
            *("--shard_size=4", f"--output={tmp_path}/records"),
        ]
    )
    albums.damage(tmp_path / "records/00001.tfrecord")
    lost = manifest.read(f"{tmp_path}/records").shards[1].names
    options = {"images": f"{tmp_path}/records", "skip_corrupt": "true"}
    options["validation_images"] = str(prepared / "images")
    _losses(train_full, tmp_path / "run", **options)
    log = (tmp_path / "run/train.log").read_text()
    assert f"dropped {len(lost)} pictures, in a damaged shard: " in log
    assert "(00001.tfrecord)" in log
