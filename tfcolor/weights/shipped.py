"""The models that ship with the package.

Each is a pair of files beside this one: `NAME.json` says how to build the
network and how to use it, `NAME.npz` holds its weights: kernels as float16,
and vectors, which are few, as float32: variances of deep features can be larger
than float16 knows. A model card in docs/models says how it was made.
"""

import contextlib
import dataclasses
import json
import os
import re

import keras
import numpy as np

from tfcolor.models.blend import efficientnet_unet_blend
from tfcolor.models.blend import siggraph_blend
from tfcolor.models.siggraph import siggraph
from tfcolor.pictures import foreign_files
from tfcolor.weights import litert_template
from tfcolor.weights import model_file
from tfcolor.weights import shipped_files

DEFAULT, STYLES = shipped_files.DEFAULT, shipped_files.STYLES
STYLE_OPTIONS = shipped_files.STYLE_OPTIONS
names, weights_file = shipped_files.names, shipped_files.weights_file
check_style = shipped_files.check_style

_BUILDERS = {
    "siggraph": siggraph,
    "siggraph_blend": siggraph_blend,
    "efficientnet_unet_blend": efficientnet_unet_blend,
}


def load(
    name: str = DEFAULT, *, style: str | float | None = None
) -> tuple[keras.Model, model_file.ModelInfo]:
    """Builds a shipped model.

    Args:
        name: str, one of `names()`.
        style: str, one of `STYLES`, or float, from 0 for the first to 1 for
            the last; None is the first, for models without styles too.

    Returns:
        The model, float32, and its ModelInfo.

    Raises:
        ValueError: there is no such model, or it has no such style.
    """
    description = shipped_files.description(name, style)
    info = model_file.ModelInfo(**description["info"])
    options = description["options"]
    model = _BUILDERS[info.architecture](**options)
    arrays = foreign_files.read_npz(weights_file(name))
    for weight in model.weights:
        weight.assign(arrays[weight.path].astype(np.float32))
    return model, info


def _stored(weight: np.ndarray) -> np.ndarray:
    return weight.astype(np.float16 if weight.ndim > 1 else np.float32)


def write(
    model: keras.Model,
    info: model_file.ModelInfo,
    *,
    name: str,
    options: dict,
    styles: dict[str, dict[str, float]] | None = None,
    folder: str | None = None,
) -> None:
    """Makes the two files of a shipped model.

    Args:
        model: keras.Model, made by the builder `info.architecture` with
            `options`.
        info: ModelInfo.
        name: str, lower-case letters, digits and underscores.
        options: dict, keyword arguments of the builder.
        styles: dict from `STYLES` to dicts of `STYLE_OPTIONS`, or None.
        folder: str or None, where to write; None is beside the others.

    Raises:
        ValueError: `name` has other characters, a kernel does not fit into
            float16, or the weights are not those of the network that `options`
            make.
    """
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError(
            "`name` must be lower-case letters, digits and underscores. "
            f"Received: name={name!r}"
        )
    # What does not fit becomes infinite and is named below.
    with np.errstate(over="ignore"):
        arrays = {w.path: _stored(w.numpy()) for w in model.weights}
    broken = [k for k, v in arrays.items() if not np.isfinite(v).all()]
    rebuilt = _BUILDERS[info.architecture](**options)
    shapes = {w.path: tuple(w.shape) for w in rebuilt.weights}
    if broken or shapes != {k: v.shape for k, v in arrays.items()}:
        raise ValueError(
            "A model must fit into float16 and be what `options` build. "
            f"Received: {options}; not finite: {broken}"
        )
    folder = folder or shipped_files.FOLDER
    os.makedirs(folder, exist_ok=True)
    np.savez_compressed(os.path.join(folder, f"{name}.npz"), **arrays)
    # Of the weights before.
    with contextlib.suppress(FileNotFoundError):
        os.remove(litert_template.file(name, folder))
    description = {"info": dataclasses.asdict(info), "options": options}
    if styles:
        description["styles"] = styles
    with open(os.path.join(folder, f"{name}.json"), "w") as f:
        json.dump(description, f, indent=2)
        f.write("\n")
