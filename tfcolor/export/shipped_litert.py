"""Templates of shipped models for LiteRT; `litert_template` fills them.

The model is converted once, its weights are looked up in the file, and what
is left of the file is kept.
"""

import json
import os
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

from tfcolor import atomic
from tfcolor.export import litert
from tfcolor.layers.bin_colors import BinColors
from tfcolor.models import architecture
from tfcolor.models import blend
from tfcolor.models import siggraph_blocks
from tfcolor.weights import litert_template
from tfcolor.weights import shipped

# How far folded weights may be from the converter's, beside the largest one.
_TOLERANCE = 1e-6
_NETWORK = "efficientnet_unet_blend"


def convert(name: str) -> bytes:
    """Converts a shipped model, for pictures without hints, of any style.

    Args:
        name: str, one of `shipped.names()`.

    Returns:
        bytes of a `.tflite` file; see `litert_template.fill`.

    Raises:
        ValueError: there is no such model, or it is not one of
            `efficientnet_unet_blend`.
    """
    model, info = shipped.load(name)
    if info.architecture != _NETWORK:
        raise ValueError(
            f"A LiteRT template must be of a model of {_NETWORK}. "
            f"Received: {name!r}, of {info.architecture}"
        )
    options = architecture.of(model).options
    mirrored, radius = options["mirrored"], options["bilateral_radius"]
    network = blend.network(model)
    classes = BinColors(scale=blend.CLASS_STEP)

    def predict_ab(L, style):
        seen = tf.concat([L, L[:, :, ::-1]], axis=0) if mirrored else L
        found = network(siggraph_blocks.without_hints(seen), training=False)
        ab = style[1] * found["ab"]
        ab += style[2] * classes(found["ab_logits"] * style[0])
        ab = blend.settled(ab, L, mirrored=mirrored, bilateral_radius=radius)
        return {"ab": ab}

    size = info.image_size
    return litert.converted(
        network,
        predict_ab,
        [
            tf.TensorSpec([1, size, size, 1], name="L"),
            tf.TensorSpec([3], name="style"),
        ],
    )


def write(name: str) -> int:
    """Writes the template of a shipped model beside its weights.

    Args:
        name: str, one of `shipped.names()`.

    Returns:
        int, bytes of the template.

    Raises:
        ValueError: as `convert`, or a weight is not found in the file.
    """
    content = convert(name)
    arrays = litert_template.read_arrays(name)
    graph, done = [], 0
    parts = _places(content, arrays)
    for position, count, _, _ in parts:
        graph.append(content[done:position])
        done = position + 4 * count
    graph.append(content[done:])
    path = litert_template.file(name)
    with atomic.replacing(path) as new, open(new, "wb") as file:
        np.savez_compressed(
            file,
            graph=np.frombuffer(b"".join(graph), np.uint8),
            parts=json.dumps(parts),
        )
    return os.path.getsize(path)


def _places(
    content: bytes, arrays: Mapping[str, np.ndarray]
) -> list[tuple[int, int, str, str]]:
    """Returns the parts of a file; see `litert_template`."""
    constants, places = _constants(content), {}
    for kind, layer in _wanted(arrays):
        weights = litert_template.PARTS[kind](arrays, layer).reshape(-1)
        limit = _TOLERANCE * np.abs(weights).max()
        found = [
            position
            for position, values in constants.items()
            if values.size == weights.size
            and np.abs(values - weights).max() <= limit
        ]
        if not found:
            raise ValueError(
                "A LiteRT file must hold every weight. Received: none for "
                f"{layer!r}"
            )
        # Biases that are added to one sum learn the same, and the converter
        # keeps equal constants once or twice.
        free = [position for position in found if position not in places]
        for position in free[:1]:
            places[position] = weights.size, kind, layer
    return [(position, *source) for position, source in sorted(places.items())]


def _wanted(arrays: Mapping) -> Iterator[tuple[str, str]]:
    """Yields kind and layer of all parts; see `litert_template.PARTS`."""
    for path, array in arrays.items():
        layer, _, name = path.rpartition("/")
        if name == "kernel" and f"{layer}_bn/gamma" in arrays:
            yield "normalized_kernel", layer
            yield "normalized_bias", layer
        elif name == "kernel":
            yield "first_kernel" if layer == "stem" else "kernel", layer
        elif array.ndim == 2:
            yield "matrix", path
        elif f"{layer.removesuffix('_bn')}/kernel" not in arrays or (
            name == "bias"
        ):
            yield "vector", path


def _constants(content: bytes) -> dict[int, np.ndarray]:
    """Returns the float32 constants of a file by their positions."""
    model = schema.Model.GetRootAs(content, 0)
    graph, found = model.Subgraphs(0), {}
    for i in range(graph.TensorsLength()):
        tensor = graph.Tensors(i)
        data = model.Buffers(tensor.Buffer()).DataAsNumpy()
        if tensor.Type() == schema.TensorType.FLOAT32 and np.size(data) > 1:
            # A view of the file.
            position = _address(data) - _address(content)
            found[position] = data.view("<f4")
    return found


def _address(data) -> int:
    return np.frombuffer(data, np.uint8).__array_interface__["data"][0]
