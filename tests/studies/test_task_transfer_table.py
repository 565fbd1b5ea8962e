import csv
import io
import os

import numpy as np
import pandas as pd
import pytest

from studies import task_transfer
from tests.evaluation import predictions_of_classes as made
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import plots
from tfcolor.evaluation import results

RANDOM = {"freeze": "trunk", "inputs": "L", "pictures_per_class": "10"}
RANDOM |= {"trunk": "random"}
FULL = RANDOM | {"trunk": "full"}


def _right(*places, count=9):
    """Predictions of apples, right at these places."""
    return made.make(
        [("apple", "apple" if i in places else "lemon") for i in range(count)]
    )


def _write(workdir, name, predictions):
    folder = str(workdir / name)
    classifier_report.write_report(
        os.path.join(folder, "report"),
        predictions,
        groups=None,
        metrics=[],
        examples=[],
        part="test",
    )
    return folder


def _table(*runs):
    """The long table of runs: (setting, seed, predictions)."""
    return pd.concat(
        predictions.table.assign(**setting, seed=seed)
        for setting, seed, predictions in runs
    )


def test_finished_runs_are_read(tmp_path):
    table = task_transfer.read_runs(
        {
            _write(tmp_path, "a", _right(1)): RANDOM | {"seed": 0},
            _write(tmp_path, "b", _right(2)): RANDOM | {"seed": 1},
            str(tmp_path / "unfinished"): FULL | {"seed": 0},
        }
    )
    assert set(table["trunk"]) == {"random"} and set(table["seed"]) == {0, 1}
    second = class_predictions.by_picture(table[table["seed"] == 1])
    np.testing.assert_array_equal(second, _right(2).right())


def test_of_runs_that_are_alike_the_last_counts(tmp_path):
    conditions = {
        _write(tmp_path, name, _right(*places)): RANDOM | {"seed": 0}
        for name, places in (("a", (1,)), ("a-copy", (1, 2)))
    }
    table = task_transfer.read_runs(conditions)
    assert list(task_transfer.seed_means(table)) == [2 / 9]


def test_without_a_finished_run_there_is_no_table(tmp_path):
    conditions = {str(tmp_path / "unfinished"): RANDOM | {"seed": 0}}
    assert task_transfer.read_runs(conditions) is None


def test_runs_on_other_pictures_are_refused(tmp_path):
    conditions = {
        _write(tmp_path, "a", _right(1)): RANDOM | {"seed": 0},
        _write(tmp_path, "b", _right(1, count=5)): FULL | {"seed": 0},
    }
    with pytest.raises(ValueError, match="measured on the same pictures"):
        task_transfer.read_runs(conditions)


TABLE = _table(
    (FULL, 0, _right(0, 1, 2, 3, 4, 5)),
    (FULL, 1, _right(0, 1, 2)),
    (RANDOM, 0, _right(0, 1, 2)),
    (FULL | {"pictures_per_class": "all"}, 0, _right(0)),
)


def _rows():
    return task_transfer.make_rows(TABLE, made.GROUPS)


def test_rows_are_means_over_seeds_and_gains_over_a_random_trunk():
    random, full, other = rows = list(_rows().itertuples())
    assert [row.trunk for row in rows] == ["random", "full", "full"]
    assert [row.pictures_per_class for row in rows] == ["10", "10", "all"]
    assert full.seeds == 2
    assert (full.best_seed, full.worst_seed) == (6 / 9, 3 / 9)
    assert full.accuracy == pytest.approx(0.5)
    assert full.accuracy_low < 0.5 < full.accuracy_high
    assert np.isnan(random.gain) and np.isnan(other.gain)
    # Of the seed that both have: three of nine pictures gain, six nothing.
    assert full.gain_seeds == 1 and random.gain_seeds == 0
    assert full.gain == pytest.approx(3 / 9)
    assert 0 <= full.gain_low < full.gain < full.gain_high <= 1
    # Apples that are called lemons, of both runs.
    assert (full.errors, full.errors_inside) == (9, 0)


def test_the_table_is_written_as_csv_and_markdown():
    rows = _rows()
    text = results.csv_text(rows)
    first, second, _ = csv.DictReader(io.StringIO(text))
    assert (first["trunk"], first["gain"]) == ("random", "nan")
    assert float(second["gain"]) == pytest.approx(1 / 3, abs=1e-5)
    assert (first["gain_seeds"], second["gain_seeds"]) == ("0", "1")
    assert (second["seeds"], second["errors"]) == ("2", "9")
    text = task_transfer.markdown(rows)
    assert "| full | the head | L | 10 | 2 | 50.0 [" in text
    assert "| 33.3 .. 66.7 |" in text
    gain = text.partition("| +33.3 [")[2].partition("\n")[0]
    assert gain.endswith("] | 1 |")
    assert "Errors inside a color group" in text
    plain = task_transfer.make_rows(TABLE, None)
    assert "color group" not in task_transfer.markdown(plain)


def test_the_plot_has_a_panel_for_each_way_to_learn_and_see():
    fine = RANDOM | {"freeze": "none", "inputs": "L_ab"}
    table = pd.concat([TABLE, _table((fine, 0, _right(0, 1, 2)))])
    rows = task_transfer.make_rows(table, made.GROUPS)
    figure = task_transfer.draw(rows, table, num_classes=4)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["head learns, input L", "everything learns, input L_ab"]
    assert plots.png(figure)[:4] == b"\x89PNG"


def test_trunks_without_a_common_seed_have_no_gain():
    table = _table(
        (FULL, 0, _right(0, 1)), (RANDOM, 1, _right(0)), (RANDOM, 2, _right(1))
    )
    full = task_transfer.make_rows(table, None)[1:]
    assert np.isnan(full["gain"].item()) and full["gain_seeds"].item() == 0
    assert "| – | – |" in task_transfer.markdown(full)
