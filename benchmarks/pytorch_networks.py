"""The networks of InstColorization in PyTorch, as they run when released.

A re-statement, for timing: which layers there are, what runs in place, and
that each blending layer goes from box to box, resizes and pads each box's
features to the whole map, and keeps them all until their weighted sum. The
class output is computed though nobody asks for it. Names of weights are the
published ones, so that tfcolor reads the weights like a checkpoint.

Reference:
    github.com/ericsujw/InstColorization (models/networks.py, image_util.py).
"""

import functools
import importlib.util
import os
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

_FILTERS = (64, 128, 256, 512, 512, 512, 512, 256, 128, 128)
# Block to its convolutions and their dilation.
_ENCODER = {1: (2, 1), 2: (2, 1), 3: (3, 1), 4: (3, 1), 5: (3, 2), 6: (3, 2)}
_ENCODER |= {7: (3, 1)}
# Block to the block of its skip connection and its convolutions.
_DECODER = {8: (3, 2), 9: (2, 1), 10: (1, 1)}
_BINS = 529
_SCORE_FILTERS = 16
# What a score gains where no box lies.
_ALONE = 1e5
# The published name of a block's last map.
_MAPS = {1: "conv1_2", 2: "conv2_2", 3: "conv3_3", 4: "conv4_3"}
_MAPS |= {5: "conv5_3", 6: "conv6_3", 7: "conv7_3", 8: "conv8_3"}
_MAPS |= {9: "conv9_3", 10: "conv10_2"}
# Map to its blending layer, its block, and by what its side is divided.
_BLENDING = {
    "conv1_2": ("weight_layer", 1, 1),
    "conv2_2": ("weight_layer2", 2, 2),
    "conv3_3": ("weight_layer3", 3, 4),
    "conv4_3": ("weight_layer4", 4, 8),
    "conv5_3": ("weight_layer5", 5, 8),
    "conv6_3": ("weight_layer6", 6, 8),
    "conv7_3": ("weight_layer7", 7, 8),
    "conv8_up": ("weight_layer8_1", 8, 4),
    "conv8_3": ("weight_layer8_2", 8, 4),
    "conv9_up": ("weight_layer9_1", 9, 2),
    "conv9_3": ("weight_layer9_2", 9, 2),
    "conv10_up": ("weight_layer10_1", 10, 1),
    "conv10_2": ("weight_layer10_2", 10, 1),
}
_SHRINKS = (1, 2, 4, 8)
# Modules of the fusion network whose weights the fusion stage trains.
TRAINED = (*(entry[0] for entry in _BLENDING.values()), "model10", "model_out")


def _conv(into, out, dilation=1):
    return nn.Conv2d(into, out, 3, padding=dilation, dilation=dilation)


class _Trunk(nn.Module):
    """Blocks 1 to 10, both outputs."""

    def __init__(self, width: float = 1.0):
        super().__init__()
        filters = [4, *(max(1, round(n * width)) for n in _FILTERS)]
        for block, (convs, dilation) in _ENCODER.items():
            into, out = filters[block - 1], filters[block]
            layers = []
            for i in range(convs):
                layers.append(_conv(out if i else into, out, dilation))
                layers.append(nn.ReLU(inplace=True))
            layers.append(nn.BatchNorm2d(out))
            self.add_module(f"model{block}", nn.Sequential(*layers))
        for block, (skip, convs) in _DECODER.items():
            into, out = filters[block - 1], filters[block]
            up = nn.ConvTranspose2d(into, out, 4, stride=2, padding=1)
            self.add_module(f"model{block}up", nn.Sequential(up))
            self.add_module(
                f"model{skip}short{block}",
                nn.Sequential(_conv(filters[skip], out)),
            )
            layers = [nn.ReLU(inplace=True)]
            for _ in range(convs):
                layers += [_conv(out, out), nn.ReLU(inplace=True)]
            layers.append(nn.BatchNorm2d(out))
            if block == 10:
                layers[-2:] = [nn.LeakyReLU(0.2)]
            self.add_module(f"model{block}", nn.Sequential(*layers))
        self.model_class = nn.Sequential(nn.Conv2d(filters[8], _BINS, 1))
        self.model_out = nn.Sequential(nn.Conv2d(filters[10], 2, 1), nn.Tanh())

    def _maps(self, x, change: Callable = lambda name, x: x) -> dict:
        """Computes all maps; `change` may put another one in the place."""
        maps = {}
        for block in _ENCODER:
            x = x[:, :, ::2, ::2] if 2 <= block <= 4 else x
            x = change(_MAPS[block], getattr(self, f"model{block}")(x))
            maps[_MAPS[block]] = x
        for block, (skip, _) in _DECODER.items():
            x = getattr(self, f"model{block}up")(x)
            short = getattr(self, f"model{skip}short{block}")
            x = change(f"conv{block}_up", x + short(maps[_MAPS[skip]]))
            # The block's ReLU works in place: on the map that is kept, too.
            maps[f"conv{block}_up"] = x
            x = change(_MAPS[block], getattr(self, f"model{block}")(x))
            maps[_MAPS[block]] = x
        return maps


