import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.models.alexnet import alexnet
from tfcolor.models.ensemble import ensemble
from tfcolor.weights import model_file


def _model():
    inputs = keras.Input((None, None, 1), name="L")
    ab = keras.layers.Conv2D(2, 3, name="ab")(inputs)
    return keras.Model({"L": inputs}, {"ab": ab})


L = {"L": tf.random.uniform([1, 5, 6, 1], 0, 100, seed=0)}
INFO = model_file.ModelInfo("siggraph", 128, "two lines\nand ümlauts")


def test_a_saved_model_comes_back_with_its_info(tmp_path):
    path, model = str(tmp_path / "model.keras"), _model()
    model_file.save(model, path, INFO)
    loaded, info = model_file.load(path)
    assert info == INFO == model_file.read_info(path)
    np.testing.assert_array_equal(loaded(L)["ab"], model(L)["ab"])


def test_keras_reads_a_model_file_too(tmp_path):
    path, model = str(tmp_path / "model.keras"), _model()
    model_file.save(model, path, INFO)
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded(L)["ab"], model(L)["ab"])


def test_a_plain_keras_file_has_the_default_info(tmp_path):
    path = str(tmp_path / "model.keras")
    _model().save(path)
    assert model_file.load(path)[1] == model_file.ModelInfo()


def test_saving_replaces_and_leaves_nothing_else(tmp_path):
    path = str(tmp_path / "model.keras")
    model_file.save(_model(), path, INFO)
    model = _model()
    model_file.save(model, path, INFO)
    assert os.listdir(tmp_path) == ["model.keras"]
    loaded, _ = model_file.load(path)
    np.testing.assert_array_equal(loaded(L)["ab"], model(L)["ab"])


def test_a_failed_save_keeps_the_file_that_was_there(tmp_path, monkeypatch):
    path, model = str(tmp_path / "model.keras"), _model()
    model_file.save(model, path, INFO)

    def full_disk(*unused):
        raise OSError("no space left")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full_disk)
    with pytest.raises(OSError, match="no space"):
        model_file.save(_model(), path, INFO)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["model.keras"]
    loaded, _ = model_file.load(path)
    np.testing.assert_array_equal(loaded(L)["ab"], model(L)["ab"])


def test_a_file_name_without_a_folder_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model_file.save(_model(), "model.keras", INFO)
    assert model_file.load("model.keras")[1] == INFO


def test_other_extensions_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must end in '.keras'. Received"):
        model_file.save(_model(), str(tmp_path / "model.h5"), INFO)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.keras"):
        model_file.load(str(tmp_path / "absent.keras"))


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"not a zip archive")
    with pytest.raises(ValueError, match="Received: .*model.keras"):
        model_file.load(str(path))


def test_an_archive_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match="Received: .*model.keras"):
        model_file.load(str(path))


@pytest.mark.slow
def test_a_process_that_built_no_model_can_load_every_layer(tmp_path):
    path = str(tmp_path / "model.keras")
    classifier = alexnet(num_classes=2, width=1 / 64)
    model = ensemble(num_classes=2, classifier=classifier, width=1 / 16)
    model_file.save(model, path, model_file.ModelInfo("ensemble", 64))
    program = (
        "import sys; from tfcolor.weights import model_file; "
        "print(model_file.load(sys.argv[1])[1].architecture)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout == "ensemble\n", process.stderr[-500:]
