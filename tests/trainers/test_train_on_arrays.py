import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tests import drawn
from tfcolor.data import packs
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models import blend
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from tfcolor.weights import shipped

ROOT = pathlib.Path(__file__).parents[2]
# What JAX compiles runs slowly, and is compiled in half the time.
_COMPILED_QUICKLY = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
# TensorFlow and others cannot be found, as where they are not; every save
# stays.
_WITHOUT_TENSORFLOW = """
import shutil
from tests import hidden_packages

hidden_packages.hide(
    ("tensorflow", "cv2", "safetensors", "simplejpeg", "tqdm")
)

from absl import app
from tfcolor.weights import model_file
from trainers import array_fit
from trainers import train_on_arrays

save, saved = model_file.save, []

def save_and_copy(model, path, info):
    save(model, path, info)
    saved.append(path)
    shutil.copy(path, f"{path[:-6]}{len(saved)}.keras")

model_file.save = save_and_copy
array_fit._SAVE_SECONDS = 0
app.run(train_on_arrays.main)
"""


# Says of each model to start from what the networks know, or what is wrong.
_NETWORKS = """
import os
import sys
from tests import hidden_packages

hidden_packages.hide(("tensorflow", "cv2", "safetensors", "tqdm"))

import numpy as np
from absl import flags
from tfcolor.models import architecture
from trainers import train_on_arrays

flags.FLAGS([sys.argv[0], "--packs=packs", *sys.argv[1].split()])
for path in sys.argv[2:]:
    try:
        kept, trained = train_on_arrays.build_networks(path)
    except ValueError as error:
        print(error)
        continue
    for one, other in zip(kept.weights, trained.weights, strict=True):
        assert one.path == other.path
        np.testing.assert_array_equal(one, other)
    for network in (kept, trained):
        known = architecture.of(network)
        first = float(abs(np.asarray(network.weights[0])).sum())
        print(known.name, known.options.get("mask_center"), f"{first:.4f}")
"""


def _write_packs(tmp_path, number, **options):
    images = drawn.write_album(tmp_path / "images", number, **options)
    folder = str(tmp_path / "packs")
    packs.write(images, folder, size=48)
    return folder


def _run(program, *args, backend="tensorflow"):
    return subprocess.run(
        [sys.executable, *program, *args],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend} | _COMPILED_QUICKLY,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "backend, precision",
    [("torch", "float32"), ("jax", "float32"), ("jax", "bfloat16")],
)
def test_a_run_needs_no_tensorflow(tmp_path, backend, precision):
    pytest.importorskip(backend)
    folder = _write_packs(tmp_path, 6, kind="jpg")
    start = str(tmp_path / "start.keras")
    before = efficientnet_unet()
    info = model_file.ModelInfo("efficientnet_unet", 32)
    model_file.save(before, start, info)
    preset = ROOT / "flags" / "presets" / "efficientnet_unet_2.cfg"
    done = _run(
        ["-c", _WITHOUT_TENSORFLOW, f"--flagfile={preset}"],
        *(f"--packs={folder}", f"--workdir={tmp_path}/run"),
        *(f"--initial_weights={start}", "--steps=3", "--batch_size=2"),
        *("--image_size=32", "--log_steps=1", f"--precision={precision}"),
        backend=backend,
    )
    assert done.returncode == 0, done.stderr
    assert "step 3: loss" in done.stdout
    # The saves of a minute too hold weights that were trained.
    for number in (1, 2, 3):
        path = f"{tmp_path}/run/model{number}.keras"
        after, _ = model_file.load(path)
        moved = {
            name: max(abs(np.subtract(new, old)).max() for new, old in found)
            for name, found in _by_layer(after, before).items()
        }
        assert moved["block4_project"] == 0
        assert 0 < moved["block15_project"] < 1e-4
        assert 0 < moved["decoder16_conv1"] < 1e-3
        assert moved["decoder16_conv1_bn"] > 0
    rgb = Colorizer(path).colorize(drawn.colored(0, 50, 70))
    assert rgb.shape == (50, 70, 3)
    assert {layer.dtype_policy.name for layer in after.layers} == {"float32"}


def _by_layer(after, before):
    found = {}
    for new, old in zip(after.weights, before.weights, strict=True):
        found.setdefault(new.path.split("/")[0], []).append((new, old))
    return found


