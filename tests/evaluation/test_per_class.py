import csv
import dataclasses
import io

import numpy as np
import pytest
import tensorflow as tf

from tfcolor.evaluation import color_scores
from tfcolor.evaluation import per_class
from tfcolor.evaluation import plots

CLASSES = ["food"] * 30 + ["sky"] * 20 + ["beer"]


def made_scores(classes=CLASSES):
    """`better` has 10 % less loss on food, as noisy pictures as they are."""
    rng = np.random.default_rng(0)
    food = np.array([label == "food" for label in classes])
    loss = rng.uniform(1e-3, 9e-3, len(classes))
    noise = rng.normal(0, 1e-5, len(classes))
    losses = {
        "first": loss,
        "better": np.where(food, 0.9 * loss, loss) + noise,
        "worse": loss + 1e-3,
    }
    values = {
        name: {
            "mse": mse,
            "mean_b": np.full(len(classes), 4.0),
            "yellow_share": np.full(len(classes), 0.25),
        }
        for name, mse in losses.items()
    }
    truth = {
        "mean_b": np.full(len(classes), 6.5),
        "yellow_share": np.full(len(classes), 0.5),
    }
    names = [f"{label}/{i}.jpg" for i, label in enumerate(classes)]
    return color_scores.make_scores(names, list(classes), values, truth)


def test_rows_hold_mean_deviation_and_paired_differences():
    scores = made_scores()
    rows = per_class.class_rows(scores)
    assert [row.name for row in rows] == ["beer", "food", "sky"]
    assert [row.pictures for row in rows] == [1, 30, 20]
    food = rows[1]
    first, better = (scores.values[m]["mse"][:30] for m in ("first", "better"))
    assert food.means["better"] == pytest.approx(better.mean())
    assert food.deviations["first"] == pytest.approx(first.std(ddof=1))
    found = food.differences["better"]
    assert found.value == pytest.approx((better - first).mean())
    # Paired: far narrower than the spread of the pictures.
    assert found.low < found.value < found.high < 0
    assert found.high - found.low < 0.1 * food.deviations["first"]
    worse = food.differences["worse"]
    assert worse.low == pytest.approx(1e-3) == pytest.approx(worse.high)


def test_changes_count_classes_and_what_is_sure():
    scores = made_scores()
    changes = per_class.changes(scores, per_class.class_rows(scores))
    losses = {name: v["mse"].mean() for name, v in scores.values.items()}
    expected = losses["better"] / losses["first"] - 1
    better, worse = changes["better"], changes["worse"]
    assert better.loss.value == pytest.approx(expected)
    assert better.loss.low < expected < better.loss.high < 0
    assert better.surely_improved == 1 and better.improved >= 1
    assert (worse.improved, worse.surely_improved) == (0, 0)
    # One picture has no interval, so nothing is sure of beer.
    assert (worse.surely_worse, worse.classes) == (2, 3)


def test_tables_say_losses_in_thousandths_and_yellowness():
    text = per_class.markdown(
        made_scores(), heading="51 pictures", delivered=False
    )
    food = made_scores().values["first"]["mse"][:30]
    cell = f"{1000 * food.mean():.2f} ({1000 * food.std(ddof=1):.2f})"
    assert f"| food | 30 | {cell} |" in text
    assert "better minus first" in text and "| all pictures | 51 |" in text
    assert "0 of 3" in text
    assert "| truth | 6.50 | 0 | 50.00 | 0 |" in text
    assert "-2.50 [-2.50, -2.50]" in text and "-25.00 [" in text
    assert "own output" in text


def test_the_csv_has_a_row_for_every_class_and_method():
    rows = list(csv.DictReader(io.StringIO(per_class.csv_text(made_scores()))))
    assert len(rows) == 9
    food = [row for row in rows if row["class"] == "food"]
    assert [row["method"] for row in food] == ["first", "better", "worse"]
    assert float(food[2]["difference"]) == pytest.approx(1e-3)
    assert food[0]["difference"] == "0" and food[0]["difference_low"] == ""


