"""The files of the models that ship, for who builds no network.

See `shipped`, which does.
"""

import json
import os

DEFAULT = "lite2_unet"
FOLDER = os.path.join(os.path.dirname(__file__), "shipped_models")

# How lively colors are, from the same weights: the first is the default,
# numbers from 0 to 1 lie between both.
STYLES = ("natural", "vivid")
# What a style decides: options of the builder.
STYLE_OPTIONS = ("class_share", "temperature", "saturation")


def names() -> list[str]:
    """Returns the names of the shipped models, sorted."""
    if not os.path.isdir(FOLDER):
        return []
    return sorted(
        file.removesuffix(".json")
        for file in os.listdir(FOLDER)
        if file.endswith(".json")
    )


def weights_file(name: str) -> str:
    """Returns the path of the weights of a shipped model.

    Args:
        name: str, one of `names()`.

    Returns:
        str.
    """
    return os.path.join(FOLDER, f"{name}.npz")


def description_file(name: str) -> str:
    """Returns the path of the description of a shipped model.

    Args:
        name: str, one of `names()`.

    Returns:
        str.
    """
    return os.path.join(FOLDER, f"{name}.json")


def description(name: str, style: str | float | None = None) -> dict:
    """Says how to build and to use a shipped model.

    Args:
        name: str, one of `names()`.
        style: str, float or None; see `shipped.load`.

    Returns:
        dict of "info", the values of a ModelInfo, and "options", those of the
        builder.

    Raises:
        ValueError: there is no such model, or it has no such style.
    """
    if name not in names():
        raise ValueError(
            f"A shipped model must be one of {names()}. Received: {name!r}"
        )
    with open(description_file(name)) as f:
        found = json.load(f)
    if style is not None:
        found["options"] |= _style_options(name, found.get("styles"), style)
    return found


def split_style(
    model: str, style: str | float | None = None
) -> tuple[str, str | float | None]:
    """Splits NAME:STYLE.

    Args:
        model: str, NAME or NAME:STYLE.
        style: str, float or None, given beside it.

    Returns:
        The name, and the style or None.

    Raises:
        ValueError: there are two styles.
    """
    name, _, named_style = model.partition(":")
    if style is not None and named_style:
        raise ValueError(
            "A model's style must be given once. "
            f"Received: model={model!r}, style={style!r}"
        )
    return name, named_style or style


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


def _style_options(name: str, styles: dict | None, style: str | float) -> dict:
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
