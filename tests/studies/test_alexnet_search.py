import os

import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver

from studies import alexnet_search
from studies import resumable_runs
from tests.evaluation import predictions_of_classes as made
from tests.studies import quick_runs
from tfcolor.evaluation import classifier_report


@pytest.fixture
def started(monkeypatch):
    """Replaces training by quick results; gives the commands it ran."""

    def train(folder, command):
        quick_runs.write_report(folder, made.MIXED)
        # The higher rate is better, and best at its first validation.
        top3 = 0.75 if "rate_0.001" in folder.name else 0.5
        (folder / "metrics.csv").write_text(
            "step,loss,validation/accuracy,validation/top3\n"
            f"5,1,,\n10,,0.25,{top3}\n15,,0.75,{top3}\n20,,0.5,0.4\n"
        )

    return quick_runs.replace_training(monkeypatch, train)


def _start(tmp_path, **options):
    values = {
        "images": str(tmp_path),
        "workdir": str(tmp_path / "search"),
        "batch_sizes": "16,32",
        "l2s": "0,2.5e-4",
        "learning_rates": "1e-4,1e-3",
        "target_kinds": "soft",
        "precision": "float32",
    }
    with flagsaver.as_parsed(**values | options):
        alexnet_search.main(["search_alexnet"])


def test_every_cell_is_a_run_with_its_settings(tmp_path, started):
    _start(tmp_path, train_flag=["--epochs=3"])
    assert len(started) == 8
    name = os.path.basename(started[3][-1])
    assert name == "soft-batch16-l2_0.00025-rate_0.001"
    for flag in (
        *("--targets=soft", "--batch_size=16", "--l2=0.00025"),
        *("--learning_rate=0.001", "--epochs=3"),
    ):
        assert flag in started[3]
    _start(tmp_path, train_flag=["--epochs=3"])
    assert len(started) == 8


def test_results_put_the_best_validation_first(tmp_path, started):
    _start(tmp_path)
    lines = (tmp_path / "search/results.md").read_text().splitlines()
    assert lines[0] == "## Grid search: 8 cells"
    assert lines[4].startswith("| soft | 16 | 0 | 0.001 | 75.00 | 25.00 | 10 |")
    assert lines[8].startswith("| soft | 16 | 0 | 0.0001 | 50.00 |")
    assert (tmp_path / "search/results.csv").read_text().count("\n") == 9
    image = (tmp_path / "search/results.png").read_bytes()
    assert image.startswith(b"\x89PNG")


def test_a_report_that_is_not_whole_is_passed_over(tmp_path, started):
    _start(tmp_path)
    search = tmp_path / "search"
    conditions = resumable_runs.read_conditions(str(search))
    cells = alexnet_search.read_cells(conditions)
    best = search / cells["folder"].iloc[0]
    (best / "report" / classifier_report.SUMMARY).unlink()
    left = alexnet_search.read_cells(conditions)
    assert list(left["folder"]) == list(cells["folder"][1:])


def test_tensorboard_gets_settings_and_results_of_each_cell(tmp_path, started):
    _start(tmp_path, batch_sizes="16", l2s="0")
    (path,) = (tmp_path / "search").glob("*rate_0.001/hparams/*tfevents*")
    events = [
        tf.compat.v1.Event.FromString(record)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    values = {v.tag: v for e in events for v in e.summary.value}
    assert "_hparams_/session_start_info" in values
    np.testing.assert_allclose(tf.make_ndarray(values["top3"].tensor), 0.75)
    # Written once, however often results are.
    _start(tmp_path, batch_sizes="16", l2s="0")
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    "options, said",
    [
        ({"l2s": "small"}, "--l2s must be numbers"),
        ({"batch_sizes": "1.5"}, "--batch_sizes must be numbers"),
        ({"target_kinds": "hot"}, "--target_kinds must be"),
    ],
)
def test_values_that_are_no_settings_are_refused(tmp_path, options, said):
    with pytest.raises(ValueError, match=f"{said}.*Received"):
        _start(tmp_path, **options)
