"""What networks and training steps of tfcolor compute."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

# TensorFlow names the operations of a gradient after what made them.
_GRADIENT_SCOPE = "gradient_tape"
_KERNEL_GRADIENT = "Conv2DBackpropFilter"
# A transposed convolution runs as the gradient of a convolution.
_CONVS = ("Conv2D", "Conv2DBackpropInput", _KERNEL_GRADIENT)


class Convs(NamedTuple):
    """How many convolutions a step runs.

    Attributes:
        forward: int.
        to_inputs: int, gradients with respect to what goes in.
        to_kernels: int, gradients with respect to kernels.
    """

    forward: int
    to_inputs: int
    to_kernels: int


def convs(graph: tf.Graph) -> Convs:
    """Counts the convolutions that the results of a graph need.

    Args:
        graph: tf.Graph of a traced function.

    Returns:
        Convs. What nothing needs is left out, as TensorFlow leaves it out.
    """
    counts = [0, 0, 0]
    for operation in _needed(graph):
        if operation.type not in _CONVS:
            continue
        if _GRADIENT_SCOPE not in operation.name:
            counts[0] += 1
        elif operation.type == _KERNEL_GRADIENT:
            counts[2] += 1
        else:
            counts[1] += 1
    return Convs(*counts)


def _needed(graph) -> set:
    """Returns the operations that results and effects of a graph need."""
    ends = [tensor.op for tensor in graph.outputs]
    open_ends = ends + list(graph.control_outputs)
    needed = set()
    while open_ends:
        operation = open_ends.pop()
        if operation not in needed:
            needed.add(operation)
            open_ends += [tensor.op for tensor in operation.inputs]
            open_ends += operation.control_inputs
    return needed


def forward_flops(
    model: keras.Model, shapes: Mapping[str, tuple[int, ...]]
) -> int:
    """Counts the multiplications and additions of a model's convolutions.

    Args:
        model: keras.Model without models inside.
        shapes: mapping of its inputs to their shapes, with the batch.

    Returns:
        int; a multiplication and an addition are two.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose)
    ]
    probe = keras.Model(model.input, [layer.output for layer in layers])
    inputs = {name: keras.KerasTensor(shapes[name]) for name in model.input}
    flops = 0
    for layer, output in zip(layers, probe(inputs), strict=True):
        batch, height, width, _ = output.shape
        positions = batch * height * width
        if isinstance(layer, keras.layers.Conv2DTranspose):
            positions //= math.prod(layer.strides)
        flops += 2 * positions * math.prod(layer.kernel.shape)
    return flops
