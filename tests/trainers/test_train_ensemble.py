import argparse
import os
import pathlib

import numpy as np
import pytest
from absl.testing import flagsaver

from flags import fields
from tests import class_albums
from tests import drawn
from tests import flag_files
from tfcolor.cli import evaluate
from tfcolor.evaluation import color_scores
from tfcolor.inference.classifier import Classifier
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models.alexnet import alexnet
from tfcolor.models.ensemble import ensemble
from tfcolor.models.resnet_colorizer import resnet18
from tfcolor.models.resnet_colorizer import resnet_colorizer
from tfcolor.weights import model_file
from trainers import resnet_assembly
from trainers import train_alexnet
from trainers import train_ensemble
from trainers import train_resnet_colorizer

FLAGS = {
    "width": "0.03125",
    "image_size": "64",
    "batch_size": "6",
    "epochs": "2",
    "log_steps": "1",
    "learning_rate": "0.002",
    "schedule": "constant",
    "cache": "true",
    "huber_weight": "0",
    "squared_weight": "100",
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return class_albums.write_parts(tmp_path_factory.mktemp("album"))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory, images):
    """A run of train_alexnet from weights for other classes."""
    folder = tmp_path_factory.mktemp("alexnet")
    start = str(folder / "start.keras")
    model = alexnet(num_classes=7, width=1 / 32)
    model_file.save(model, start, model_file.ModelInfo("alexnet", 224))
    options = FLAGS | {
        "images": images,
        "workdir": str(folder / "run"),
        "initial_weights": start,
        "targets": "soft",
        "l2": "0.001",
        "best_by": "top3",
    }
    with flagsaver.as_parsed(**options):
        train_alexnet.main(["train_alexnet"])
    return str(folder / "run")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory, images):
    workdir = str(tmp_path_factory.mktemp("oracle") / "oracle")
    options = {"images": images, "workdir": workdir, "class_source": "given"}
    with flagsaver.as_parsed(**FLAGS | options):
        train_ensemble.main(["train_ensemble"])
    return workdir


@pytest.fixture(scope="module")
def run(tmp_path_factory, images, classifier):
    """A run of train_ensemble with the classifier: folder and flags."""
    workdir = str(tmp_path_factory.mktemp("ensemble") / "ensemble")
    options = FLAGS | {
        "images": images,
        "workdir": workdir,
        "classifier": f"{classifier}/model.keras",
        "lightness": "grey",
        "form": "faithful",
    }
    with flagsaver.as_parsed(**options):
        train_ensemble.main(["train_ensemble"])
        lines = fields.replay_lines(train_ensemble)
    return workdir, lines


@pytest.mark.slow
def test_a_classifier_is_trained_and_reported(classifier):
    folder = pathlib.Path(classifier)
    log = (folder / "train.log").read_text()
    assert "a network of 7 classes: the last layer is new" in log
    assert "validation/top3" in log and "validation/l2" in log
    assert (
        "Right:" in pathlib.Path(f"{classifier}/report/report.md").read_text()
    )
    made = Classifier(f"{classifier}/model.keras")
    assert made.class_names == class_albums.CLASSES
    found = made.classify(class_albums.picture("dark", 3))
    assert sum(p for _, p in found) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_an_ensemble_leaves_a_report_class_by_class(run):
    workdir, _ = run
    assert sorted(os.listdir(f"{workdir}/report")) == [
        *("by_class.csv", "by_class.md", "by_class.png", "scores.csv"),
    ]
    scores = color_scores.read_scores(
        f"{workdir}/report/scores.csv", method="m"
    )
    assert len(scores.names) == 9
    assert sorted(set(scores.classes)) == sorted(class_albums.CLASSES)
    text = pathlib.Path(f"{workdir}/report/by_class.md").read_text()
    assert "9 test pictures" in text and "| all pictures | 9 |" in text


