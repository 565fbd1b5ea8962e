import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests import pictures
from tfcolor.data import packs
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.weights import model_file

ROOT = pathlib.Path(__file__).parents[2]
# TensorFlow cannot be found, as where there is none.
_WITHOUT_TENSORFLOW = """
import importlib.machinery, runpy

find = importlib.machinery.PathFinder.find_spec

def find_others(name, *rest):
    hidden = name.partition(".")[0] == "tensorflow"
    return None if hidden else find(name, *rest)

importlib.machinery.PathFinder.find_spec = find_others
runpy.run_module("trainers.train_on_arrays", run_name="__main__")
"""


@pytest.mark.long
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_run_needs_no_tensorflow(tmp_path, backend):
    pytest.importorskip(backend)
    images = pictures.write_album(tmp_path / "images", 6, kind="jpg")
    folder = str(tmp_path / "packs")
    packs.write(f"{images}/*.jpg", folder, size=48)
    start = str(tmp_path / "start.keras")
    before = efficientnet_unet()
    info = model_file.ModelInfo("efficientnet_unet", 32)
    model_file.save(before, start, info)
    preset = ROOT / "flags" / "presets" / "efficientnet_unet_2.cfg"
    command = [
        *(sys.executable, "-c", _WITHOUT_TENSORFLOW, f"--flagfile={preset}"),
        *(f"--packs={folder}", f"--workdir={tmp_path}/run"),
        *(f"--initial_weights={start}", "--steps=2", "--batch_size=2"),
        *("--image_size=32", "--log_steps=1"),
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "step 2: loss" in done.stdout
    path = f"{tmp_path}/run/model.keras"
    after, _ = model_file.load(path)
    changed = {
        weight.path.split("/")[0]
        for weight, other in zip(after.weights, before.weights, strict=True)
        if not np.array_equal(weight, other)
    }
    assert "block4_project" not in changed
    assert {"block15_project", "decoder16_conv1"} <= changed
    rgb = Colorizer(path).colorize(pictures.colored(0, 50, 70))
    assert rgb.shape == (50, 70, 3)
