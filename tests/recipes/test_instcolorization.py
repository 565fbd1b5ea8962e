import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests import drawn
from tests.detection import tiny_detectors
from tfcolor import Colorizer
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file

ROOT = pathlib.Path(__file__).parents[2]
TINY = (
    *("--width=0.03125", "--image_size=32", "--load_size=32", "--batch_size=2"),
    *("--epochs=1", "--log_steps=1", "--validation_share=0.3"),
)


def _run(*arguments, python=sys.executable):
    return subprocess.run(
        ["recipes/instcolorization", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )


def _bright():
    """A picture in which the tiny detector finds a box."""
    picture = drawn.colored(99)
    picture[4:20, 6:30] = 255
    return picture


def _arguments(folder):
    """Of a recipe that runs in seconds."""
    images = drawn.write_album(folder / "images", 12)
    for i in range(4):
        drawn.write(f"{images}/00{i}.png", _bright())
    start = str(folder / "start.keras")
    tiny = siggraph(width=1 / 32, initializer="he_normal")
    model_file.save(tiny, start, model_file.ModelInfo("siggraph", 32))
    detector = tiny_detectors.object_detection_api(folder / "detector")
    return (
        *(f"--images={images}", f"--workdir={folder / 'runs'}"),
        *(f"--detector={detector}", f"--initial_weights={start}", *TINY),
    )


@pytest.mark.long
def test_the_recipe_goes_from_pictures_to_a_model(tmp_path):
    result = _run(*_arguments(tmp_path))
    assert result.returncode == 0, result.stderr
    workdir = tmp_path / "runs"
    assert sorted(os.listdir(workdir)) == [
        *("boxes", "full", "fusion", "instance")
    ]
    # Frozen layers came from the stages before and did not move.
    fusion, info = model_file.load(str(workdir / "fusion/model.keras"))
    assert (info.architecture, info.image_size) == ("instance_colorizer", 32)
    full, _ = model_file.load(str(workdir / "full/model.keras"))
    instance, _ = model_file.load(str(workdir / "instance/model.keras"))
    for layer in ("block1_conv1", "block5_bn", "up9"):
        for network, expected in (("fusion", full), ("instance", instance)):
            for weight, value in zip(
                fusion.get_layer(network).get_layer(layer).get_weights(),
                expected.get_layer(layer).get_weights(),
                strict=True,
            ):
                np.testing.assert_array_equal(weight, value)
    colorizer = Colorizer(str(workdir / "fusion/model.keras"))
    boxes = np.array([[4, 6, 20, 30]])
    fused = colorizer.predict_ab(_bright(), boxes=boxes)
    assert np.abs(fused - colorizer.predict_ab(_bright())).max() > 0


@pytest.mark.long
def test_a_repeated_recipe_goes_on_where_it_was(tmp_path):
    arguments = _arguments(tmp_path)
    result = _run(*arguments)
    assert result.returncode == 0, result.stderr
    again = _run(*arguments)
    assert again.returncode == 0, again.stderr
    assert "there already, skipped" in again.stdout
    assert again.stderr.count("going on at step") == 3


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_a_picture_without_boxes_does_not_end_the_recipe(status, tmp_path):
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "run $2"\n[ "$2" != tfcolor ] || exit {status}\n'
    )
    python.chmod(0o755)
    result = _run(
        *("--images=a", f"--workdir={tmp_path}", "--detector=b"), python=python
    )
    goes_on = status <= 1
    assert result.returncode == (0 if goes_on else status)
    assert ("run trainers.train_fusion" in result.stdout) == goes_on
    assert ("note: pictures that failed" in result.stderr) == (status == 1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "--images is missing"),
        (["--images=a", "--workdir=b"], "--detector or --boxes is missing"),
        (["photos"], "unexpected argument: photos"),
        (
            ["--images=a", "--workdir=b", "--boxes=c", "--preset=huge"],
            "small, released or paper",
        ),
    ],
)
def test_wrong_usage_of_the_recipe_is_named(arguments, reason):
    result = _run(*arguments)
    assert result.returncode == 2
    assert reason in result.stderr
