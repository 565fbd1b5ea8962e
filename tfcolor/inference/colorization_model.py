"""Getting hold of a colorization model: shipped, from a file or as it is."""

import os

import keras

from tfcolor.models import blend
from tfcolor.models import ddcolor
from tfcolor.models import efficientnet_unet
from tfcolor.models import siggraph_blocks
from tfcolor.weights import model_file
from tfcolor.weights import shipped

_L_INPUTS = {"L"}
_CLASS_INPUT = "classes"
_INPUTS = {"L", "hints", "mask"}
_BOX_INPUTS = {"crops", "boxes", "box_valid", "picture_size"}
_BOX_CLASS_INPUTS = {"boxes", "box_classes", "picture_size"}
_OUTPUT = "ab"
# Networks whose maps are smaller than those of the others.
_SIZE_MULTIPLES = {
    "efficientnet_unet": efficientnet_unet.SIZE_MULTIPLE,
    "ddcolor": ddcolor.SIZE_MULTIPLE,
}


def load(
    model: keras.Model | str | os.PathLike | None,
    *,
    style: str | float | None = None,
) -> tuple[keras.Model, model_file.ModelInfo]:
    """Loads a colorization model.

    Args:
        model: None for the default of the weights that ship with tfcolor,
            str (the name of shipped weights, NAME or NAME:STYLE, or the path
            of a `.keras` file) or a keras.Model, which is returned.
        style: str, float or None. Of a shipped model; see `shipped.load`.

    Returns:
        The model and its ModelInfo; the defaults for a keras.Model.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: the name is not known, the file cannot be read, or the
            model is not one with the inputs `L` alone, `L` and `classes` or
            the classes of boxes, or `L`, `hints` and `mask`, those of boxes
            beside them or not, and the output `ab`.
    """
    model, info = open_model(model, style=style)
    check(model)
    return model, info


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
        ValueError: the name is not known, the file cannot be read, or the
            model has no styles.
    """
    if not isinstance(model, keras.Model | None):
        model = os.fspath(model)
    is_file = isinstance(model, str) and _is_file(model)
    if style is not None and (is_file or isinstance(model, keras.Model)):
        raise ValueError(
            "`style` needs a model that ships with tfcolor. "
            f"Received: style={style!r} with model={model!r}"
        )
    if isinstance(model, keras.Model):
        return model, model_file.ModelInfo()
    if is_file:
        return _load_file(model)
    name, _, named_style = (model or shipped.DEFAULT).partition(":")
    if style is not None and named_style:
        raise ValueError(
            "A model's style must be given once. "
            f"Received: model={model!r}, style={style!r}"
        )
    return shipped.load(name, style=named_style or style)


def _is_file(model: str) -> bool:
    """Tells a path from a name, which has neither folders nor an extension."""
    if model.partition(":")[0] in shipped.names():
        return False
    is_path = os.path.exists(model) or os.path.basename(model) != model
    return is_path or "." in model


def _load_file(path: str) -> tuple[keras.Model, model_file.ModelInfo]:
    model_file.check_path(path)
    try:
        return model_file.load(path)
    except Exception as error:
        # Keras raises errors of many kinds on archives it cannot read.
        raise ValueError(
            "A model file must hold a Keras model that can be read. "
            f"Received: {path!r} ({type(error).__name__}: {error})"
        ) from error


def takes_boxes(model: keras.Model) -> bool:
    """Tells whether a colorization model colors instances by themselves."""
    return set(model.input) > _INPUTS


def takes_box_classes(model: keras.Model) -> bool:
    """Tells whether a colorization model is told what lies in boxes."""
    return set(model.input) >= _BOX_CLASS_INPUTS


def takes_hints(model: keras.Model) -> bool:
    """Tells whether a colorization model listens to colour hints."""
    return set(model.input) >= _INPUTS


def size_multiple(model: keras.Model) -> int:
    """Returns what the sides of a model's input must be a multiple of."""
    name = blend.network(model).name
    return _SIZE_MULTIPLES.get(name, siggraph_blocks.SIZE_MULTIPLE)


def num_classes(model: keras.Model) -> int:
    """Returns how many classes a model must be told of; 0 if none."""
    if _CLASS_INPUT not in model.input:
        return 0
    return model.input[_CLASS_INPUT].shape[-1]


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
            f"Received: model={model.name!r} with {inputs} and {outputs}"
        )
