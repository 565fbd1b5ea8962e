import json
import os

import numpy as np
import pytest
from absl.testing import flagsaver

from studies import ensemble
from tests.studies import quick_runs
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import color_scores

CLASSES = ["food"] * 12 + ["sky"] * 12
# Factors on the loss of the colorizer alone.
FACTORS = {"resnet": 1.0, "ensemble": 0.9, "oracle": 0.8, "shuffled": 1.0}


def _scores(variant, seed):
    rng = np.random.default_rng(0)
    loss = rng.uniform(1e-3, 9e-3, 24) * (1 + 0.01 * seed)
    loss *= FACTORS.get(variant, 1.0)
    if variant == "untaught":
        loss[:18] *= 0.5
    values = {"mse": loss, "mean_b": loss * 0 + 5, "yellow_share": loss * 0}
    truth = {"mean_b": loss * 0 + 7, "yellow_share": loss * 0 + 0.5}
    names = [f"{i}.jpg" for i in range(24)]
    return color_scores.make_scores(names, CLASSES, {variant: values}, truth)


def _predictions():
    """All 12 pictures of food are known, and 6 of 12 of sky."""
    labels = np.repeat([0, 1], 12)
    found = np.repeat([0, 1, 0], [12, 6, 6])
    names = [f"{i}.jpg" for i in reversed(range(24))]
    return class_predictions.ClassPredictions(
        names, labels[::-1], np.eye(2)[found[::-1]], ("food", "sky")
    )


@pytest.fixture
def started(monkeypatch):
    """Replaces training by quick results; gives the commands it ran."""

    def train(folder, command):
        variant, _, seed = folder.name.rpartition("-seed")
        if variant == "alexnet":
            value = {"value": 0.5, "low": 0.4, "high": 0.6}
            summary = {"accuracy": value, "top3": value | {"value": 0.75}}
            quick_runs.write_report(folder, _predictions(), json.dumps(summary))
        else:
            (folder / "report").mkdir()
            color_scores.write_scores(
                _scores(variant, int(seed)), str(folder / ensemble.SCORES)
            )

    return quick_runs.replace_training(monkeypatch, train)


def _start(tmp_path, **options):
    values = {
        "images": str(tmp_path),
        "workdir": str(tmp_path / "runs"),
        "variants": ",".join(FACTORS),
        "seeds": "0,1",
        "precision": "float32",
    }
    with flagsaver.as_parsed(**values | options):
        ensemble.main(["experiment"])


@pytest.mark.slow
def test_each_seed_has_a_classifier_and_all_variants(tmp_path, started):
    _start(tmp_path, train_flag=["--epochs=3"], alexnet_flag=["--epochs=7"])
    names = [os.path.basename(command[-1]) for command in started]
    each = ["alexnet", *FACTORS]
    assert names == [f"{name}-seed{seed}" for seed in (0, 1) for name in each]
    alexnet, resnet, ensemble, oracle, shuffled = started[:5]
    assert "--epochs=7" in alexnet and "--epochs=3" not in alexnet
    assert alexnet[2] == "trainers.train_alexnet"
    assert "--class_source=none" in resnet and "--epochs=3" in resnet
    model = f"--classifier={tmp_path}/runs/alexnet-seed0/model.keras"
    assert model in ensemble and model not in oracle
    assert "--class_input=true" in oracle
    assert "--class_input=shuffled" in shuffled


def test_results_are_paired_and_say_what_seeds_do(tmp_path, started):
    _start(tmp_path)
    text = (tmp_path / "runs/results.md").read_text()
    assert "top-3 75.0 [40.0, 60.0] %" in text
    assert "24 test pictures, mean over seeds 0, 1" in text
    assert "-10.00 (SD 0.00; -10.00, -10.00)" in text
    assert "| oracle | -20.00 [-20.00, -20.00] | 2 of 2 | 2 | 0 |" in text
    assert "| shuffled | +0.00 [+0.00, +0.00] | 0 of 2 | 0 | 0 |" in text
    assert "| ensemble | -10.00 [-10.00, -10.00] | – | +12.50 [" in text
    assert {"results.csv", "results.png"} < set(os.listdir(tmp_path / "runs"))


def test_results_tell_where_the_classifier_is_right(tmp_path, started):
    _start(tmp_path, variants="resnet,ensemble,untaught")
    text = (tmp_path / "runs/results.md").read_text()
    same, half, none = (
        f"{x} [{x}, {x}]" for x in ("-10.00", "-50.00", "+0.00")
    )
    assert f"| right | 36 | {same} | {half} |" in text
    assert f"| wrong | 12 | {same} | {none} |" in text


def test_a_classifier_that_is_given_serves_all_seeds(tmp_path, started):
    _start(tmp_path, classifier="mine.keras", variants="resnet,ensemble")
    assert len(started) == 4
    assert "--classifier=mine.keras" in started[1]


def test_without_a_variant_that_wants_one_no_classifier_is_trained(
    tmp_path, started
):
    _start(tmp_path, variants="resnet,oracle", seeds="4")
    assert [os.path.basename(c[-1]) for c in started] == [
        *("resnet-seed4", "oracle-seed4"),
    ]


def test_a_list_says_what_is_done(tmp_path, started, capsys):
    _start(tmp_path, variants="resnet", seeds="0")
    capsys.readouterr()
    _start(tmp_path, variants="resnet,untaught", seeds="0", list="true")
    said = capsys.readouterr().out
    assert said == "done  resnet-seed0\n      untaught-seed0\n"
    assert len(started) == 1


@pytest.mark.parametrize("options", [{"variants": "all"}, {"seeds": "x"}])
def test_unknown_variants_and_seeds_are_refused(tmp_path, options):
    with pytest.raises(ValueError, match="--variants must .*Received"):
        _start(tmp_path, **options)
