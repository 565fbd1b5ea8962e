"""Compares an imported model with PyTorch's own layers.

The networks are computed a second time, from the state dicts and with
`torch.nn.functional` alone: none of our layers, transpositions or names take
part. Needs PyTorch.
"""

import numpy as np
import tensorflow as tf
import torch
from torch.nn import functional

from tfcolor.color import scaling
from tfcolor.layers import instance_fusion
from tfcolor.weights import pytorch_keys

_PICTURE_SIZE = (100, 150)
# yxyx: over each other, of one pixel, at the border, and the whole picture.
_BOXES = (
    (10, 20, 60, 90),
    (40, 50, 95, 140),
    (7, 7, 8, 8),
    (99, 100, 100, 150),
    (0, 0, 100, 150),
)
# Convolutions and dilation of the blocks that have no skip connection.
_BLOCKS = {1: (2, 1), 2: (2, 1), 3: (3, 1), 4: (3, 1), 5: (3, 2), 6: (3, 2)}
_BLOCKS |= {7: (3, 1)}
_SKIPS = {8: (3, 2), 9: (2, 1), 10: (1, 0)}


def largest_difference(
    model, states, *, seed: int = 0, size: int = 64
) -> float:
    """Returns how far a model is from PyTorch's layers.

    Args:
        model: keras.Model, of `pytorch_models.build`; not of DDColor.
        states: mapping of a network's name to its state dict.
        seed: int, of the random picture, hints and crops.
        size: int, side of all of them, pixels. A multiple of 8.

    Returns:
        float, the largest absolute difference of ab in network units (the
        output of tanh, -1..1).
    """
    L, hints, mask, crops = _random_inputs(seed, size)
    if "eccv16" in states:
        expected, _ = eccv16(states["eccv16"], L)
        ab = model({"L": tf.convert_to_tensor(L)})["ab"].numpy()
        return float(np.abs(ab - expected).max()) / scaling.AB_SCALE
    inputs = {"L": L, "hints": hints, "mask": mask, "crops": crops[None]}
    inputs |= {
        "boxes": np.float32([_BOXES]),
        "box_valid": np.ones([1, len(_BOXES)], bool),
        "picture_size": np.int32([_PICTURE_SIZE]),
    }
    center = 0.0 if "siggraph17" in states else scaling.MASK_CENTER
    x = _network_input(L, hints, mask, center)
    crops = _network_input(crops)
    networks = {name: _Network(state) for name, state in states.items()}
    differences = []
    with torch.no_grad():
        if "fusion" in networks:
            # Without an instance network, any maps will do.
            network = networks.get("instance", networks["fusion"])
            maps, _ = network.run(crops)
            if len(networks) == 1:
                inputs |= _map_inputs(maps)
            blender = networks["fusion"].blender(maps)
            _, expected = networks["fusion"].run(x, blender)
            differences.append(_difference(model, inputs, expected))
            del networks["fusion"]
            # A picture without boxes is the full network's.
            inputs["box_valid"] = np.zeros_like(inputs["box_valid"])
            networks.pop("instance", None)
        for network in networks.values():
            _, expected = network.run(x)
            differences.append(_difference(model, inputs, expected))
    return max(differences)


