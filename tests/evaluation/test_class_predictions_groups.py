import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest

from tests.evaluation import predictions_of_classes as made
from tfcolor.evaluation import class_predictions

_PAIRS = [("apple", "apple"), ("apple", "tomato"), ("lemon", "tomato")]
SIX = ("a", "b", "c", "d", "e", "f")


def _runs(predictions, count):
    """The table of runs that all say the same."""
    return pd.concat([predictions.table] * count)


def test_groups_are_read_from_the_data_set(tmp_path):
    assert class_predictions.read_groups(str(tmp_path), made.NAMES) is None
    path = tmp_path / "color_groups.json"
    path.write_text(json.dumps(made.GROUPS | {"plum": "blue"}))
    assert (
        class_predictions.read_groups(str(tmp_path), made.NAMES) == made.GROUPS
    )
    with pytest.raises(ValueError, match=r"without \['pear'\]"):
        class_predictions.read_groups(str(tmp_path), (*made.NAMES, "pear"))
    path.write_text("{")
    with pytest.raises(ValueError, match="must be JSON"):
        class_predictions.read_groups(str(tmp_path), made.NAMES)


def test_classes_of_a_group_come_together():
    order = class_predictions.group_order(made.NAMES, made.GROUPS)
    assert [made.NAMES[i] for i in order] == [
        *("apple", "tomato", "lemon", "banana"),
    ]
    assert class_predictions.group_order(made.NAMES, None) == [0, 1, 2, 3]


def test_errors_are_counted_inside_and_between_groups():
    errors = class_predictions.group_errors(made.MIXED.table, made.GROUPS)
    assert (errors.errors, errors.inside, errors.share) == (4, 3, 0.75)
    assert errors.low <= 0.75 <= errors.high
    # One of three wrong classes is of the same group.
    assert errors.even_share == pytest.approx(1 / 3)
    assert errors.regrouped_share == pytest.approx(1 / 3)


def test_errors_of_several_runs_are_counted_together():
    errors = class_predictions.group_errors(_runs(made.MIXED, 3), made.GROUPS)
    assert (errors.errors, errors.inside) == (12, 9)


def test_without_errors_there_is_no_share():
    right = made.make([("apple", "apple")])
    errors = class_predictions.group_errors(right.table, made.GROUPS)
    assert errors.errors == 0 and math.isnan(errors.share)


def _random_predictions(seed):
    rng = np.random.default_rng(seed)
    return made.make(
        [tuple(rng.choice(SIX, 2, replace=False)) for _ in range(40)], SIX
    )


def test_the_p_value_counts_every_other_grouping():
    predictions = _random_predictions(4)
    groups = dict(zip(SIX, "xxxyyz", strict=True))
    errors = class_predictions.group_errors(predictions.table, groups)
    true, best = predictions.labels, predictions.predicted()
    shares = [
        np.mean([kind[i] == kind[j] for i, j in zip(true, best, strict=True)])
        for kind in set(itertools.permutations("xxxyyz"))
    ]
    assert len(shares) == 60
    expected = np.mean(np.array(shares) >= errors.share - 1e-9)
    assert errors.p_value == pytest.approx(expected)
    assert errors.regrouped_share == pytest.approx(np.mean(shares))


def test_many_groupings_are_drawn_instead(monkeypatch):
    predictions = _random_predictions(4)
    groups = dict(zip(SIX, "xxxyyz", strict=True))
    exact = class_predictions.group_errors(predictions.table, groups)
    monkeypatch.setattr(class_predictions, "_MAX_GROUPINGS", 59)
    drawn = class_predictions.group_errors(predictions.table, groups)
    assert drawn.p_value != exact.p_value
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.2)
    # The grouping found is one of them: p is never 0.
    assert drawn.p_value >= 1 / 59


def test_errors_that_follow_the_groups_are_found():
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "d")]
    groups = dict(zip(SIX, "xxxyyy", strict=True))
    errors = class_predictions.group_errors(
        made.make(pairs * 4, SIX).table, groups
    )
    assert errors.share == 1 and errors.p_value == pytest.approx(2 / 20)


def test_runs_that_agree_do_not_narrow_the_interval():
    predictions = made.make(_PAIRS * 5)
    one, three = (
        class_predictions.group_errors(_runs(predictions, count), made.GROUPS)
        for count in (1, 3)
    )
    assert three.errors == 3 * one.errors
    assert (three.share, three.low, three.high) == pytest.approx(
        (one.share, one.low, one.high)
    )
    assert 0 < one.low < one.share < one.high < 1
