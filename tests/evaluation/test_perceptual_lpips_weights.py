import numpy as np
import pytest

from tests.evaluation.test_perceptual_lpips import random_weights
from tests.weights import pytorch_pickles as pickles
from tfcolor.evaluation import perceptual


def _distance(function):
    generator = np.random.default_rng(5)
    pictures = generator.integers(0, 256, (2, 33, 33, 3), dtype=np.uint8)
    return function(*pictures)


def test_one_npz_holds_all_weights(tmp_path):
    weights = random_weights()
    np.savez(tmp_path / "lpips.npz", **weights)
    loaded = perceptual.load_lpips(str(tmp_path / "lpips.npz"))
    assert _distance(loaded) == _distance(perceptual.Lpips(weights))


def test_two_pytorch_files_together_hold_all_weights(tmp_path):
    weights = random_weights()
    features = {k: v for k, v in weights.items() if k.startswith("features")}
    # The classifier of AlexNet's file is not needed.
    features["classifier.1.bias"] = np.zeros(4096, np.float32)
    linear = {k: v for k, v in weights.items() if k.startswith("lin")}
    for name, part in (("alexnet.pth", features), ("alex.pth", linear)):
        pickles.save(tmp_path / name, part)
    paths = [str(tmp_path / name) for name in ("alexnet.pth", "alex.pth")]
    loaded = perceptual.load_lpips(*paths)
    assert _distance(loaded) == _distance(perceptual.Lpips(weights))
    with pytest.raises(ValueError, match="features.0.weight"):
        perceptual.load_lpips(paths[1])


def test_files_that_cannot_be_weights_are_named(tmp_path):
    for name in ("w.npz", "w.pth", "w.txt"):
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(ValueError, match=name):
            perceptual.load_lpips(str(tmp_path / name))
    with pytest.raises(FileNotFoundError, match="none.npz"):
        perceptual.load_lpips(str(tmp_path / "none.npz"))
