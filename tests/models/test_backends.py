"""Everything without boxes gives the same on all backends of Keras.

The others do it without TensorFlow.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests.models import backend_outputs

ROOT = pathlib.Path(__file__).parents[2]
# What JAX compiles runs slowly, and is compiled in half the time.
_COMPILED_QUICKLY = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
# TensorFlow cannot be found, as where it is not installed.
_WITHOUT_TENSORFLOW = ("-m", "tests.hidden_packages", "tensorflow")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("weights") / "weights.npz")
    backend_outputs.write_weights(path)
    return path


@pytest.fixture(scope="module")
def of_tensorflow(weights):
    return backend_outputs.compute(weights)


@pytest.mark.slow
def test_the_outputs_to_be_compared_are_no_constants(of_tensorflow):
    names = {name.partition("/")[0] for name in of_tensorflow}
    assert names == {"networks", "losses", "metrics", "random_part"}
    for name, values in of_tensorflow.items():
        assert np.isfinite(values).all(), name
        if name.startswith("networks/"):
            assert np.ptp(values) > 0, name


@pytest.mark.long
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_backends_give_the_same(tmp_path, backend, weights, of_tensorflow):
    pytest.importorskip(backend)
    path = str(tmp_path / "found.npz")
    subprocess.run(
        [sys.executable, *_WITHOUT_TENSORFLOW]
        + ["tests.models.backend_outputs", weights, path],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend} | _COMPILED_QUICKLY,
        check=True,
    )
    found = np.load(path)
    assert set(found.files) == set(of_tensorflow)
    for name, expected in of_tensorflow.items():
        assert found[name].shape == expected.shape, name
        if name == "random_part":
            # Each backend has random numbers of its own; L is 10 to 90.
            assert 9.9 < found[name].min() < 30
            assert 70 < found[name].max() < 90.1
            continue
        scale = float(np.abs(expected).max())
        np.testing.assert_allclose(
            found[name], expected, atol=1e-4 * scale + 1e-6, err_msg=name
        )