class Full(_Trunk):
    """The network of whole pictures."""

    def forward(self, L, hints, mask):
        """Returns class logits and ab, network units."""
        maps = self._maps(torch.cat((L, hints, mask), dim=1))
        logits = self.model_class(maps["conv8_3"].detach())
        return logits, self.model_out(maps["conv10_2"])


class Instance(_Trunk):
    """The network of what lies in boxes."""

    def forward(self, L, hints, mask):
        """Returns ab, network units, and the 13 maps."""
        maps = self._maps(torch.cat((L, hints, mask), dim=1))
        self.model_class(maps["conv8_3"].detach())
        return self.model_out(maps["conv10_2"]), maps


class _Blending(nn.Module):
    """Blends instances into a map of one picture, box after box."""

    def __init__(self, channels: int):
        super().__init__()
        self.simple_instance_conv = self._score(channels)
        self.simple_bg_conv = self._score(channels)

    def _score(self, channels):
        layers = []
        for out in (_SCORE_FILTERS, _SCORE_FILTERS, 1):
            layers += [_conv(channels, out), nn.ReLU(inplace=True)]
            channels = out
        return nn.Sequential(*layers)

    def forward(self, instances, background, places):
        """Returns the blended map."""
        scores, features = [], []
        covered = torch.zeros_like(background)[:1, :1]
        for i, (left, right, top, bottom, width, height) in enumerate(places):
            one = instances[i : i + 1]
            size, padding = (height, width), (left, right, top, bottom)
            for x, kept in (
                (self.simple_instance_conv(one), scores),
                (one, features),
            ):
                x = functional.interpolate(x, size, mode="bilinear")
                kept.append(functional.pad(x, padding))
            inside = torch.zeros_like(background)[:1, :1]
            inside[:, :, top : top + height, left : left + width] = 1.0
            covered = torch.clamp(covered + inside, 0.0, 1.0)
        own = self.simple_bg_conv(background) + (1 - covered) * _ALONE
        weights = torch.cat([*scores, own], dim=1).softmax(dim=1)
        weights = weights.permute(1, 0, 2, 3).contiguous()
        blended = torch.cat([*features, background]) * weights
        return blended.sum(dim=0, keepdim=True)


class Fusion(_Trunk):
    """The network of pictures with instances."""

    def __init__(self, width: float = 1.0):
        super().__init__(width)
        for layer, block, _ in _BLENDING.values():
            channels = max(1, round(_FILTERS[block - 1] * width))
            self.add_module(layer, _Blending(channels))

    def forward(self, L, hints, mask, instances, places):
        """Returns ab, network units; `places` as from `place_boxes`."""

        def blend(name, x):
            layer, _, shrink = _BLENDING[name]
            return getattr(self, layer)(
                instances[name], x, places[_SHRINKS.index(shrink)]
            )

        maps = self._maps(torch.cat((L, hints, mask), dim=1), blend)
        return self.model_out(maps["conv10_2"])


def place_boxes(boxes, *, height: int, width: int, size: int) -> list[list]:
    """Places boxes on the maps of a picture, with the published rounding.

    Args:
        boxes: yxyx pixels, whole numbers.
        height: int, of the picture, pixels.
        width: int, of the picture, pixels.
        size: int, side of the network's square.

    Returns:
        For maps of `size`, a half, a quarter and an eighth of it a list of
        (left, right, top, bottom padding, width, height) for each box.
    """
    places = []
    for shrink in _SHRINKS:
        side = size // shrink
        places.append([])
        for y0, x0, y1, x1 in boxes:
            left, right = _ends(x0, x1, width, side)
            top, bottom = _ends(y0, y1, height, side)
            places[-1].append(
                (left, side - right, top, side - bottom)
                + (right - left, bottom - top)
            )
    return places


def _ends(start, stop, length, side):
    first, last = int(start / length * side), int(stop / length * side)
    if last - first < 1:
        if side - last > 1:
            last += 1
        else:
            first -= 1
    return first, last


def build(*, width: float, original: str | None) -> dict[str, nn.Module]:
    """Builds the three networks, in evaluation mode.

    Args:
        width: float, multiplies the filters.
        original: str or None. Folder of a checkout of InstColorization whose
            networks are taken.

    Returns:
        dict of "full", "instance" and "fusion" to nn.Module.

    Raises:
        ValueError: `original` with another width than 1.
    """
    if original is None:
        builders = {"full": Full, "instance": Instance, "fusion": Fusion}
        networks = {name: b(width) for name, b in builders.items()}
    elif width != 1:
        raise ValueError(
            "The original's networks have one width: with `original`, `width` "
            f"must be 1. Received: width={width}"
        )
    else:
        networks = _of_checkout(original)
    return {name: network.eval() for name, network in networks.items()}


def _of_checkout(folder: str) -> dict[str, nn.Module]:
    path = os.path.join(folder, "models", "networks.py")
    spec = importlib.util.spec_from_file_location("original_networks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    options = {
        "norm_layer": functools.partial(nn.BatchNorm2d, affine=True),
        "classification": False,
    }
    return {
        "full": module.SIGGRAPHGenerator(4, 2, **options),
        "instance": module.InstanceGenerator(4, 2, **options),
        "fusion": module.FusionGenerator(4, 2, **options),
    }
