import csv
import functools
import subprocess
import sys

import numpy as np
import pytest
from absl.testing import flagsaver

from tests import drawn
from tests.training import jobs
from tests.weights import ddcolor_states
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models.ddcolor import ddcolor
from tfcolor.models.discriminator import discriminator
from tfcolor.weights import ddcolor_keys
from tfcolor.weights import model_file
from trainers import train_ddcolor

FLAGS = {
    "encoder": "tiny",
    "width": "0.03125",
    "queries": "5",
    "decoder_blocks": "3",
    "image_size": "32",
    "batch_size": "8",
    "optimizer": "adamw",
    "schedule": "constant",
}


def _run(folder, **more):
    images = drawn.write_album(folder / "images", 8, kind="jpg")
    options = FLAGS | {
        "images": images,
        "validation_images": images,
        "workdir": str(folder / "workdir"),
    }
    with flagsaver.as_parsed(**options | more):
        train_ddcolor.main(["train_ddcolor"])
    return _rows(folder / "workdir")


def _rows(workdir):
    with open(workdir / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
def test_a_small_network_learns_eight_pictures_by_heart(tmp_path):
    rows = _run(
        tmp_path,
        cache="true",
        epochs="1",
        steps_per_epoch="250",
        learning_rate="0.003",
        clip_norm="5",
        colorfulness_weight="0.05",
        log_steps="40",
    )
    last = {name: float(value) for name, value in rows[-1].items() if value}
    gain = last["validation/psnr"] - last["validation/grey_psnr"]
    assert gain > 5
    path = str(tmp_path / "workdir" / "model.keras")
    model, info = model_file.load(path)
    assert info == model_file.ModelInfo("ddcolor", 32, upsampling="guided")
    colorizer = Colorizer(path)
    assert colorizer.upsampling == "guided"
    true = drawn.colored(3, 32, 32)
    found = colorizer.colorize(true).astype(float)
    grey = np.abs(true - true.mean(-1, keepdims=True)).mean()
    assert np.abs(found - true).mean() < 0.75 * grey


@pytest.mark.long
def test_encoder_and_perceptual_loss_begin_with_the_weights_of_files(tmp_path):
    state = ddcolor_states.state("tiny", 4, width=1 / 32)
    encoder = {
        key.removeprefix("encoder.arch."): value
        for key, value in state.items()
        if key.startswith(("encoder.arch.d", "encoder.arch.stages"))
    }
    encoder |= {"norm.weight": np.ones(24), "head.bias": np.ones(1000)}
    np.savez(tmp_path / "convnext.npz", **encoder)
    np.savez(tmp_path / "vgg.npz", **_vgg_state())
    rows = _run(
        tmp_path,
        epochs="1",
        log_steps="1",
        learning_rate="1e-9",
        perceptual_weight="5",
        encoder_weights=str(tmp_path / "convnext.npz"),
        vgg_weights=str(tmp_path / "vgg.npz"),
    )
    for name in ("absolute", "colorfulness_loss", "perceptual"):
        assert float(rows[0][name]) > 0
        assert float(rows[-1][f"validation/{name}"]) > 0
    model, _ = model_file.load(str(tmp_path / "workdir" / "model.keras"))
    expected = ddcolor(
        encoder="tiny", width=1 / 32, queries=5, decoder_blocks=3
    )
    ddcolor_keys.encoder_arrays(encoder, expected)
    for name in ("stage0_conv", "stage2_block8_depthwise", "stage3_norm"):
        np.testing.assert_allclose(
            model.get_layer(name).get_weights()[0],
            expected.get_layer(name).get_weights()[0],
            atol=1e-6,
        )


def _vgg_state():
    rng = np.random.default_rng(0)
    state, before, place = {}, 3, 0
    for filters, convs in ((4, 2), (8, 2), (16, 3), (32, 3), (32, 3)):
        for _ in range(convs):
            kernel = rng.normal(0, 0.2, (filters, before, 3, 3))
            name = f"features.{place}"
            state |= {
                f"{name}.weight": kernel,
                f"{name}.bias": np.ones(filters),
            }
            name = f"features.{place + 1}"
            for part in ("weight", "bias", "running_mean", "running_var"):
                state[f"{name}.{part}"] = rng.uniform(0.5, 1, filters)
            state[f"{name}.num_batches_tracked"] = np.int64(1)
            before, place = filters, place + 3
        place += 1
    return state | {"classifier.0.bias": np.ones(4)}


@pytest.mark.long
def test_a_discriminator_learns_along_and_is_not_saved(tmp_path, monkeypatch):
    narrow = functools.partial(discriminator, width=1 / 16)
    monkeypatch.setattr(train_ddcolor, "discriminator", narrow)
    rows = _run(
        tmp_path,
        image_size="64",
        epochs="2",
        log_steps="1",
        batch_size="4",
        adversarial_weight="1",
    )
    for name in ("adversarial", "discriminator"):
        values = [float(row[name]) for row in rows if row[name]]
        assert len(values) == 4 and np.isfinite(values).all()
        # Logits begin near 0: a guess.
        assert 0.5 < values[0] / (1 + (name == "discriminator")) < 0.9
        assert values[0] != values[-1]
    model, _ = model_file.load(str(tmp_path / "workdir" / "model.keras"))
    assert model.name == "ddcolor"


def test_a_perceptual_loss_without_weights_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="needs .*`vgg_weights`"):
        _run(tmp_path, perceptual_weight="5")