def _built(flags, *paths):
    done = _run(["-c", _NETWORKS], flags, *paths, backend="jax")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_network_begins_with_weights_and_their_mask(tmp_path):
    pytest.importorskip("jax")

    def saved(name, model):
        path = str(tmp_path / f"{name}.keras")
        model_file.save(model, path, model_file.ModelInfo(model.name, 64))
        return path

    unseen = siggraph(width=1 / 32, mask_center=0.0)
    plain = siggraph(width=1 / 32)
    alone = str(tmp_path / "alone.weights.h5")
    plain.save_weights(alone)
    wide = saved("wide", siggraph(width=1 / 16))
    damaged = saved("damaged", plain)
    with zipfile.ZipFile(damaged, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more.h5", bytes(10**6))
    said = _built(
        "--network=siggraph --width=0.03125",
        *(saved("unseen", unseen), saved("plain", plain), alone),
        *(wide, damaged),
    )

    def row(model, mask):
        first = abs(model.weights[0].numpy()).sum()
        return f"siggraph {mask} {first:.4f}"

    assert said[:2] == [row(unseen, 0.0)] * 2
    assert said[2:6] == [row(plain, 0.5)] * 4
    assert "set --width=0.0625. Received: --width=0.03125 with" in said[6]
    assert said[7].startswith("A model file must hold") and damaged in said[7]
    assert len(said) == 8


@pytest.mark.slow
def test_an_encoder_begins_with_a_model_of_its_own_kind(tmp_path):
    pytest.importorskip("jax")
    paths = [str(tmp_path / name) for name in ("given.keras", "other.keras")]
    given, other = efficientnet_unet(), siggraph(width=1 / 32)
    for path, model in zip(paths, (given, other), strict=True):
        model_file.save(model, path, model_file.ModelInfo(model.name, 64))
    said = _built("--network=efficientnet_unet", *paths)
    first = abs(given.weights[0].numpy()).sum()
    assert said[:2] == [f"efficientnet_unet None {first:.4f}"] * 2
    assert "a network of the same kind and flags. Received" in said[2]
    assert len(said) == 3


@pytest.mark.slow
def test_mistakes_end_in_a_line(tmp_path):
    program = ("-m", "trainers.train_on_arrays", f"--packs={tmp_path}/packs")
    done = _run(program, f"--workdir={tmp_path}/run")
    assert "error: --packs must be a folder that --pack wrote." in done.stderr
    done = _run(program, f"--pack={tmp_path}/none/*.jpg")
    assert done.returncode == 2 and "Received" in done.stderr
    assert "Traceback" not in done.stderr
    images = drawn.write_album(tmp_path / "images", 3)
    done = _run(program, f"--pack={images}", "--pack_size=32")
    assert done.returncode == 0 and "packed 3 pictures" in done.stdout
    done = _run(program, f"--workdir={tmp_path}/run", "--image_size=64")
    assert done.returncode == 2
    assert "--image_size must be at most" in done.stderr
    said = (tmp_path / "run" / "train.log").read_text()
    assert "error: --image_size must be at most" in said


@pytest.mark.long
@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_small_network_learns_from_one_that_ships(tmp_path, backend):
    pytest.importorskip(backend)
    folder = _write_packs(tmp_path, 4, kind="jpg")
    preset = ROOT / "flags" / "presets" / "siggraph_small_distilled.cfg"
    program = ("-m", "trainers.train_on_arrays", f"--flagfile={preset}")
    given = (f"--packs={folder}", f"--workdir={tmp_path}/run")
    given += ("--steps=2", "--batch_size=2", "--log_steps=1")
    done = _run(program, *given, "--image_size=32", backend=backend)
    assert done.returncode == 0, done.stderr
    assert "step 2: loss" in done.stdout
    after, info = model_file.load(f"{tmp_path}/run/model.keras")
    assert info.architecture == "siggraph"
    before, _ = shipped.load("siggraph_small")
    moved = [
        abs(np.subtract(new, old)).max()
        for new, old in zip(
            after.trainable_variables,
            blend.network(before).trainable_variables,
            strict=True,
        )
    ]
    assert 0 < max(moved) < 1e-3


@pytest.mark.slow
def test_a_student_and_its_teacher_must_fit_the_pictures(tmp_path):
    folder = _write_packs(tmp_path, 2)
    preset = ROOT / "flags" / "presets" / "siggraph_small_distilled.cfg"
    program = ("-m", "trainers.train_on_arrays", f"--flagfile={preset}")
    given = (f"--packs={folder}", f"--workdir={tmp_path}/run")
    done = _run(program, *given, "--image_size=40")
    assert done.returncode == 2
    assert "--image_size must be a multiple of 32" in done.stderr
    done = _run(program, *given, "--image_size=32", "--width=0.5")
    assert done.returncode == 2
    assert "of the same flags; set --width=0.25. Received" in done.stderr


@pytest.mark.slow
def test_a_preset_trains_without_its_teacher(tmp_path):
    folder = _write_packs(tmp_path, 2, kind="jpg")
    preset = ROOT / "flags" / "presets" / "siggraph_small_distilled.cfg"
    done = _run(
        ("-m", "trainers.train_on_arrays", f"--flagfile={preset}"),
        *(f"--packs={folder}", f"--workdir={tmp_path}/run", "--teacher="),
        *("--image_size=32", "--steps=1", "--batch_size=2", "--log_steps=1"),
    )
    assert done.returncode == 0, done.stderr
    assert "step 1: loss" in done.stdout
