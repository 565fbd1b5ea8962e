"""Getting hold of a colorization model: shipped, from a file or as it is."""

import os

import keras

from tfcolor.weights import model_file
from tfcolor.weights import published
from tfcolor.weights import pytorch_files
from tfcolor.weights import pytorch_models
from tfcolor.weights import shipped
from tfcolor.weights import shipped_files

_L_INPUTS = {"L"}
_CLASS_INPUT = "classes"
_INPUTS = {"L", "hints", "mask"}
_BOX_INPUTS = {"crops", "boxes", "box_valid", "picture_size"}
_BOX_CLASS_INPUTS = {"boxes", "box_classes", "picture_size"}
_OUTPUT = "ab"
# What is read as published weights.
_CHECKPOINTS = (*pytorch_files.PYTORCH, pytorch_files.SAFETENSORS)


def load(
    model: keras.Model | str | os.PathLike | None,
    *,
    style: str | float | None = None,
) -> tuple[keras.Model, model_file.ModelInfo]:
    """Loads a colorization model.

    Args:
        model: None for the default of the weights that ship with tfcolor,
            str (the name of shipped weights, NAME or NAME:STYLE, that of a
            published model, see `published`, or the path of a `.keras` file
            or of a published `.pth` or `.safetensors` file) or a keras.Model,
            which is returned.
        style: str, float or None. Of a shipped model; see `shipped.load`.

    Returns:
        The model and its ModelInfo; the defaults for a keras.Model.

    Raises:
        FileNotFoundError: there is no such model file.
        OSError: a published model cannot be fetched.
        ValueError: the name is not known, the file cannot be read, or the
            model is not one with the inputs `L` alone, `L` and `classes` or
            the classes of boxes, or `L`, `hints` and `mask`, those of boxes
            beside them or not, and the output `ab`.
    """
    model, info = open_model(model, style=style)
    check(model)
    return model, info


def load_model(
    model: str | os.PathLike, *, style: str | float | None = None
) -> keras.Model:
    """Loads a model by its name or from a file, as a `keras.Model`.

    Args:
        model: str. The name of a model, or the path of a `.keras` file.
        style: str, float or None. Of a shipped model: "natural", "vivid" or a
            number from 0 to 1.

    Returns:
        keras.Model. Its attribute `architecture` says what it is: the builder
        and its options.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: the name is not known, or the file cannot be read.
    """
    return open_model(model, style=style)[0]


def open_model(
    model: keras.Model | str | os.PathLike | None,
    *,
    style: str | float | None = None,
) -> tuple[keras.Model, model_file.ModelInfo]:
    """Opens a model of any kind, with what its file says about it.

    Args:
        model: see `load`.
        style: see `load`.

    Returns:
        The model and its ModelInfo; the defaults for a keras.Model.

    Raises:
        FileNotFoundError: there is no such model file.
        OSError: a published model cannot be fetched.
        ValueError: the name is not known, the file cannot be read, or the
            model has no styles.
    """
    if not isinstance(model, keras.Model | None):
        model = os.fspath(model)
    is_published = isinstance(model, str) and model in published.names()
    is_file = isinstance(model, str) and _is_file(model)
    own = isinstance(model, keras.Model) or is_file or is_published
    if style is not None and own:
        raise ValueError(
            "`style` needs a model that ships with tfcolor. "
            f"Received: style={style!r} with model={model!r}"
        )
    if isinstance(model, keras.Model):
        return model, model_file.ModelInfo()
    if is_published:
        return published.load(model)
    if is_file:
        return _load_file(model)
    name, style = shipped_files.split_style(model or shipped.DEFAULT, style)
    if name not in shipped.names():
        raise ValueError(
            f"A model must be a file, one that ships ({shipped.names()}) or a "
            f"published one ({published.names()}). Received: {model!r}"
        )
    return shipped.load(name, style=style)


def _is_file(model: str) -> bool:
    """Tells a path from a name, which has neither folders nor an extension."""
    if model.partition(":")[0] in (*shipped.names(), *published.names()):
        return False
    is_path = os.path.exists(model) or os.path.basename(model) != model
    return is_path or "." in model


def _load_file(path: str) -> tuple[keras.Model, model_file.ModelInfo]:
    if path.lower().endswith(_CHECKPOINTS):
        return pytorch_models.load(path)
    return model_file.load(path)


def files_of(model: str | os.PathLike) -> list[str]:
    """Returns the files that a model is read from.

    Args:
        model: str or path, of a model that was loaded here before.

    Returns:
        list of str, paths.
    """
    model = os.fspath(model)
    if model in published.names():
        return [published.converted_path(model)]
    if _is_file(model):
        return [model]
    name, _ = shipped_files.split_style(model)
    return [shipped_files.description_file(name), shipped.weights_file(name)]


def name_of(model: str | None) -> str:
    """Returns a model's name for people.

    Args:
        model: str, a name or a path, or None.

    Returns:
        str: the name; of a path its last part, without `.keras`, `.pth` and
        so on; of None that of the default.
    """
    if model is None:
        return shipped.DEFAULT
    name = os.path.basename(os.path.normpath(model))
    stem, kind = os.path.splitext(name)
    return stem if kind.lower() in (".keras", *_CHECKPOINTS) else name


def named_style(model: str | None) -> tuple[str | None, str | None]:
    """Splits NAME:STYLE of a shipped model.

    Args:
        model: str, a name or a path, or None.

    Returns:
        The name or path, and the style or None.
    """
    name, _, style = (model or "").partition(":")
    if style and name in shipped.names():
        return name, style
    return model, None


def check(model: keras.Model) -> None:
    """Raises ValueError unless a model is a colorization model; see `load`."""
    # Only functional models know their inputs before they are called.
    inputs = getattr(model, "input", None)
    outputs = getattr(model, "output", None)
    named = isinstance(inputs, dict) and isinstance(outputs, dict)
    known = named and set(inputs) in (
        _L_INPUTS,
        _L_INPUTS | {_CLASS_INPUT},
        _L_INPUTS | _BOX_CLASS_INPUTS,
        _INPUTS,
        _INPUTS | _BOX_INPUTS,
    )
    known = known and tuple(inputs["L"].shape[-1:]) == (1,)
    if not known or _OUTPUT not in outputs:
        raise ValueError(
            "A colorization model must have the inputs 'L' alone, 'L' and "
            "'classes' or the classes of boxes, or 'L', 'hints' and 'mask', "
            "perhaps those of boxes too, and the output 'ab'. "
            f"Received: a model named {model.name!r} with {inputs} and "
            f"{outputs}"
        )
