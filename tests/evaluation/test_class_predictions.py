import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.evaluation import predictions_of_classes as made
from tfcolor.evaluation import class_predictions


def test_predictions_count_what_is_right():
    assert made.MIXED.right().sum() == 5
    assert made.MIXED.right(4).all()
    matrix = made.MIXED.confusion()
    assert matrix.sum() == 9 and matrix[1, 3] == 1 and matrix[3, 1] == 0
    np.testing.assert_array_equal(matrix.sum(axis=1), [2, 3, 2, 2])


def test_the_long_table_has_a_row_for_each_picture_and_metric():
    table = made.MIXED.table
    assert len(table) == 2 * 9
    assert list(table["class"].cat.categories) == list(made.NAMES)
    second = table[table["picture"] == 1]
    assert set(second["class"]) == {"apple"}
    assert set(second["predicted"]) == {"tomato"}
    values = dict(zip(second["metric"], second["value"], strict=True))
    # Of equal guesses the first classes count.
    assert values == {"right": 0, "top3": 1}
    for metric, top in (("right", 1), ("top3", 3)):
        np.testing.assert_array_equal(
            class_predictions.by_picture(table, metric), made.MIXED.right(top)
        )


def test_several_runs_make_a_mean_for_each_picture():
    runs = [made.make([("apple", p), ("lemon", "lemon")]) for p in made.NAMES]
    table = pd.concat([run.table for run in runs])
    np.testing.assert_array_equal(
        class_predictions.by_picture(table), [1 / 4, 1]
    )


def test_a_csv_file_keeps_them(tmp_path):
    path = str(tmp_path / "predictions.csv")
    class_predictions.write_predictions(made.MIXED, path)
    again = class_predictions.read_predictions(path)
    assert again.names == made.MIXED.names
    assert again.class_names == made.NAMES
    np.testing.assert_array_equal(again.labels, made.MIXED.labels)
    np.testing.assert_allclose(
        again.probabilities, made.MIXED.probabilities, atol=1e-6
    )
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="that begins with"):
        class_predictions.read_predictions(str(tmp_path / "other.csv"))


def test_predict_keeps_the_order_of_the_data():
    inputs = keras.Input((3,), name="x")
    model = keras.Model({"x": inputs}, {"logits": inputs})
    logits = np.float32([[3, 1, 2], [0, 5, 1], [1, 1, 9]])
    dataset = tf.data.Dataset.from_tensor_slices(
        ({"x": logits}, {"label": [0, 1, 1], "name": ["a", "b", "c"]})
    ).batch(2)
    found = class_predictions.predict(model, dataset, ("u", "v", "w"))
    assert found.names == ["a", "b", "c"]
    np.testing.assert_array_equal(found.predicted(), [0, 1, 2])
    np.testing.assert_array_equal(found.right(), [1, 1, 0])
    np.testing.assert_allclose(found.probabilities, tf.nn.softmax(logits))


def test_small_probabilities_keep_their_order_in_a_csv_file(tmp_path):
    sure = np.float32([[1e-8, 2e-8, 1e-9, 9e-8, 1]])
    names = ("a", "b", "c", "d", "e")
    predictions = class_predictions.ClassPredictions(
        ["x.jpg"], np.array([3]), sure, names
    )
    path = str(tmp_path / "predictions.csv")
    class_predictions.write_predictions(predictions, path)
    again = class_predictions.read_predictions(path)
    np.testing.assert_array_equal(again.probabilities.astype("float32"), sure)
    assert predictions.right(3) == again.right(3) == 1
    assert predictions.right(2) == again.right(2) == 1
