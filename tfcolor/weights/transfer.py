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
    shapes = [
        {
            layer.name: [tuple(w.shape) for w in layer.weights]
            for layer in model.layers
            if layer.weights and layer.name not in except_layers
        }
        for model in (source, target)
    ]
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
    for name in shapes[0]:
        target.get_layer(name).set_weights(source.get_layer(name).get_weights())
