"""Carrying weights from one model to another, layer by layer."""

from collections.abc import Collection

import keras
import numpy as np


class Mismatch(ValueError):
    """Layers of two models do not fit.

    Attributes:
        source: dict from the names of layers to the shapes of their weights.
        target: the same of the other model.
    """

    def __init__(self, source: dict, target: dict):
        self.source, self.target = source, target
        problems = [
            f"{name}: {source.get(name)} != {target.get(name)}"
            for name in self.names()
        ]
        super().__init__(
            "Both models must have the same layers with weights of the same "
            f"shapes. Received: {'; '.join(problems)}"
        )

    def names(self) -> list[str]:
        """Returns the names of the layers that differ."""
        return [
            name
            for name in self.source | self.target
            if self.source.get(name) != self.target.get(name)
        ]


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
        Mismatch: a layer with weights is missing in one of them, or has
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
        Mismatch: one of the layers is missing in one of the models, or has
            weights of another shape. Every difference is listed, and nothing
            is copied.
    """
    check_layers(source, target, names)
    _copy(source, target, names)


def check_layers(
    source: keras.Model, target: keras.Model, names: Collection[str]
) -> None:
    """Checks that some layers could be copied; see `copy_layers`.

    Args:
        source: keras.Model, built.
        target: keras.Model, built.
        names: names of layers.

    Raises:
        Mismatch: one of the layers is missing, or of another shape.
    """
    known = [_shapes(model) for model in (source, target)]
    # A name that neither model has must not be taken for an equal one.
    _check_equal(
        {name: known[0].get(name, "missing") for name in names},
        {name: known[1].get(name) for name in names},
    )


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
    if source != target:
        raise Mismatch(source, target)


def _copy(source, target, names) -> None:
    for name in names:
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())
