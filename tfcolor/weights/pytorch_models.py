"""Models built from published weights, by the name of their kind.

| kind | whose file |
|---|---|
| `full` | colorization-pytorch, InstColorization's `latest_net_GComp.pth` |
| `siggraph17` | `colorizers`, colorization-pytorch's `siggraph_caffemodel` |
| `instance` | InstColorization's `latest_net_G.pth` |
| `fusion` | InstColorization's `latest_net_GF.pth` |
| `instcolorization` | a folder with these three files of InstColorization |
| `mmagic` | mmagic's `inst_colorization`: all three networks in one file |
| `eccv16` | `colorizers`, the network of ECCV 2016 |
| `ddcolor` | DDColor's, of either encoder |
| `alexnet`, `resnet18` | torchvision's, for ImageNet or any other classes |
"""

import functools
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np

from tfcolor.models.eccv16 import eccv16
from tfcolor.models.fusion import fusion
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from tfcolor.weights import pytorch
from tfcolor.weights import pytorch_files
from tfcolor.weights import pytorch_keys
from tfcolor.weights import torchvision

# The first Caffe release took the mask as it is, and so do its weights.
_BUILDERS = {
    "full": siggraph,
    "siggraph17": functools.partial(siggraph, mask_center=0.0),
    "instance": instance,
    "fusion": functools.partial(fusion, blending="faithful"),
    "eccv16": eccv16,
}
_DDCOLOR = "ddcolor"
KINDS, WHOLE_KINDS = pytorch_keys.KINDS, pytorch_keys.WHOLE_KINDS

# What a model file says of a kind: the network, the side in pixels of the
# pictures that it was trained or is released for, and how ab is enlarged.
_INFO = {
    "full": ("siggraph", 256, "bilinear"),
    "siggraph17": ("siggraph", 256, "bilinear"),
    "instance": ("instance", 256, "bilinear"),
    "fusion": ("fusion", 256, "bilinear"),
    "eccv16": ("eccv16", 256, "bilinear"),
    "instcolorization": ("instance_colorizer", 256, "bilinear"),
    "mmagic": ("instance_colorizer", 256, "bilinear"),
    # Released with the nearest neighbor, whose steps can be seen.
    _DDCOLOR: ("ddcolor", 512, "guided"),
    "alexnet": ("alexnet", 224, "bilinear"),
    "resnet18": ("resnet18", 224, "bilinear"),
}
# Keys that only one kind has, the first that fits; see `kind_of`.
_MARKS = (
    ("mmagic", re.compile(r"(image|instance|fusion)_model\.")),
    (_DDCOLOR, re.compile(r"encoder\.arch\.downsample_layers\.0\.0\.weight")),
    ("eccv16", re.compile(r"model_out\.weight")),
    ("fusion", re.compile(r"weight_layer\.simple_bg_conv\.0\.weight")),
    ("siggraph17", re.compile(r"model_class\.0\.weight")),
)

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
            "fusion", "eccv16", "ddcolor", "alexnet", "resnet18") to its
            state dict.
        ignored: dict of a network to the list of keys without a place.
    """

    model: keras.Model
    states: dict[str, Mapping[str, np.ndarray]]
    ignored: dict[str, list[str]]


def kind_of(state: Mapping[str, np.ndarray], path: str) -> str:
    """Tells by its keys whose state dict something is.

    The networks of SIGGRAPH'17 and of InstColorization have the same keys and
    differ in what their mask is in network units. A file with one of
    InstColorization's names is taken as theirs, unless "caffemodel" is in its
    path, as in colorization-pytorch; all others are taken as `siggraph17`.

    Args:
        state: mapping of str to array.
        path: str, where it came from.

    Returns:
        str, one of `KINDS`.

    Raises:
        ValueError: it is no known colorizer, or only a part of one.
    """
    keys = [pytorch_keys.plain_key(key) for key in state]
    kind = next(
        (k for k, mark in _MARKS if any(mark.match(key) for key in keys)), None
    )
    if kind is None or kind == "fusion":
        part = "" if kind is None else " alone: its fusion network is a part"
        raise ValueError(
            "A PyTorch model must be one of the colorizers that `tfcolor "
            f"import-weights --help` names. Received: {path!r}{part}, with "
            f"{sorted(keys)[:3]} and so on"
        )
    theirs = os.path.basename(path).startswith("latest_net_G")
    if kind == "siggraph17" and theirs and "caffemodel" not in path:
        return "full"
    return kind


def load(
    path: str,
    *,
    kind: str | None = None,
    sha256: str | None = None,
    origin: str | None = None,
) -> tuple[keras.Model, model_file.ModelInfo]:
    """Loads a published file of PyTorch as a model, in memory.

    Args:
        path: str, a file.
        kind: str or None, one of `KINDS`; None finds it out by `kind_of`.
        sha256: str or None, the file's, where somebody has checked it.
        origin: str or None, whose weights they are, for people.

    Returns:
        The model and its ModelInfo.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a checkpoint of a known colorizer.
    """
    state = pytorch_files.read_state(path, sha256=sha256)
    kind = kind or kind_of(state, path)
    states = pytorch.networks_of(state) if kind == "mmagic" else {kind: state}
    info = info_of(kind, origin or os.path.basename(path))
    return build(states).model, info


def info_of(kind: str, origin: str) -> model_file.ModelInfo:
    """Returns what a model file says of imported weights.

    Args:
        kind: str, one of `KINDS`.
        origin: str, where they come from.

    Returns:
        model_file.ModelInfo.
    """
    architecture, image_size, upsampling = _INFO[kind]
    return model_file.ModelInfo(
        architecture=architecture,
        image_size=image_size,
        upsampling=upsampling,
        description=f"{kind} weights imported from {origin}",
    )


def read(path: str, kind: str) -> dict[str, Mapping[str, np.ndarray]]:
    """Reads the state dicts of a kind.

    Args:
        path: str, a file; for "instcolorization" a folder.
        kind: str, one of `KINDS`.

    Returns:
        dict of a network's name to its state dict, for `build`.

    Raises:
        FileNotFoundError: there is no such file or folder.
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
            those of torchvision and DDColor included, or all of "full",
            "instance" and "fusion", which become one model of
            `instance_colorizer`.

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
    if first == _DDCOLOR and not others:
        # Imported here: the largest network, which few ask for.
        from tfcolor.weights import ddcolor_keys

        model, unused = ddcolor_keys.build(states[first])
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