def test_encoder_weights_of_another_network_are_named(tmp_path):
    np.savez(tmp_path / "other.npz", **{"stages.0.0.gamma": np.ones(5)})
    with pytest.raises(ValueError, match="(?s)of ConvNeXt.*stages.0.0.gamma"):
        _run(tmp_path, encoder_weights=str(tmp_path / "other.npz"))


# Of runs that are compared, step by step.
COMPARED = {
    "epochs": "2",
    "log_steps": "1",
    "steps_per_epoch": "2",
    "learning_rate": "0.0002",
}


def _flags(tmp_path, name, **more):
    """What `_run` does, as a command line of a run beside it."""
    images = str(tmp_path / "images")
    paths = {"images": images, "validation_images": images}
    paths["workdir"] = str(tmp_path / name)
    given = FLAGS | COMPARED | paths | more
    return [f"--{name}={value}" for name, value in given.items()]


def _assert_same_losses(one, two):
    names = ("absolute", "colorfulness_loss")
    for name in (*names, *(f"validation/{name}" for name in names)):
        losses = [
            [float(row[name]) for row in rows if row[name]]
            for rows in (one, two)
        ]
        assert len(losses[0]) == (2 if "validation" in name else 4)
        np.testing.assert_allclose(*losses, rtol=1e-3, err_msg=name)


@pytest.mark.long
def test_two_workers_have_the_losses_of_one(tmp_path):
    one = _run(tmp_path, **COMPARED)
    processes = jobs.start(
        "trainers.train_ddcolor",
        _flags(tmp_path, "two", strategy="multi_worker"),
        workers=2,
        logs=tmp_path,
    )
    said = jobs.log_path(tmp_path, 0)
    assert jobs.wait(processes) == [0, 0], said.read_text()
    _assert_same_losses(one, _rows(tmp_path / "two"))


@pytest.mark.long
def test_two_devices_have_the_losses_of_one(tmp_path):
    one = _run(tmp_path, **COMPARED)
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "tests.trainers.two_devices"),
            "trainers.train_ddcolor",
            *_flags(tmp_path, "two", strategy="mirrored"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    _assert_same_losses(one, _rows(tmp_path / "two"))
    model, _ = model_file.load(str(tmp_path / "two" / "model.keras"))
    assert model.name == "ddcolor"
