"""Converted models on disk, written and read in little memory.

One uncompressed zip file: `tfcolor.json` says what it is, with the model's
configuration, and `0.npy`, `1.npy` and so on are its weights in order. Keras'
own files pass through memory as a whole; here one weight at a time does. Each
part has a checksum, so that a file that broke is found out.
"""

import dataclasses
import json
import zipfile

import keras
import numpy as np

from tfcolor import atomic
from tfcolor.data import memory
from tfcolor.models import architecture
from tfcolor.weights import model_file

_ENTRY = "tfcolor.json"


def write(
    model: keras.Model, path: str, info: model_file.ModelInfo, *, origin: str
) -> None:
    """Writes a model, to a temporary name first.

    Args:
        model: keras.Model, functional.
        path: str.
        info: ModelInfo.
        origin: str, the SHA-256 of the file that it was converted from.
    """
    description = {
        "info": dataclasses.asdict(info),
        "origin": origin,
        "config": model.to_json(),
        "architecture": architecture.to_json(architecture.of(model)),
        "weights": [weight.path for weight in model.weights],
    }
    with (
        atomic.replacing(path) as new,
        zipfile.ZipFile(new, "w") as archive,
    ):
        archive.writestr(_ENTRY, json.dumps(description))
        for i, weight in enumerate(model.weights):
            array = keras.ops.convert_to_numpy(weight)
            with archive.open(f"{i}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def read(path: str) -> tuple[keras.Model, model_file.ModelInfo]:
    """Reads a model.

    Args:
        path: str.

    Returns:
        The model and its ModelInfo.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read(_ENTRY))
            info = model_file.ModelInfo(**description["info"])
            model_file.register_layers()
            model = keras.models.model_from_json(description["config"])
            if [w.path for w in model.weights] != description["weights"]:
                raise ValueError("other weights than the model's")
            if "architecture" in description:
                known = architecture.from_json(description["architecture"])
                architecture.attach(model, known)
            for i, weight in enumerate(model.weights):
                weight.assign(_array(archive, f"{i}.npy"))
    except OSError:
        # It cannot be read, which does not make it broken.
        raise
    except Exception as error:
        if memory.ran_out(error, "a smaller model"):
            raise
        # A broken file can make Keras and zipfile raise nearly anything.
        raise ValueError(
            "A converted model must be a file as tfcolor wrote it. Received: "
            f"{path!r} ({type(error).__name__}: {error})"
        ) from error
    return model, info


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as entry:
        array = np.lib.format.read_array(entry, allow_pickle=False)
        # At its end the entry's checksum is compared.
        if entry.read(1):
            raise ValueError(f"{name} is longer than its array")
        return array
