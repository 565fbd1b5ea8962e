"""Shipped models for LiteRT, made at start from the weights that ship.

LiteRT reads a file with the network and all its weights, as large as these. A
template, `NAME.litert.npz` beside the weights, is such a file without them:
`graph` holds its other bytes, and `parts` says at which byte what belongs:
[position, count of numbers, kind, layer]. Filling it takes a tenth of a
second, and no TensorFlow. `python -m trainers.ship_litert` makes it.
"""

import json
import os
from collections.abc import Mapping

import numpy as np

from tfcolor.color import scaling
from tfcolor.pictures import foreign_files
from tfcolor.weights import shipped_files

# Of Keras' BatchNormalization.
_EPSILON = 1e-3


def file(name: str, folder: str | None = None) -> str:
    """Returns the path of the template of a shipped model.

    Args:
        name: str, one of `shipped_files.names()`.
        folder: str or None; None is where the models ship.

    Returns:
        str.
    """
    return os.path.join(folder or shipped_files.FOLDER, f"{name}.litert.npz")


def names() -> list[str]:
    """Returns the names of the shipped models that have a template."""
    return [
        name for name in shipped_files.names() if os.path.exists(file(name))
    ]


def fill(name: str) -> bytes:
    """Makes the LiteRT file of a shipped model.

    It takes `L`, float32 [1, S, S, 1], 0..100, where S is the model's size,
    and `style`, float32 [3]: see `style_values`. It returns `ab`, float32 [1,
    S, S, 2], CIELAB.

    Args:
        name: str, one of `names()`.

    Returns:
        bytes of a `.tflite` file, float32.

    Raises:
        ValueError: template and weights do not belong together.
    """
    arrays = read_arrays(name)
    found = foreign_files.read_npz(file(name))
    graph, parts = found["graph"], json.loads(str(found["parts"]))
    pieces, taken, done = [], 0, 0
    for position, count, kind, layer in parts:
        weights = PARTS[kind](arrays, layer).astype("<f4", copy=False)
        if weights.size != count:
            raise ValueError(
                "A LiteRT template must belong to its weights. Received: "
                f"{name!r} with another shape of {layer!r}"
            )
        gap = position - done
        pieces += [graph[taken : taken + gap], _bytes_of(weights)]
        taken, done = taken + gap, position + weights.nbytes
    return np.concatenate([*pieces, graph[taken:]]).tobytes()


def read_arrays(name: str) -> dict[str, np.ndarray]:
    """Reads all arrays of a shipped model.

    Args:
        name: str, one of `names()`.

    Returns:
        dict of the names in the file to arrays.
    """
    return foreign_files.read_npz(shipped_files.weights_file(name))


def style_values(options: Mapping) -> np.ndarray:
    """Returns the input `style` of a file.

    Args:
        options: mapping of `class_share`, `temperature` and `saturation`, see
            `blend`.

    Returns:
        float32 array [3]: factors on logits, on the color of the regression
        and on that of the classes.
    """
    share, saturation = options["class_share"], options["saturation"]
    return np.array(
        [
            1 / options["temperature"],
            saturation * (1 - share),
            saturation * share,
        ],
        np.float32,
    )


def _bytes_of(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _kernel(arrays, layer):
    # [out, h, w, in]; of depthwise convolutions [1, h, w, channels].
    return arrays[f"{layer}/kernel"].transpose(3, 0, 1, 2).astype(np.float32)


def _first_kernel(arrays, layer):
    # LiteRT divides by it here, and not in every pixel.
    return _kernel(arrays, layer) / np.float32(scaling.BYTE_SCALE)


def _scale(arrays, layer):
    variance = arrays[f"{layer}_bn/moving_variance"]
    return arrays[f"{layer}_bn/gamma"] / np.sqrt(variance + _EPSILON)


def _normalized_kernel(arrays, layer):
    scale = _scale(arrays, layer)
    return _kernel(arrays, layer) * scale[:, None, None, None]


def _normalized_bias(arrays, layer):
    mean = arrays[f"{layer}_bn/moving_mean"]
    return arrays[f"{layer}_bn/beta"] - mean * _scale(arrays, layer)


# What fills a part, from the arrays of the weights and a layer's name.
PARTS = {
    "kernel": _kernel,
    "first_kernel": _first_kernel,
    "normalized_kernel": _normalized_kernel,
    "normalized_bias": _normalized_bias,
    # Vectors as they are, and matrices the other way round, by their paths.
    "vector": lambda arrays, path: arrays[path],
    "matrix": lambda arrays, path: arrays[path].T,
}
