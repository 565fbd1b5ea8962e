"""Model files: a .keras file that also says how to use the model.

A file written here is an ordinary Keras 3 model file with two more entries in
its archive: `tfcolor.json`, how to use the model, and `architecture.json`, what
it is (see `models.architecture`). `keras.saving.load_model` reads it too.
"""

import dataclasses
import importlib
import json
import os
import pkgutil
import zipfile
from collections.abc import Iterator

import keras

from tfcolor import atomic
from tfcolor import layers
from tfcolor.models import architecture

_ENTRY, _CONFIG = "tfcolor.json", "config.json"
_ARCHITECTURE = "architecture.json"
_EXTENSION = ".keras"
# Bytes of these two, and how much smaller than its content an entry may be:
# weights hardly shrink, and Keras does not compress them.
_MAX_TEXT, _MAX_EXPANSION = 2**26, 100
# Where the classes of a model may come from, and which of these not: they run
# Python code or another framework's, or read files that the model names.
_MODULES = (
    *("keras", "keras.layers", "keras.models", "keras.dtype_policies"),
    *("keras.initializers", "keras.regularizers", "keras.constraints"),
    *("keras.activations", "keras.ops", "builtins"),
)
_INNER_MODULES = (
    *("keras.ops.", "keras.src.ops.", "keras.src.layers."),
    *("keras.src.models.", "keras.src.dtype_policies."),
)
_REFUSED_CLASSES = (
    *("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper"),
    *("JaxLayer", "FlaxLayer", "StringLookup", "IntegerLookup"),
    "TextVectorization",
)
_REGISTERED = "tfcolor>"
# Pixels. No network of the package is trained on larger squares.
_MAX_IMAGE_SIZE = 8192
_PYTORCH = (".pth", ".pt")
_TENSORFLOW = "tensorflow"
# `ModelInfo.inputs` of class-conditional colorizers.
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
            `labelled.LabelConfig`. What a colorizer gets beside L:
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
        """Makes the list that JSON knows a tuple again, and checks types.

        Raises:
            ValueError: a value is of another type or out of range.
        """
        for field in ("architecture", "description", "inputs", "upsampling"):
            if not isinstance(getattr(self, field), str):
                raise ValueError(
                    f"`{field}` of a model must be a text. "
                    f"Received: {field}={getattr(self, field)!r}"
                )
        names = self.class_names
        if not isinstance(names, list | tuple) or not all(
            isinstance(name, str) for name in names
        ):
            raise ValueError("`class_names` of a model must be texts.")
        object.__setattr__(self, "class_names", tuple(names))
        size = self.image_size
        if not isinstance(size, int) or not 0 < size <= _MAX_IMAGE_SIZE:
            raise ValueError(
                f"`image_size` of a model must be in 1..{_MAX_IMAGE_SIZE}. "
                f"Received: image_size={size!r}"
            )


def save(model: keras.Model, path: str, info: ModelInfo) -> None:
    """Writes a model and its info, to a temporary name first.

    Args:
        model: keras.Model.
        path: str ending in `.keras`.
        info: ModelInfo.

    Raises:
        OSError: the file cannot be written; what was there stays.
        ValueError: `path` does not end in `.keras`.
    """
    if not path.endswith(_EXTENSION):
        raise ValueError(
            f"`path` must end in '.keras'. Received: path={path!r}"
        )
    with (
        atomic.replacing(path, extension=_EXTENSION) as new,
        atomic.writing(path),
    ):
        model.save(new)
        with zipfile.ZipFile(new, "a") as archive:
            archive.writestr(_ENTRY, json.dumps(dataclasses.asdict(info)))
            found = architecture.to_json(architecture.of(model))
            archive.writestr(_ARCHITECTURE, json.dumps(found))


