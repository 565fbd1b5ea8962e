import csv
import dataclasses
import io
import os

import numpy as np
import pytest

from studies import task_transfer
from studies.task_transfer import Setting
from tests.evaluation import predictions_of_classes as made
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import plots

RANDOM = Setting("trunk", "L", "10", "random")
FULL = dataclasses.replace(RANDOM, trunk="full")


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


def _condition(setting, seed):
    return dataclasses.asdict(setting) | {"seed": seed}


def test_finished_runs_are_read(tmp_path):
    runs = task_transfer.read_runs(
        {
            _write(tmp_path, "a", _right(1)): _condition(RANDOM, 0),
            _write(tmp_path, "b", _right(2)): _condition(RANDOM, 1),
            str(tmp_path / "unfinished"): _condition(FULL, 0),
        }
    )
    assert set(runs) == {RANDOM} and set(runs[RANDOM]) == {0, 1}
    np.testing.assert_array_equal(runs[RANDOM][1].right(), _right(2).right())


def test_runs_on_other_pictures_are_refused(tmp_path):
    conditions = {
        _write(tmp_path, "a", _right(1)): _condition(RANDOM, 0),
        _write(tmp_path, "b", _right(1, count=5)): _condition(FULL, 0),
    }
    with pytest.raises(ValueError, match="measured on the same pictures"):
        task_transfer.read_runs(conditions)


def _rows():
    runs = {
        FULL: {0: _right(0, 1, 2, 3, 4, 5), 1: _right(0, 1, 2)},
        RANDOM: {0: _right(0, 1, 2)},
        dataclasses.replace(FULL, pictures_per_class="all"): {0: _right(0)},
    }
    return task_transfer.make_rows(runs, made.GROUPS)


def test_rows_are_means_over_seeds_and_gains_over_a_random_trunk():
    random, full, other = _rows()
    assert (random.setting, full.setting) == (RANDOM, FULL)
    assert full.seeds == 2 and full.by_seed == [6 / 9, 3 / 9]
    assert full.accuracy.value == pytest.approx(0.5)
    assert full.accuracy.low < 0.5 < full.accuracy.high
    assert random.gain is None and other.gain is None
    # Of the seed that both have: three of nine pictures gain, six nothing.
    assert full.gain_seeds == 1 and random.gain_seeds == 0
    assert full.gain.value == pytest.approx(3 / 9)
    assert 0 <= full.gain.low < full.gain.value < full.gain.high <= 1
    # Apples that are called lemons, of both runs.
    assert (full.errors.errors, full.errors.inside) == (9, 0)


def test_the_table_is_written_as_csv_and_markdown():
    rows = _rows()
    text = task_transfer.csv_text(rows)
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
    plain = [dataclasses.replace(row, errors=None) for row in rows]
    assert "color group" not in task_transfer.markdown(plain)


def test_the_plot_has_a_panel_for_each_way_to_learn_and_see():
    rows = _rows()
    fine = dataclasses.replace(
        rows[0],
        setting=dataclasses.replace(RANDOM, freeze="none", inputs="L_ab"),
    )
    figure = task_transfer.draw([*rows, fine], num_classes=4)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["head learns, input L", "everything learns, input L_ab"]
    assert plots.png(figure)[:4] == b"\x89PNG"


def test_trunks_without_a_common_seed_have_no_gain():
    runs = {FULL: {0: _right(0, 1)}, RANDOM: {1: _right(0), 2: _right(1)}}
    _, full = task_transfer.make_rows(runs, None)
    assert full.gain is None and full.gain_seeds == 0
    assert "| – | – |" in task_transfer.markdown([full])
