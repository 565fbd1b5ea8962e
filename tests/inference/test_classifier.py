import zipfile

import numpy as np
import pytest
import tensorflow as tf

from tests import class_albums
from tests import drawn
from tests.inference import models
from tfcolor.data import labelled
from tfcolor.data import pipelines
from tfcolor.inference.classifier import Classifier
from tfcolor.models.task_transfer import task_transfer
from tfcolor.weights import model_file


def write_model(path, *, inputs="L", class_names=class_albums.CLASSES):
    """Writes a tiny classifier with random weights; returns the model."""
    model = task_transfer(
        num_classes=len(class_names), width=1 / 16, initializer="he_normal"
    )
    info = model_file.ModelInfo(
        "task_transfer", 16, class_names=class_names, inputs=inputs
    )
    model_file.save(model, str(path), info)
    return model


@pytest.mark.parametrize("inputs", labelled.INPUTS)
def test_pictures_are_seen_as_in_training(tmp_path, inputs):
    model = write_model(tmp_path / "model.keras", inputs=inputs)
    classifier = Classifier(tmp_path / "model.keras")
    assert classifier.class_names == class_albums.CLASSES
    rgb = drawn.colored(3, 40, 30)
    small = pipelines.resize_square(rgb, 16)[None]
    logits = model(labelled.network_inputs(small, inputs))["logits"]
    # Training rounds the small picture.
    np.testing.assert_allclose(
        classifier.probabilities([rgb]), tf.nn.softmax(logits), atol=0.01
    )


def test_classes_come_best_first_and_batches_do_not_matter(tmp_path):
    write_model(tmp_path / "model.keras")
    many = [drawn.colored(i, 20 + i, 30) for i in range(5)]
    one = Classifier(tmp_path / "model.keras", batch_size=2)
    rows = one.probabilities(many)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)
    best = one.classify(many[4])
    assert [p for _, p in best] == sorted(rows[4], reverse=True)
    assert dict(best)["dark"] == pytest.approx(rows[4][1], abs=1e-5)
    assert one.probabilities([]).shape == (0, 3)
    deep = many[0].astype(np.uint16) * 257
    np.testing.assert_allclose(one.probabilities([deep]), rows[:1], atol=1e-4)


@pytest.mark.parametrize(
    ("rgb", "said"),
    [
        (np.zeros([4, 4, 3], np.float32), "must be uint8"),
        (np.zeros([4, 4, 2], np.uint8), "must have the shape"),
        (np.zeros([0, 4, 3], np.uint8), "at least one pixel"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, rgb, said):
    write_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=said):
        Classifier(tmp_path / "model.keras").classify(rgb)


def test_a_grey_picture_is_one_of_equal_colors(tmp_path):
    write_model(tmp_path / "model.keras")
    classifier = Classifier(tmp_path / "model.keras")
    grey = drawn.colored(1, 12, 9)[..., 0]
    color = np.stack([grey] * 3, axis=-1)
    rows = classifier.probabilities([grey, grey[..., None], color])
    np.testing.assert_array_equal(rows[:2], rows[[2, 2]])


@pytest.mark.parametrize("batch_size", [0, 2.5])
def test_a_batch_is_a_whole_number_of_pictures(tmp_path, batch_size):
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}"):
        Classifier(tmp_path / "model.keras", batch_size=batch_size)


def test_what_is_no_classifier_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.keras"):
        Classifier(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(ValueError, match="text.keras"):
        Classifier(tmp_path / "text.keras")
    damaged = str(tmp_path / "damaged.keras")
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("config.json", '{"class_name": "os.system"}')
    with pytest.raises(ValueError, match="^A model file must hold") as raised:
        Classifier(damaged)
    # Once, not the sentence in its own brackets.
    assert str(raised.value).count(damaged) == 1
    path = str(tmp_path / "colorizer.keras")
    model_file.save(
        models.plain_model(), path, model_file.ModelInfo("siggraph", 16)
    )
    with pytest.raises(ValueError, match="must be a model file of `train_cl"):
        Classifier(path)