@pytest.mark.parametrize("methods", [1, 3])
def test_the_chart_has_a_bar_for_every_class_and_method(methods):
    scores = made_scores()
    kept = dict(list(scores.values.items())[:methods])
    scores = color_scores.make_scores(
        scores.names, scores.classes, kept, scores.truth
    )
    figure = plots.draw_by_class(scores)
    assert len(figure.axes[0].patches) == 3 * methods
    if methods > 1:
        assert len(figure.axes[1].patches) == 3 * (methods - 1)
    assert plots.png(figure).startswith(b"\x89PNG")


def test_yellow_is_where_b_is_above_20():
    ab = np.zeros([1, 2, 2, 2], np.float32)
    ab[0, 0, 0, 1], ab[0, 0, 1, 1], ab[0, 1, 1] = 30, 20, (90, -10)
    found = color_scores.yellowness(tf.constant(ab))
    np.testing.assert_allclose(found["mean_b"], [10])
    np.testing.assert_allclose(found["yellow_share"], [0.25])


def test_a_model_is_scored_by_the_loss_of_the_study(tmp_path):
    import keras

    L = keras.Input((None, None, 1), name="L")
    ab = keras.ops.concatenate([L * 0 + 51, L * 0], -1)
    model = keras.Model({"L": L}, {"ab": ab})
    targets = {
        "ab": tf.zeros([3, 8, 8, 2]),
        "label": tf.constant([0, 1, 1], tf.int64),
        "name": tf.constant(["x", "y", "z"]),
    }
    data = tf.data.Dataset.from_tensor_slices(
        ({"L": tf.zeros([3, 8, 8, 1])}, targets)
    ).batch(2)
    scores = color_scores.score_model(model, data, ("a", "b"), method="m")
    # (51 / 255)^2 in one of two channels.
    np.testing.assert_allclose(scores.values["m"]["mse"], 0.02, rtol=1e-5)
    assert scores.classes == ["a", "b", "b"]
    path = str(tmp_path / "scores.csv")
    color_scores.write_scores(scores, path)
    again = color_scores.read_scores(path, method="n")
    assert (again.names, again.classes) == (["x", "y", "z"], scores.classes)
    for key in color_scores.KEYS:
        np.testing.assert_allclose(
            again.values["n"][key], scores.values["m"][key], rtol=1e-6
        )


def test_other_files_are_no_scores(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="Scores must be .*other.csv"):
        color_scores.read_scores(str(path), method="n")


def test_a_class_of_one_picture_has_a_dash_for_its_deviation():
    rows = per_class.loss_table(
        made_scores(), per_class.class_rows(made_scores())
    )
    assert rows[1][0] == "beer" and rows[1][2].endswith(" (–)")


def test_few_pictures_are_sure_of_nothing():
    scores = made_scores(["food"] * 30 + ["sky"] * 9)
    worse = per_class.changes(scores, per_class.class_rows(scores))["worse"]
    assert (worse.surely_worse, worse.classes) == (1, 2)
    text = per_class.markdown(scores, heading="39", delivered=False)
    assert "Classes of fewer than 10 pictures" in text


def test_crops_of_one_file_count_as_one_picture_of_a_class():
    scores = made_scores()
    files = np.arange(len(CLASSES)) // 4
    crops = dataclasses.replace(scores, files=files)
    food, apart = (per_class.class_rows(s)[1] for s in (crops, scores))
    assert (food.pictures, food.files) == (30, 8)
    assert food.means == apart.means
    own, free = (row.differences["better"] for row in (food, apart))
    assert own.value == pytest.approx(free.value) and own.low != free.low
    change = per_class.changes(crops, per_class.class_rows(crops))["better"]
    assert change.surely_improved == 0