def read_info(path: str) -> ModelInfo:
    """Reads a model file's info; the defaults where the file has none.

    Args:
        path: str, a `.keras` file.

    Returns:
        ModelInfo.

    Raises:
        ValueError: the file is damaged, or its info is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if _ENTRY not in archive.namelist():
                return ModelInfo()
            return ModelInfo(**_read_json(archive, _ENTRY))
    except OSError:
        raise
    except Exception as error:
        # Damage, passwords and versions of archives: of many kinds.
        raise _refused(path, f"{_ENTRY}: {error}") from error


def _read_json(archive: zipfile.ZipFile, name: str):
    size = archive.getinfo(name).file_size
    if size > _MAX_TEXT:
        raise ValueError(f"{name} has {size} bytes")
    try:
        return json.loads(archive.read(name))
    except RecursionError:
        raise ValueError(f"{name} is nested too deep") from None


def _refused(path: str, reason) -> ValueError:
    return ValueError(
        "A model file must hold a Keras model that can be read. "
        f"Received: {path!r} ({reason})"
    )


def _check_archive(path: str) -> None:
    """Checks a model file before Keras builds anything that it names.

    Raises:
        ValueError: it is no model, would take far more memory than its own
            size, or has parts that neither Keras nor tfcolor has, or that
            run code.
    """
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.file_size > _MAX_EXPANSION * entry.compress_size + 1024:
                raise ValueError(
                    f"{entry.filename} is {entry.file_size} bytes, "
                    f"compressed to {entry.compress_size}"
                )
        config = _read_json(archive, _CONFIG)
    known = keras.saving.get_custom_objects()
    for part in _parts(config):
        module, name = part.get("module"), part["class_name"]
        if name == "function":
            name = part.get("config")
        registered = part.get("registered_name")
        own = str(registered).startswith(_REGISTERED) and registered in known
        of_keras = isinstance(module, str) and (
            module in _MODULES or module.startswith(_INNER_MODULES)
        )
        # What has no module is a value, such as a tensor's shape.
        if not (own or of_keras or (module is None and registered is None)):
            raise ValueError(
                "a model must be made of layers of Keras and tfcolor, and of "
                f"no others. It has {registered or name!r} of {module!r}"
            )
        if name in _REFUSED_CLASSES:
            raise ValueError(
                "a model must not have layers that run code or read files of "
                f"their own. It has {name!r}"
            )


def _parts(config) -> Iterator[dict]:
    """Finds everything in a configuration that names a class or function."""
    # A list instead of recursion, which has an end.
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            # Of compiling nothing is read.
            waiting += [v for k, v in value.items() if k != "compile_config"]
        elif isinstance(value, list):
            waiting += value


def _read_architecture(path: str) -> architecture.Architecture | None:
    with zipfile.ZipFile(path) as archive:
        if _ARCHITECTURE not in archive.namelist():
            return None
        return architecture.from_json(_read_json(archive, _ARCHITECTURE))


def register_layers() -> None:
    """Imports all layers: Keras finds those that were imported by somebody.

    Where there is no TensorFlow, those that need it are left out.
    """
    for module in pkgutil.iter_modules(layers.__path__, f"{layers.__name__}."):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name != _TENSORFLOW:
                raise


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
        ValueError: the file is not a Keras model, is damaged, or has parts
            that are not from Keras or tfcolor or that run code.
    """
    check_path(path)
    if _CONFIG not in _names(path):
        raise ValueError(
            f"A model must be a Keras 3 .keras archive. Received: {path!r}"
        )
    register_layers()
    try:
        _check_archive(path)
        info = read_info(path)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        if (found := _read_architecture(path)) is not None:
            architecture.attach(model, found)
    except Exception as error:
        # Keras raises errors of many kinds on archives it cannot read.
        if str(error).startswith("A model file must"):
            raise
        raise _refused(path, f"{type(error).__name__}: {error}") from error
    return model, info


def _names(path: str) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception:
        # Of many kinds, on what is no archive or a damaged one.
        return []
