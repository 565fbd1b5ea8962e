import csv
import json
import os

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.evaluation import predictions_of_classes as made
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report

METRICS = [
    {"step": float(i), "accuracy": i / 20, "loss": 2 - i / 20}
    for i in range(1, 20)
] + [{"step": 19.0, "validation/accuracy": 0.5, "validation/loss": 1.0}]


def _examples(count):
    rgb = drawn.colored(1, 24, 30)
    grey = drawn.grey(1, 24, 30)
    return [
        classifier_report.Example(rgb, grey, rgb, "apple", "lemon", 0.6)
    ] * count


def _write(folder, **options):
    options = {"groups": made.GROUPS, "examples": _examples(3)} | options
    return classifier_report.write_report(
        str(folder), made.MIXED, metrics=METRICS, part="test", **options
    )


def test_a_report_has_tables_and_figures(tmp_path):
    text = _write(tmp_path / "report")
    assert sorted(os.listdir(tmp_path / "report")) == [
        *("classes.csv", "confusion.png", "curves.png", "examples.png"),
        *("predictions.csv", "report.md", "summary.json"),
    ]
    assert (tmp_path / "report/report.md").read_text() == text
    for name in ("confusion", "curves", "examples"):
        with Image.open(tmp_path / f"report/{name}.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 5
    summary = json.loads((tmp_path / "report/summary.json").read_text())
    assert summary["accuracy"]["value"] == pytest.approx(5 / 9)
    assert summary["accuracy"]["low"] < 5 / 9 < summary["accuracy"]["high"]
    assert summary["color_groups"]["inside"] == 3
    again = class_predictions.read_predictions(
        str(tmp_path / "report" / classifier_report.PREDICTIONS)
    )
    assert again.names == made.MIXED.names


def test_the_summary_says_what_chance_has(tmp_path):
    text = _write(tmp_path)
    assert text.startswith("# 9 test pictures of 4 classes")
    assert "Right: 55.6 [" in text
    assert "3 of 4 errors stay inside a color group: 75.0 [" in text
    assert "Spread evenly over the wrong classes it would be 33.3 %" in text
    assert "33.3 % on average; p, the part of them with" in text
    assert "as much or more: 0.333." in text
    assert "| lemon | yellow | 3 | 66.7 | 66.7 | banana (1) |" in text


def test_a_p_value_is_never_written_as_0():
    found = [classifier_report.p_text(p) for p in (1, 0.0274, 0.001, 1e-4)]
    assert found == ["1.000", "0.027", "0.001", "< 0.001"]


def test_a_report_needs_neither_groups_nor_a_colorizer(tmp_path):
    text = _write(tmp_path, groups=None, examples=[])
    assert "color group:" not in text
    assert "examples.png" not in os.listdir(tmp_path)
    with open(tmp_path / "classes.csv", newline="") as f:
        assert [row["name"] for row in csv.DictReader(f)] == list(made.NAMES)


def test_classes_without_pictures_have_no_recall():
    predictions = made.make([("apple", "lemon")])
    rows = classifier_report.class_rows(predictions, None, [0, 1, 2])
    assert np.isnan(rows["recall"][1]) and rows["precision"][1] == 0
    assert np.isnan(rows["precision"][2])
    text = classifier_report.markdown(predictions, rows, None, part="test")
    assert "| tomato | – | 0 | – | – | – |" in text


def test_smoothing_is_a_mean_that_keeps_constants_and_ends():
    values = np.array([0.0, 3.0, 6.0, 0.0])
    np.testing.assert_allclose(
        classifier_report.smooth(values, 3), [1.5, 3.0, 3.0, 3.0]
    )
    np.testing.assert_allclose(classifier_report.smooth(np.ones(9), 4), 1)
    np.testing.assert_array_equal(classifier_report.smooth(values, 1), values)
