"""Model files of an earlier tfcolor load and color as they did there."""

import functools
import pathlib

import numpy as np
import pytest

from tfcolor import Classifier
from tfcolor import Colorizer
from tfcolor import load_model
from tfcolor.models import architecture

FOLDER = pathlib.Path(__file__).parent.parent / "golden" / "old_files"
_HINTS = architecture.Takes(True, False, False, 0, 8, 8)
_NOTHING = architecture.Takes(False, False, False, 0, 8, 8)
# What each model takes beside lightness.
MODELS = {
    "siggraph": _HINTS,
    "siggraph_blend": _HINTS,
    "instance_colorizer": architecture.Takes(True, True, False, 0, 8, 8),
    "resnet_colorizer": _NOTHING,
    "ensemble_given": architecture.Takes(False, False, False, 3, 8, 8),
    "ensemble_classifier": architecture.Takes(False, False, False, 0, 8, 63),
    "ensemble_boxes": architecture.Takes(False, False, True, 0, 8, 8),
    "task_transfer": _HINTS,
}
_SLOW = ("instance_colorizer", "siggraph_blend")
COLORIZERS = [
    pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else [])
    for name in MODELS
    if name != "task_transfer"
]


@functools.cache
def _stored() -> dict[str, np.ndarray]:
    with np.load(FOLDER / "outputs.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def _of(name: str, inside: str = "") -> dict[str, np.ndarray]:
    """The arrays of a model, by what they are."""
    start = f"{name}/{inside}"
    found = {k: v for k, v in _stored().items() if k.startswith(start)}
    return {key.removeprefix(start): found[key] for key in found}


def _path(name: str) -> str:
    return str(FOLDER / f"{name}.keras")


def test_every_file_is_looked_at():
    names = {path.stem for path in FOLDER.glob("*.keras")}
    assert names == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_an_old_model_gives_what_it_gave(name):
    model = load_model(_path(name))
    assert architecture.takes(model) == MODELS[name]
    found = model(_of(name, "inputs/"), training=False)
    stored = _of(name)
    if name == "task_transfer":
        expected, found = stored["logits"], found["logits"].numpy()
    else:
        # Every second row and column.
        expected, found = stored["ab"], found["ab"].numpy()[:, ::2, ::2]
    np.testing.assert_allclose(
        found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max()
    )


@pytest.mark.parametrize("name", COLORIZERS)
def test_an_old_file_colors_a_picture_as_it_did(name):
    stored = _of(name)
    prompts = {}
    if "inputs/classes" in stored:
        prompts["classes"] = stored["inputs/classes"][-1]
    if "inputs/crops" in stored:
        prompts["boxes"] = np.float32([[2, 3, 15, 20], [0, 10, 20, 30]])
    colored = Colorizer(_path(name)).colorize(stored["rgb"], **prompts)
    difference = np.abs(colored.astype(int) - stored["colorized"])
    assert np.ptp(stored["colorized"], axis=-1).max() > 20
    assert difference.max() <= 1


def test_an_old_classifier_says_what_it_said():
    stored = _of("task_transfer")
    classifier = Classifier(_path("task_transfer"))
    assert classifier.class_names == ("cat", "dog", "boat")
    (found,) = classifier.probabilities([stored["rgb"]])
    np.testing.assert_allclose(found, stored["probabilities"], atol=1e-5)
