"""Tiny models with known answers."""

import keras
import numpy as np

from tfcolor.weights import model_file


def plain_model(ab=(40.0, -30.0)):
    """Paints one color everywhere, and hints where they are."""
    return _model(
        lambda L, hints, mask: hints * mask + (1 - mask) * np.array(ab, "f")
    )


def lightness_model():
    """Paints a, b = L - 50, 50 - L, wherever it is asked."""
    return _model(
        lambda L, hints, mask: keras.ops.concatenate([L - 50, 50 - L], -1)
    )


def counting_model():
    """Paints a = 10 for each box of a picture, b = its crops' mean L / 10."""
    inputs = {
        "L": keras.Input((None, None, 1), name="L"),
        "hints": keras.Input((None, None, 2), name="hints"),
        "mask": keras.Input((None, None, 1), name="mask"),
        "crops": keras.Input((None, None, None, 1), name="crops"),
        "boxes": keras.Input((None, 4), name="boxes"),
        "box_valid": keras.Input((None,), dtype="bool", name="box_valid"),
        "picture_size": keras.Input((2,), dtype="int32", name="picture_size"),
    }
    valid = keras.ops.cast(inputs["box_valid"], "float32")
    count = keras.ops.sum(valid, axis=1)
    L = keras.ops.sum(keras.ops.mean(inputs["crops"], axis=(2, 3, 4)), axis=1)
    color = keras.ops.stack(
        [10 * count, L / keras.ops.maximum(count, 1) / 10], -1
    )
    ab = inputs["L"] * 0 + keras.ops.expand_dims(color, (1, 2))
    return keras.Model(inputs, {"ab": ab})


def alone_model():
    """Paints a = 30 everywhere, and takes nothing but L."""
    L = keras.Input((None, None, 1), name="L")
    ab = keras.ops.concatenate([L * 0 + 30, L * 0], -1)
    return keras.Model({"L": L}, {"ab": ab})


def class_conditional_model():
    """Paints a = 40 and b = 40 times the shares of two classes."""
    L = keras.Input((None, None, 1), name="L")
    classes = keras.Input((2,), name="classes")
    ab = L * 0 + 40 * keras.ops.expand_dims(classes, (1, 2))
    return keras.Model({"L": L, "classes": classes}, {"ab": ab})


def save(model, path, image_size=16):
    """Writes a model file and returns its path as str."""
    info = model_file.ModelInfo(image_size=image_size)
    model_file.save(model, str(path), info)
    return str(path)


def _model(function):
    inputs = {
        name: keras.Input((None, None, channels), name=name)
        for name, channels in (("L", 1), ("hints", 2), ("mask", 1))
    }
    ab = function(inputs["L"], inputs["hints"], inputs["mask"])
    return keras.Model(inputs, {"ab": ab})
