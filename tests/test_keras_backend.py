"""What needs TensorFlow as Keras' backend says so; the rest needs none."""

import os
import pathlib
import shutil
import subprocess
import sys

import keras
import pytest

from tests import class_albums
from tests.detection import tiny_detectors
from tests.inference import models
from tfcolor import keras_backend
from tfcolor.data import sample_pictures
from tfcolor.inference import litert_network
from tfcolor.models import task_transfer
from tfcolor.weights import model_file

ROOT = pathlib.Path(__file__).parents[1]
SENTENCE = "needs TensorFlow as the backend of Keras: set KERAS_BACKEND=tensor"
# By one process, since each would import Keras and JAX anew.
_COMMANDS = """
import sys
from tfcolor.cli import main
for line in sys.stdin.read().splitlines():
    print("status", main.run(line.split()), file=sys.stderr, flush=True)
"""
NEED = (
    "colorize a.jpg --output=b.png --runtime=tensorflow",
    "colorize a.jpg --output=b.png --model=plain.keras",
    "colorize a.jpg --output=b.png --hints=hints.json",
    "demo --model=plain.keras",
    "classify a.jpg --model=classes.keras",
    "evaluate --truth=a.jpg --output=report",
    "prepare --images=a.jpg --output=records",
    "detect a.jpg --detector=detector --output=boxes",
    "export --output=saved/1",
    "export --output=litert --format=litert",
    "export --output=onnx --format=onnx",
    "import-weights a.npz --architecture=full --output=b.keras",
)
NEED_NOT = (
    "colorize a.jpg --output=litert.png",
    "demo --output=demo",
    "models",
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene")
    shutil.copy(sample_pictures.paths()[0], folder / "a.jpg")
    point = '{"points": [{"x": 1, "y": 1, "color": "#3b7dd8"}]}'
    (folder / "hints.json").write_text(point)
    models.save(models.plain_model(), folder / "plain.keras")
    info = model_file.ModelInfo(
        "task_transfer", 32, class_names=("a", "b", "c")
    )
    classifier = task_transfer.task_transfer(num_classes=3, width=1 / 16)
    model_file.save(classifier, str(folder / "classes.keras"), info)
    tiny_detectors.object_detection_api(folder / "detector")
    class_albums.write_parts(folder / "fruits", train=4, val=2, test=2)
    return folder


def _run(folder, *program, backend="jax", said=""):
    return subprocess.run(
        [sys.executable, *program],
        cwd=folder,
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_backend_of_these_tests_is_tensorflow(monkeypatch):
    keras_backend.require_tensorflow("Anything")
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match=f"^This {SENTENCE}.* 'torch'$"):
        keras_backend.require_tensorflow("This")


@pytest.mark.slow
def test_commands_say_that_they_need_tensorflow_in_one_sentence(scene):
    pytest.importorskip("jax")
    done = _run(scene, "-c", _COMMANDS, said="\n".join(NEED))
    lines = done.stderr.splitlines()
    assert len(lines) == 2 * len(NEED), done.stderr
    for command, error, status in zip(
        NEED, lines[::2], lines[1::2], strict=True
    ):
        name = command.split()[0]
        assert error.startswith(f"tfcolor {name}: error: "), command
        assert SENTENCE in error and "'jax'" in error, command
        assert status == "status 2", command
    assert not (scene / "saved").exists() and not (scene / "b.png").exists()


@pytest.mark.slow
@pytest.mark.skipif(
    not litert_network.has_own_package(), reason="needs ai-edge-litert"
)
def test_what_litert_does_takes_any_backend(scene):
    pytest.importorskip("jax")
    done = _run(scene, "-c", _COMMANDS, said="\n".join(NEED_NOT))
    assert done.stderr.count("status 0") == len(NEED_NOT), done.stderr
    assert (scene / "litert.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("trainer", ["train_full", "train_classifier"])
def test_trainers_say_that_they_need_tensorflow(scene, trainer):
    pytest.importorskip("jax")
    done = _run(
        scene,
        *("-m", f"trainers.{trainer}", "--images=fruits", "--workdir=run"),
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert f"train_on_arrays {SENTENCE}" in done.stderr