def eccv16(state, L: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes the network of ECCV 2016 with PyTorch's functions.

    Args:
        state: mapping of str to array, its state dict.
        L: float32 array [B, H, W, 1], 0..100.

    Returns:
        float32 arrays [B, H, W, 2], CIELAB, and [B, H/4, W/4, 313], logits.
    """
    network = _Network(state)
    with torch.no_grad():
        x = network.bin_logits(_network_input(L)[:, :1])
        (colors,) = network.arrays("model_out", "weight")
        ab = functional.conv2d(x.softmax(1), colors)
        ab = functional.interpolate(ab, scale_factor=4, mode="bilinear")
    return _nhwc(ab * scaling.AB_SCALE), _nhwc(x)


def _difference(model, inputs, expected) -> float:
    wanted = {key: tf.convert_to_tensor(inputs[key]) for key in model.input}
    ab = model(wanted)["ab"].numpy() / scaling.AB_SCALE
    return float(np.abs(ab - _nhwc(expected)).max())


def _random_inputs(seed, size) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    shape = [1, size, size]
    mask = (rng.random([*shape, 1]) < 0.05).astype(np.float32)
    hints = rng.uniform(-80, 80, [*shape, 2]).astype(np.float32) * mask
    L = rng.uniform(0, 100, [*shape, 1]).astype(np.float32)
    crops = rng.uniform(0, 100, [len(_BOXES), size, size, 1])
    return L, hints, mask, crops.astype(np.float32)


def _network_input(L, hints=None, mask=None, center=scaling.MASK_CENTER):
    """Returns network units [B, 4, H, W]."""
    mask = np.zeros_like(L) if mask is None else mask
    hints = np.repeat(np.zeros_like(L), 2, -1) if hints is None else hints
    L = (L - scaling.L_CENTER) / scaling.L_SCALE
    x = np.concatenate([L, hints / scaling.AB_SCALE, mask - center], axis=-1)
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def _nhwc(tensor) -> np.ndarray:
    return tensor.numpy().transpose(0, 2, 3, 1)


def _map_inputs(maps) -> dict:
    return {f"{name}_instances": _nhwc(x) for name, x in maps.items()}


class _Network:
    """A state dict, and what PyTorch's functions make of it."""

    def __init__(self, state):
        self._state = {
            pytorch_keys.plain_key(key): torch.from_numpy(np.array(value))
            for key, value in state.items()
        }

    def arrays(self, name, *suffixes):
        """Returns arrays of a module."""
        return [self._state[f"{name}.{suffix}"].float() for suffix in suffixes]

    def _conv(self, x, name, dilation=1, stride=1):
        weight, bias = self.arrays(name, "weight", "bias")
        padding = dilation * (weight.shape[-1] // 2)
        return functional.conv2d(
            x, weight, bias, stride, padding=padding, dilation=dilation
        )

    def _convs(self, x, name, places, dilation=1, stride=1):
        for place in places:
            last = stride if place == places[-1] else 1
            x = self._conv(x, f"{name}.{place}", dilation, last).relu()
        mean, var, weight, bias = self.arrays(
            f"{name}.{places[-1] + 2}",
            "running_mean",
            "running_var",
            "weight",
            "bias",
        )
        return functional.batch_norm(x, mean, var, weight, bias, eps=1e-5)

    def run(self, x, change=lambda name, x: x):
        """Returns the maps of an instance network, and ab (tanh)."""
        maps, blocks = {}, {}
        for block, (convs, dilation) in _BLOCKS.items():
            x = x[:, :, ::2, ::2] if 2 <= block <= 4 else x
            places = [2 * i for i in range(convs)]
            x = self._convs(x, f"model{block}", places, dilation)
            x = change(f"block{block}", x)
            maps[f"block{block}"] = blocks[block] = x
        for block, (skip, convs) in _SKIPS.items():
            weight, bias = self.arrays(f"model{block}up.0", "weight", "bias")
            x = functional.conv_transpose2d(x, weight, bias, 2, 1)
            x = x + self._conv(blocks[skip], f"model{skip}short{block}.0")
            x = change(f"block{block}_up", x).relu()
            maps[f"block{block}_up"] = x
            if convs:
                places = [2 * i + 1 for i in range(convs)]
                x = self._convs(x, f"model{block}", places)
            else:
                x = self._conv(x, f"model{block}.1")
                x = functional.leaky_relu(x, 0.2)
            x = change(f"block{block}", x)
            maps[f"block{block}"] = x
        return maps, self._conv(x, "model_out.0").tanh()

    def bin_logits(self, x):
        """Returns the logits of the network of ECCV 2016."""
        for block, (convs, dilation) in _BLOCKS.items():
            places = [2 * i for i in range(convs)]
            stride = 2 if block <= 3 else 1
            x = self._convs(x, f"model{block}", places, dilation, stride)
        weight, bias = self.arrays("model8.0", "weight", "bias")
        x = functional.conv_transpose2d(x, weight, bias, 2, 1).relu()
        for place in (2, 4):
            x = self._conv(x, f"model8.{place}").relu()
        return self._conv(x, "model8.6")

    def blender(self, instance_maps):
        """Returns the function that blends instances into a map."""
        names = {v: k for k, v in pytorch_keys.WEIGHT_LAYERS.items()}

        def blend(map_name, x):
            instances = instance_maps[map_name]
            # As large as the picture's map: both networks see one size.
            side = x.shape[-1]
            name = names[map_name]
            scores = self._score(f"{name}.simple_instance_conv", instances)
            placed, covered = _placed(torch.cat([instances, scores], 1), side)
            own = self._score(f"{name}.simple_bg_conv", x)
            own = own + (covered == 0) * 1e5
            weights = torch.cat([placed[:, -1:], own]).softmax(0)
            return (torch.cat([placed[:, :-1], x]) * weights).sum(0)[None]

        return blend

    def _score(self, name, x):
        for place in (0, 2, 4):
            x = self._conv(x, f"{name}.{place}").relu()
        return x


def _placed(maps, side):
    """Returns maps in their boxes, and how many boxes cover each cell."""
    rectangles = instance_fusion.place_boxes(
        _BOXES, _PICTURE_SIZE, [side, side]
    )
    placed = torch.zeros([len(_BOXES), maps.shape[1], side, side])
    covered = torch.zeros([1, 1, side, side])
    for i, rectangle in enumerate(rectangles.numpy()):
        top, left, height, width = (int(v) for v in rectangle)
        area = (..., slice(top, top + height), slice(left, left + width))
        placed[i : i + 1][area] = functional.interpolate(
            maps[i : i + 1], (height, width), mode="bilinear"
        )
        covered[area] += 1
    return placed, covered
