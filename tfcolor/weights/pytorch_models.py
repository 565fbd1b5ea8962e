"""Models built from published weights, by the name of their kind.

| kind | whose file |
|---|---|
| `full` | colorization-pytorch, InstColorization's `latest_net_GComp.pth` |
| `siggraph17` | `colorizers`, colorization-pytorch's `siggraph_caffemodel` |
| `instance` | InstColorization's `latest_net_G.pth` |
| `fusion` | InstColorization's `latest_net_GF.pth` |
| `instcolorization` | a folder with these three files of InstColorization |
| `mmagic` | mmagic's `inst_colorization`: all three networks in one file |
| `alexnet`, `resnet18` | torchvision's, for ImageNet or any other classes |
"""

import functools
import os
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

from tfcolor.models.fusion import fusion
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import pytorch
from tfcolor.weights import pytorch_files
from tfcolor.weights import torchvision

# The first Caffe release took the mask as it is, and so do its weights.
_BUILDERS = {
    "full": siggraph,
    "siggraph17": functools.partial(siggraph, mask_center=0.0),
    "instance": instance,
    "fusion": functools.partial(fusion, blending="faithful"),
}
# Kinds of three networks, in one model.
WHOLE_KINDS = ("instcolorization", "mmagic")
KINDS = (*_BUILDERS, *WHOLE_KINDS, *torchvision.KINDS)

_FOLDER_FILES = {
    "full": "latest_net_GComp",
    "instance": "latest_net_G",
    "fusion": "latest_net_GF",
}
_EXTENSIONS = (".pth", ".npz")


class Imported(NamedTuple):
    """A model with published weights.

    Attributes:
        model: keras.Model.
        states: dict of a network ("full", "siggraph17", "instance",
            "fusion", "alexnet", "resnet18") to its state dict.
        ignored: dict of a network to the list of keys without a place.
    """

    model: keras.Model
    states: dict[str, Mapping[str, np.ndarray]]
    ignored: dict[str, list[str]]


def read(path: str, kind: str) -> dict[str, Mapping[str, np.ndarray]]:
    """Reads the state dicts of a kind.

    Args:
        path: str, a file; for "instcolorization" a folder.
        kind: str, one of `KINDS`.

    Returns:
        dict of a network's name to its state dict, for `build`.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ImportError: PyTorch is needed and not installed.
        ValueError: not a checkpoint, or `kind` is unknown.
    """
    _check_kind(kind)
    if kind == "instcolorization":
        return {
            network: pytorch_files.read_state(_in_folder(path, name))
            for network, name in _FOLDER_FILES.items()
        }
    state = pytorch_files.read_state(path)
    if kind == "mmagic":
        return pytorch.networks_of(state)
    return {kind: state}


def build(states: Mapping[str, Mapping[str, np.ndarray]]) -> Imported:
    """Builds the model that state dicts belong to, at their width.

    Args:
        states: mapping of a network's name to its state dict: one network,
            those of torchvision included, or all of "full", "instance" and
            "fusion", which become one model of `instance_colorizer`.

    Returns:
        Imported.

    Raises:
        ValueError: an array is missing, left over or has another shape, in
            any of the networks. All of them are listed.
    """
    (first, *others) = states
    if first in torchvision.KINDS and not others:
        model, unused = torchvision.build(first, states[first])
        return Imported(model, dict(states), {first: unused})
    networks, ignored, problems = {}, {}, []
    for network, state in states.items():
        try:
            width = pytorch.width_of(state)
            networks[network] = _BUILDERS[network](width=width)
            ignored[network] = pytorch.load_state(networks[network], state)
        except ValueError as error:
            problems.append(f"{network}: {error}")
    if problems:
        raise ValueError("\n".join(problems))
    if len(networks) == 1:
        (model,) = networks.values()
        return Imported(model, dict(states), ignored)
    widths = {network: pytorch.width_of(s) for network, s in states.items()}
    if len(set(widths.values())) != 1:
        raise ValueError(
            "The three networks must have the same width. "
            f"Received: widths {widths}"
        )
    return Imported(instance_colorizer(**networks), dict(states), ignored)


def _check_kind(kind) -> None:
    if kind not in KINDS:
        raise ValueError(
            f"`kind` must be one of {KINDS}. Received: kind={kind!r}"
        )


def _in_folder(folder: str, name: str) -> str:
    paths = [os.path.join(folder, name + end) for end in _EXTENSIONS]
    for path in paths:
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(
        "A folder of InstColorization must hold "
        f"{', '.join(sorted(_FOLDER_FILES.values()))} (.pth or .npz). "
        f"Received: no {paths[0]!r}"
    )
