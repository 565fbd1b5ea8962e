import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.trainers import array_backend
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.training import averaged_weights
from tfcolor.training import moving_average

ROOT = pathlib.Path(__file__).parents[2]
# What JAX compiles runs slowly, and is compiled in half the time.
_COMPILED_QUICKLY = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


@pytest.fixture(scope="module")
def of_tensorflow(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("steps") / "tensorflow.npz")
    array_backend.main(path)
    return np.load(path)


@pytest.fixture(scope="module")
def judged_of_tensorflow(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("steps") / "judged.npz")
    array_backend.main(path, "judged")
    return np.load(path)


def _arrays(found, kind, step):
    count = sum(name.startswith(f"{kind}{step}_") for name in found.files)
    return [found[f"{kind}{step}_{i}"] for i in range(count)]


def _copied(weight):
    return keras.ops.convert_to_numpy(weight).copy()


def _check_averages(found):
    """Averages follow from the weights after each step."""
    averages = _arrays(found, "average", 0)
    assert len(averages) == 8
    for step in range(1, array_backend.STEPS + 1):
        momentum = min(array_backend.MOMENTUM, step / (step + 9))
        averages = [
            average + (1 - momentum) * (value - average)
            for average, value in zip(
                averages, _arrays(found, "present", step), strict=True
            )
        ]
        for average, value in zip(
            averages, _arrays(found, "average", step), strict=True
        ):
            np.testing.assert_allclose(value, average, rtol=1e-5, atol=1e-6)


def test_averages_are_those_of_the_moving_average():
    steps = array_backend.make_steps()
    expected = moving_average.MovingAverage(
        steps._network, array_backend.MOMENTUM
    )
    for _ in range(3):
        steps.run(np.arange(4), 1e-2)
        expected.update()
    for found, average in zip(steps.averages(), expected.averages, strict=True):
        np.testing.assert_allclose(found, average, rtol=1e-5, atol=1e-6)


def test_without_momentum_the_average_is_the_weights():
    steps = array_backend.make_steps(ema_momentum=0.0)
    steps.run(np.arange(4), 1e-2)
    for average, value in zip(steps.averages(), steps._values, strict=True):
        np.testing.assert_array_equal(average, value)


@pytest.mark.parametrize("frozen_blocks", [0, 5, 16])
def test_what_changes_is_what_the_moving_average_has(frozen_blocks):
    model = efficientnet_unet(frozen_blocks=frozen_blocks)
    expected = moving_average.MovingAverage(model, 0.9)
    found = averaged_weights.changing(model)
    assert len(found) == len(expected.averages)
    paths = [w.path for w in model.trainable_weights]
    paths += [
        weight.path
        for layer in model.layers
        if layer.trainable
        for weight in layer.non_trainable_weights
    ]
    assert [w.path for w in found] == paths


def test_slow_layers_are_slow_and_frozen_ones_stay():
    steps = array_backend.make_steps(ema_momentum=0.0)
    network = steps._network
    before = {w.path: _copied(w) for w in network.weights}
    steps.run(np.arange(4), 1e-2)
    moved = {
        w.path: abs(_copied(w) - before[w.path]).max() for w in network.weights
    }
    assert moved["frozen/kernel"] == 0
    # Adam's first step is as long as the rate.
    assert moved["slow/kernel"] == pytest.approx(1e-3, rel=0.01)
    assert moved["ab/kernel"] == pytest.approx(1e-2, rel=0.01)


def test_precision_is_that_of_the_network():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    steps = array_backend.make_steps()
    loss = steps.run(np.arange(4), 1e-2)
    assert steps._network.get_layer("slow").compute_dtype == "bfloat16"
    assert loss.dtype == "float32"
    assert {a.dtype for a in steps.averages()} == {np.dtype(np.float32)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [[], ["on_device"], ["bfloat16"], ["judged"]]
)
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_backends_take_the_same_steps(
    tmp_path, backend, options, of_tensorflow, judged_of_tensorflow
):
    pytest.importorskip(backend)
    path = str(tmp_path / "found.npz")
    program = "tests.trainers.array_backend"
    subprocess.run(
        [sys.executable, "-m", program, path, *options],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend} | _COMPILED_QUICKLY,
        check=True,
    )
    found = np.load(path)
    rough = "bfloat16" in options
    expected = judged_of_tensorflow if "judged" in options else of_tensorflow
    np.testing.assert_allclose(
        found["losses"], expected["losses"], rtol=0.02 if rough else 1e-3
    )
    _check_averages(found)


@pytest.mark.slow
def test_tensorflow_averages_too(of_tensorflow, judged_of_tensorflow):
    _check_averages(of_tensorflow)
    # Of the colorizer alone.
    _check_averages(judged_of_tensorflow)
    assert np.ptp(judged_of_tensorflow["losses"]) > 0
