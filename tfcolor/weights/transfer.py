"""Carrying weights from one model to another, layer by layer."""

from collections.abc import Collection

import keras


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