@pytest.mark.slow
def test_the_frozen_classifier_is_still_the_one_that_was_given(run, classifier):
    model, info = model_file.load(f"{run[0]}/model.keras")
    assert info.class_names == class_albums.CLASSES
    given, _ = model_file.load(f"{classifier}/model.keras")
    inner = model.get_layer("classifier")
    for old, new in zip(given.weights, inner.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.slow
def test_flags_cfg_replays_the_run(run):
    workdir, lines = run
    path = pathlib.Path(workdir) / "flags.cfg"
    assert path.read_text().splitlines() == lines
    assert "--class_source=classifier" in lines and "--form=faithful" in lines
    with flag_files.parsed(path):
        assert fields.replay_lines(train_ensemble) == lines


def _evaluate(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    evaluate.add_parser(parser.add_subparsers())
    return evaluate.run(parser.parse_args(["evaluate", *map(str, arguments)]))


@pytest.mark.long
def test_models_are_compared_class_by_class(
    run, oracle, images, tmp_path, capsys
):
    report = tmp_path / "report"
    models = [f"{run[0]}/model.keras", f"{oracle}/model.keras"]
    status = _evaluate(
        f"--truth={images}/test",
        "--by_class",
        *(f"--model={model}" for model in models),
        f"--output={report}",
    )
    said = capsys.readouterr()
    assert status == 0, said.err
    assert "### Loss by class" in said.out and "### Yellowness" in said.out
    assert "of 3 |" in said.out
    assert {"by_class.csv", "by_class.png"} <= set(os.listdir(report))
    assert "by_class.png" in (report / "index.html").read_text()
    status = _evaluate(
        f"--truth={images}/test",
        f"--model={models[1]}",
        f"--output={tmp_path / 'other'}",
    )
    assert status == 2
    said = capsys.readouterr().err
    assert "needs --by_class" in said and f"--model={models[1]}" in said


@pytest.mark.slow
def test_the_colors_of_an_oracle_depend_on_the_given_classes(oracle):
    colorizer = Colorizer(f"{oracle}/model.keras")
    assert colorizer.num_classes == 3 and colorizer.image_size == 64
    rgb = class_albums.picture("dark", 1)
    colored = [colorizer.predict_ab(rgb, classes=row) for row in np.eye(3)]
    assert np.abs(colored[0] - colored[1]).max() > 0


def test_classifiers_of_other_classes_are_refused(tmp_path):
    path = str(tmp_path / "other.keras")
    info = model_file.ModelInfo("alexnet", 64, class_names=("cat", "dog"))
    model_file.save(alexnet(num_classes=2, width=1 / 64), path, info)
    with flagsaver.as_parsed(classifier=path):
        model = resnet_assembly.load_classifier(("cat", "dog"))
        assert model.output["logits"].shape[-1] == 2
        with pytest.raises(ValueError, match=r"--classifier must.*'owl'"):
            resnet_assembly.load_classifier(("cat", "owl"))
    with flagsaver.as_parsed(classifier_width="0.015625"):
        untaught = resnet_assembly.load_classifier(("cat", "owl", "dog"))
    assert untaught.output["logits"].shape[-1] == 3


def test_the_encoder_may_start_from_resnet18(tmp_path):
    path, start = str(tmp_path / "resnet.keras"), resnet18(width=1 / 32)
    model_file.save(start, path, model_file.ModelInfo("resnet18", 224))
    with flagsaver.as_parsed(width="0.03125", initial_weights=path):
        model = resnet_assembly.build_resnet()
    for name in ("conv1", "layer2_1_conv2"):
        np.testing.assert_array_equal(
            model.get_layer(name).kernel, start.get_layer(name).kernel
        )


@pytest.mark.parametrize("class_source", ["given", "classifier", "none"])
def test_an_ensemble_may_start_from_a_colorizer_without_classes(
    tmp_path, class_source
):
    path, start = str(tmp_path / "alone.keras"), resnet_colorizer(width=1 / 32)
    model_file.save(start, path, model_file.ModelInfo("resnet_colorizer", 64))
    options = {
        "width": "0.03125",
        "classifier_width": "0.015625",
        "class_source": class_source,
        "initial_weights": path,
    }
    with flagsaver.as_parsed(**options):
        model = resnet_assembly.build_ensemble(("cat", "owl"))
    inputs = {"L": np.random.default_rng(0).uniform(0, 100, (1, 64, 64, 1))}
    expected = start(inputs)["ab"]
    if class_source == "given":
        inputs["classes"] = np.array([[0.0, 1.0]])
    # It does not heed the classes yet.
    np.testing.assert_allclose(model(inputs)["ab"], expected, atol=1e-4)


def test_weights_for_other_classes_are_not_those_of_the_first_ones(tmp_path):
    path = str(tmp_path / "two.keras")
    start = ensemble(num_classes=2, class_source="given", width=1 / 32)
    model_file.save(start, path, model_file.ModelInfo("ensemble", 64))
    options = {"width": "0.03125", "class_source": "given"}
    with flagsaver.as_parsed(initial_weights=path, **options):
        with pytest.raises(ValueError, match="see the number of classes of"):
            resnet_assembly.build_ensemble(("cat", "owl", "boat"))


def test_a_loss_without_an_output_is_refused():
    with flagsaver.as_parsed(class_weight="0.2"):
        with pytest.raises(ValueError, match="--class_weight must be 0"):
            resnet_assembly.check_objective()


@pytest.mark.long
def test_the_colorizer_trains_alone_and_colorizes(tmp_path):
    photos = drawn.write_album(tmp_path / "photos", 8, kind="jpg")
    options = FLAGS | {
        "images": photos,
        "validation_images": photos,
        "workdir": str(tmp_path / "run"),
        "batch_size": "4",
        "image_size": "32",
        "global_features": "true",
    }
    with flagsaver.as_parsed(**options):
        train_resnet_colorizer.main(["train_resnet_colorizer"])
    model, info = model_file.load(str(tmp_path / "run/model.keras"))
    assert (info.architecture, info.image_size) == ("resnet_colorizer", 32)
    assert set(model.input) == {"L"}
    rgb = Colorizer(str(tmp_path / "run/model.keras")).colorize(
        class_albums.picture("bright", 0)
    )
    assert rgb.shape == (32, 32, 3)


@pytest.mark.parametrize(("enlarge", "fits"), [(1, False), (2, True)])
def test_an_ensemble_says_the_smallest_picture_of_its_classifier(
    tmp_path, enlarge, fits
):
    path = str(tmp_path / "alexnet.keras")
    model = alexnet(num_classes=2, width=1 / 64, enlarge=enlarge)
    info = model_file.ModelInfo("alexnet", 64, class_names=("cat", "dog"))
    model_file.save(model, path, info)
    flags = {"classifier": path, "width": "0.03125", "image_size": "32"}
    with flagsaver.as_parsed(**flags):
        if fits:
            made = resnet_assembly.build_ensemble(("cat", "dog"))
            assert made({"L": np.zeros((1, 32, 32, 1))})["ab"].shape[1] == 32
            colorizer = Colorizer(made, image_size=32)
            assert colorizer.image_size == 32
            return
        with pytest.raises(ValueError, match="63 or more for AlexNet.*=32"):
            resnet_assembly.build_ensemble(("cat", "dog"))
    with flagsaver.as_parsed(**flags | {"image_size": "64"}):
        made = resnet_assembly.build_ensemble(("cat", "dog"))
    with pytest.raises(ValueError, match="63 or more for this model, which"):
        Colorizer(made, image_size=32)


def test_an_alexnet_says_its_smallest_picture_before_anything_is_made(
    tmp_path,
):
    flags = {"images": str(tmp_path), "workdir": str(tmp_path / "run")}
    with flagsaver.as_parsed(image_size="32", **flags):
        with pytest.raises(ValueError, match="64 as a multiple of 8. Received"):
            train_alexnet.main(["train_alexnet"])
    assert not (tmp_path / "run").exists()
