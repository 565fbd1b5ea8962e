import sys
import types

import numpy as np
import pytest

from tests.evaluation.test_lpips import random_weights
from tfcolor.evaluation import lpips
from tfcolor.evaluation import lpips_weights


@pytest.fixture
def torch(monkeypatch):
    """A stand-in for PyTorch whose files are .npz under another name."""

    class Tensor:
        def __init__(self, array):
            self._array = array

        def numpy(self):
            return self._array

    def load(path, *, map_location, weights_only):
        if not weights_only or map_location != "cpu":
            raise RuntimeError("unsafe or needs a GPU")
        with open(path, "rb") as file, np.load(file) as arrays:
            return {name: Tensor(arrays[name]) for name in arrays.files}

    module = types.SimpleNamespace(load=load)
    monkeypatch.setitem(sys.modules, "torch", module)


def _distance(function):
    generator = np.random.default_rng(5)
    pictures = generator.integers(0, 256, (2, 33, 33, 3), dtype=np.uint8)
    return function(*pictures)


def test_one_npz_holds_all_weights(tmp_path):
    weights = random_weights()
    np.savez(tmp_path / "lpips.npz", **weights)
    loaded = lpips_weights.load(str(tmp_path / "lpips.npz"))
    assert _distance(loaded) == _distance(lpips.Lpips(weights))


def test_two_pytorch_files_together_hold_all_weights(tmp_path, torch):
    weights = random_weights()
    features = {k: v for k, v in weights.items() if k.startswith("features")}
    # The classifier of AlexNet's file is not needed.
    features["classifier.1.bias"] = np.zeros(4096, np.float32)
    linear = {k: v for k, v in weights.items() if k.startswith("lin")}
    for name, part in (("alexnet.pth", features), ("alex.pth", linear)):
        with open(tmp_path / name, "wb") as file:
            np.savez(file, **part)
    paths = [str(tmp_path / name) for name in ("alexnet.pth", "alex.pth")]
    loaded = lpips_weights.load(*paths)
    assert _distance(loaded) == _distance(lpips.Lpips(weights))
    with pytest.raises(ValueError, match="features.0.weight"):
        lpips_weights.load(paths[1])


def test_without_pytorch_the_message_says_what_to_install(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch", None)
    path = tmp_path / "alex.pth"
    path.write_bytes(b"")
    with pytest.raises(ImportError, match=r"tfcolor\[import\]"):
        lpips_weights.load(str(path))


def test_files_that_cannot_be_weights_are_named(tmp_path, torch):
    for name in ("w.npz", "w.pth", "w.txt"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(ValueError, match=name):
            lpips_weights.load(str(tmp_path / name))
    with pytest.raises(FileNotFoundError, match="none.npz"):
        lpips_weights.load(str(tmp_path / "none.npz"))
