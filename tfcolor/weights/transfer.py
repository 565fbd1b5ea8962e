"""Carrying weights from one model to another, layer by layer."""

from collections.abc import Collection

import keras
import numpy as np


def copy_weights(
    source: keras.Model,
    target: keras.Model,
    *,
    except_layers: Collection[str] = (),
) -> None:
    """Copies all weights between models with the same layers.

    Layers are matched by name; nothing is ever left out silently.

    Args:
        source: keras.Model, built.
        target: keras.Model, built.
        except_layers: names of layers that only one of them has, or that
            keep their weights.

    Raises:
        ValueError: a layer with weights is missing in one of them, or has
            weights of another shape. Every difference is listed, and nothing
            is copied.
    """
    shapes = [_shapes(model, except_layers) for model in (source, target)]
    _check_equal(*shapes)
    _copy(source, target, shapes[0])


def copy_layers(
    source: keras.Model, target: keras.Model, names: Collection[str]
) -> None:
    """Copies all weights of some layers, whatever else the models have.

    Args:
        source: keras.Model, built.
        target: keras.Model, built.
        names: names of layers, all of which both models must have.

    Raises:
        ValueError: one of the layers is missing in one of the models, or has
            weights of another shape. Every difference is listed, and nothing
            is copied.
    """
    known = [_shapes(model) for model in (source, target)]
    # A name that neither model has must not be taken for an equal one.
    _check_equal(
        {name: known[0].get(name, "missing") for name in names},
        {name: known[1].get(name) for name in names},
    )
    _copy(source, target, names)


def copy_widened(source: keras.Model, target: keras.Model, name: str) -> None:
    """Copies a convolution into one that sees more channels.

    The further channels come last and get weights of 0: the layer begins as one
    that does not see them.

    Args:
        source: keras.Model, built.
        target: keras.Model, built.
        name: str, of a convolution with a bias, of equal size and filters in
            both; the target's sees as many channels as the source's or more.

    Raises:
        ValueError: the layers are not like that.
    """
    kernel, bias = source.get_layer(name).get_weights()
    layer = target.get_layer(name)
    shape = layer.kernel.shape
    further = shape[2] - kernel.shape[2]
    if further < 0 or (*kernel.shape[:2], kernel.shape[3]) != (
        *shape[:2],
        shape[3],
    ):
        raise ValueError(
            "The target's layer must differ from the source's in more channels "
            f"that it sees alone. Received: {name}: {kernel.shape} -> "
            f"{tuple(shape)}"
        )
    padding = [(0, 0), (0, 0), (0, further), (0, 0)]
    layer.set_weights([np.pad(kernel, padding), bias])


def _shapes(model, except_layers=()) -> dict[str, list[tuple[int, ...]]]:
    """Returns the shapes of the weights of each layer that has some."""
    return {
        layer.name: [tuple(w.shape) for w in layer.weights]
        for layer in model.layers
        if layer.weights and layer.name not in except_layers
    }


def _check_equal(source: dict, target: dict) -> None:
    shapes = (source, target)
    problems = [
        f"{name}: {shapes[0].get(name)} != {shapes[1].get(name)}"
        for name in shapes[0] | shapes[1]
        if shapes[0].get(name) != shapes[1].get(name)
    ]
    if problems:
        raise ValueError(
            "Both models must have the same layers with weights of the same "
            f"shapes. Received: {'; '.join(problems)}"
        )


def _copy(source, target, names) -> None:
    for name in names:
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())
