"""Compares imported torchvision networks with PyTorch's own layers.

AlexNet and ResNet-18 are computed a second time, from the state dicts and with
`torch.nn.functional` alone, on a grey picture in three equal channels: none of
our layers, transpositions or sums take part. Needs PyTorch.
"""

import numpy as np
import tensorflow as tf
import torch
from torch.nn import functional

from tfcolor.color import scaling

_SIZES = ((224, 224), (64, 96))
# Places of AlexNet's convolutions with stride and padding, and of its pools.
_ALEXNET = {0: (4, 2), 3: (1, 2), 6: (1, 1), 8: (1, 1), 10: (1, 1)}
_POOLED = (0, 3, 10)
_ALEXNET_HIDDEN = (1, 4)


def largest_difference(model, states, *, seed: int = 0) -> float:
    """Returns how far a model is from PyTorch's layers.

    Args:
        model: keras.Model, of `torchvision.build`.
        states: mapping of "alexnet" or "resnet18" to its state dict.
        seed: int, of the random pictures.

    Returns:
        float, the largest absolute difference of an output, relative to its
        largest value where that is above 1.
    """
    ((kind, state),) = states.items()
    run = {"alexnet": alexnet, "resnet18": resnet18}[kind]
    rng, worst = np.random.default_rng(seed), 0.0
    for height, width in _SIZES:
        L = rng.uniform(0, 100, [1, height, width, 1]).astype(np.float32)
        outputs = model({"L": tf.constant(L)})
        for name, expected in run(state, L).items():
            scale = max(1.0, float(np.abs(expected).max()))
            difference = np.abs(outputs[name].numpy() - expected).max() / scale
            worst = max(worst, float(difference))
    return worst


def alexnet(state, L: np.ndarray) -> dict[str, np.ndarray]:
    """Computes AlexNet with PyTorch's functions.

    Args:
        state: mapping of str to array, torchvision's state dict.
        L: float32 array [B, H, W, 1], 0..100.

    Returns:
        dict of "logits", float32 array [B, K].
    """
    arrays = _tensors(state)
    x = _grey(L, arrays["features.0.weight"])
    with torch.no_grad():
        for place, (stride, padding) in _ALEXNET.items():
            weight = arrays[f"features.{place}.weight"]
            bias = arrays[f"features.{place}.bias"]
            x = functional.conv2d(x, weight, bias, stride, padding).relu()
            if place in _POOLED:
                x = functional.max_pool2d(x, 3, 2)
        x = functional.adaptive_avg_pool2d(x, 6).flatten(1)
        for place in _ALEXNET_HIDDEN:
            x = _linear(x, arrays, f"classifier.{place}").relu()
        return {"logits": _linear(x, arrays, "classifier.6").numpy()}


def resnet18(state, L: np.ndarray) -> dict[str, np.ndarray]:
    """Computes ResNet-18 with PyTorch's functions.

    Args:
        state: mapping of str to array, torchvision's state dict.
        L: float32 array [B, H, W, 1], 0..100.

    Returns:
        dict of "layer2", float32 array [B, H/8, W/8, C], and "mean", float32
        array [B, 4 * C].
    """
    arrays = _tensors(state)
    x = _grey(L, arrays["conv1.weight"])
    with torch.no_grad():
        x = functional.conv2d(x, arrays["conv1.weight"], None, 2, 3)
        x = functional.max_pool2d(_bn(x, arrays, "bn1").relu(), 3, 2, 1)
        for stage in (1, 2, 3, 4):
            for block in (0, 1):
                x = _residual(x, arrays, f"layer{stage}.{block}", stage, block)
            if stage == 2:
                layer2 = x.numpy().transpose(0, 2, 3, 1)
        return {"layer2": layer2, "mean": x.mean(dim=(2, 3)).numpy()}


def _tensors(state) -> dict:
    return {
        key.removeprefix("module."): torch.from_numpy(np.array(value)).float()
        for key, value in state.items()
    }


def _grey(L, first):
    """Returns a picture in as many equal channels as the first kernel has."""
    x = (L / 100 - scaling.GREY_MEAN) / scaling.GREY_DEVIATION
    x = np.ascontiguousarray(x.astype(np.float32).transpose(0, 3, 1, 2))
    return torch.from_numpy(x).repeat(1, first.shape[1], 1, 1)


def _linear(x, arrays, name):
    return functional.linear(
        x, arrays[f"{name}.weight"], arrays[f"{name}.bias"]
    )


def _bn(x, arrays, name):
    vectors = ("running_mean", "running_var", "weight", "bias")
    return functional.batch_norm(
        x, *(arrays[f"{name}.{vector}"] for vector in vectors), eps=1e-5
    )


def _residual(x, arrays, name, stage, block):
    stride, shortcut = 1, x
    if stage > 1 and block == 0:
        stride = 2
        weight = arrays[f"{name}.downsample.0.weight"]
        shortcut = functional.conv2d(x, weight, None, stride)
        shortcut = _bn(shortcut, arrays, f"{name}.downsample.1")
    weight = arrays[f"{name}.conv1.weight"]
    x = functional.conv2d(x, weight, None, stride, 1)
    x = _bn(x, arrays, f"{name}.bn1").relu()
    x = functional.conv2d(x, arrays[f"{name}.conv2.weight"], None, 1, 1)
    return (_bn(x, arrays, f"{name}.bn2") + shortcut).relu()
