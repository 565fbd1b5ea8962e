"""Model files: a .keras file that also says how to use the model.

A file written here is an ordinary Keras 3 model file with one more entry in
its archive, `tfcolor.json`. `keras.saving.load_model` reads it too.
"""

import dataclasses
import importlib
import json
import os
import pkgutil
import zipfile

import keras

from tfcolor import layers

_ENTRY = "tfcolor.json"
_PYTORCH = (".pth", ".pt")
# `ModelInfo.inputs` of colorizers that are told classes.
TRUE_CLASSES = "L_true_classes"
SHUFFLED_CLASSES = "L_shuffled_classes"


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """How a saved model is meant to be used.

    Attributes:
        architecture: str. Name of the builder, for example "siggraph".
        image_size: int. Side in pixels of the square pictures the network
            was trained on; the default network size at inference.
        description: str. One line for people.
        class_names: tuple of str. Of a classifier, in the order of its
            logits; of an ensemble too.
        inputs: str. What a classifier sees: "L" or "L_ab"; see
            `labelled.LabelConfig`. What a colorizer is told beside L:
            "L_true_classes", or "L_shuffled_classes", those of other
            pictures.
        upsampling: str. How a colorizer's ab comes to the size of a picture,
            "bilinear" or "guided"; see `finish`.
    """

    architecture: str = "siggraph"
    image_size: int = 256
    description: str = ""
    class_names: tuple[str, ...] = ()
    inputs: str = "L"
    upsampling: str = "bilinear"

    def __post_init__(self):
        """Makes the list that JSON knows a tuple again."""
        object.__setattr__(self, "class_names", tuple(self.class_names))


def save(model: keras.Model, path: str, info: ModelInfo) -> None:
    """Writes a model and its info, to a temporary name first.

    Args:
        model: keras.Model.
        path: str ending in `.keras`.
        info: ModelInfo.

    Raises:
        ValueError: `path` does not end in `.keras`.
    """
    if not path.endswith(".keras"):
        raise ValueError(
            f"`path` must end in '.keras'. Received: path={path!r}"
        )
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_ENTRY, json.dumps(dataclasses.asdict(info)))
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def read_info(path: str) -> ModelInfo:
    """Reads a model file's info; the defaults where the file has none.

    Args:
        path: str, a `.keras` file.

    Returns:
        ModelInfo.
    """
    with zipfile.ZipFile(path) as archive:
        if _ENTRY not in archive.namelist():
            return ModelInfo()
        return ModelInfo(**json.loads(archive.read(_ENTRY)))


def _is_model(path: str) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "config.json" in archive.namelist()


def register_layers() -> None:
    """Imports all layers: Keras finds those that were imported by somebody."""
    for module in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}."):
        importlib.import_module(module.name)


def check_path(path: str) -> None:
    """Checks that a path can be the one of a model file.

    Args:
        path: str.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is a file of PyTorch.
    """
    received = f"A model must be a .keras file. Received: {path!r}"
    missing = "" if os.path.exists(path) else ", which does not exist"
    if path.lower().endswith(_PYTORCH):
        raise ValueError(
            f"{received}, a PyTorch file: see `tfcolor import-weights`"
        )
    if missing:
        raise FileNotFoundError(received + missing)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{received}, a folder")


def load(path: str) -> tuple[keras.Model, ModelInfo]:
    """Loads a model file.

    Args:
        path: str, a `.keras` file written here or by Keras.

    Returns:
        The model, not compiled, and its info.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a Keras model.
    """
    check_path(path)
    if not _is_model(path):
        raise ValueError(
            f"A model must be a Keras 3 .keras archive. Received: {path!r}"
        )
    register_layers()
    return keras.saving.load_model(path, compile=False), read_info(path)
