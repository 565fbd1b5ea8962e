"""The models that ship with the package.

Each is a pair of files beside this one: `NAME.json` says how to build the
network and how to use it, `NAME.npz` holds its weights: kernels as float16,
and vectors, which are few, as float32: variances of deep features can be larger
than float16 knows. A model card in docs/models says how it was made.
"""

import dataclasses
import json
import os
import re

import keras
import numpy as np

from tfcolor.models.blend import efficientnet_unet_blend
from tfcolor.models.blend import siggraph_blend
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file

DEFAULT = "lite2_unet"

_FOLDER = os.path.join(os.path.dirname(__file__), "shipped_models")
_BUILDERS = {
    "siggraph": siggraph,
    "siggraph_blend": siggraph_blend,
    "efficientnet_unet_blend": efficientnet_unet_blend,
}

# How lively colors are, from the same weights: the first is the default,
# numbers from 0 to 1 lie between both.
STYLES = ("natural", "vivid")
# What a style decides: options of the builder.
STYLE_OPTIONS = ("class_share", "temperature", "saturation")


def names() -> list[str]:
    """Returns the names of the shipped models, sorted."""
    if not os.path.isdir(_FOLDER):
        return []
    return sorted(
        file.removesuffix(".json")
        for file in os.listdir(_FOLDER)
        if file.endswith(".json")
    )


def weights_file(name: str) -> str:
    """Returns the path of the weights of a shipped model.

    Args:
        name: str, one of `names()`.

    Returns:
        str.
    """
    return os.path.join(_FOLDER, f"{name}.npz")


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
    if name not in names():
        raise ValueError(
            f"A shipped model must be one of {names()}. Received: {name!r}"
        )
    with open(os.path.join(_FOLDER, f"{name}.json")) as f:
        description = json.load(f)
    info = model_file.ModelInfo(**description["info"])
    options = description["options"]
    if style is not None:
        options |= _style_options(name, description.get("styles", {}), style)
    model = _BUILDERS[info.architecture](**options)
    with np.load(weights_file(name)) as arrays:
        for weight in model.weights:
            weight.assign(arrays[weight.path].astype(np.float32))
    return model, info


def check_style(style: str | float) -> float:
    """Returns where a style lies between the first and the last.

    Args:
        style: str, one of `STYLES`, or float in 0..1.

    Returns:
        float in 0..1.

    Raises:
        ValueError: it is neither.
    """
    if style in STYLES:
        return float(STYLES.index(style))
    try:
        place = float(style)
    except (TypeError, ValueError):
        place = float("nan")
    if not 0 <= place <= 1:
        raise ValueError(
            f"`style` must be one of {STYLES} or a number in 0..1. "
            f"Received: style={style!r}"
        )
    return place


def _style_options(name: str, styles: dict, style: str | float) -> dict:
    """Returns the builder's options of a style, or of one in between."""
    place = check_style(style)
    if not styles:
        raise ValueError(
            f"`style` needs a model that has styles. Received: style={style!r} "
            f"for {name!r}"
        )
    natural, vivid = (styles[key] for key in STYLES)
    return {
        key: (1 - place) * natural[key] + place * vivid[key]
        for key in STYLE_OPTIONS
    }


def _stored(weight: np.ndarray) -> np.ndarray:
    return weight.astype(np.float16 if weight.ndim > 1 else np.float32)


def write(
    model: keras.Model,
    info: model_file.ModelInfo,
    *,
    name: str,
    options: dict,
    styles: dict[str, dict[str, float]] | None = None,
    folder: str = _FOLDER,
) -> None:
    """Makes the two files of a shipped model.

    Args:
        model: keras.Model, made by the builder `info.architecture` with
            `options`.
        info: ModelInfo.
        name: str, lower-case letters, digits and underscores.
        options: dict, keyword arguments of the builder.
        styles: dict from `STYLES` to dicts of `STYLE_OPTIONS`, or None.
        folder: str, where to write.

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
    os.makedirs(folder, exist_ok=True)
    np.savez_compressed(os.path.join(folder, f"{name}.npz"), **arrays)
    description = {"info": dataclasses.asdict(info), "options": options}
    if styles:
        description["styles"] = styles
    with open(os.path.join(folder, f"{name}.json"), "w") as f:
        json.dump(description, f, indent=2)
        f.write("\n")
