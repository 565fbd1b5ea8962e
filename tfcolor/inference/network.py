"""The network between `prepare` and `finish`, in Python and when exported."""

import keras
import tensorflow as tf


def network_function(model: keras.Model):
    """Makes a function that is traced once, whatever comes.

    Args:
        model: keras.Model of `colorization_model.load`.

    Returns:
        tf.function of a dict of its inputs, see `network_inputs`, to float32
        [B, S, S, 2], CIELAB.
    """

    def predict_ab(inputs):
        return tf.cast(model(inputs, training=False)["ab"], tf.float32)

    specs = {
        name: tf.TensorSpec([None] * len(x.shape[:-1]) + [x.shape[-1]], x.dtype)
        for name, x in model.input.items()
    }
    return tf.function(predict_ab, input_signature=[specs])


def without_hints(L: tf.Tensor) -> dict[str, tf.Tensor]:
    """Makes the inputs of pictures for which nobody gave a colour.

    Args:
        L: float32 tensor [B, S, S, 1], 0..100.

    Returns:
        dict of "L", "hints" and "mask".
    """
    nothing = tf.zeros_like(L)
    hints = tf.concat([nothing, nothing], axis=-1)
    return {"L": L, "hints": hints, "mask": nothing}


def without_boxes(count: tf.Tensor | int, crop_size: int):
    """Makes the inputs of pictures in which nobody marked anything.

    Args:
        count: int32 scalar, B, pictures.
        crop_size: int, s. Side in pixels of the square of each box.

    Returns:
        dict of "boxes", "box_valid", "box_classes", "crops" and
        "picture_size"; see `network_inputs.box_inputs` and
        `network_inputs.box_class_inputs`.
    """
    return {
        "boxes": tf.zeros([count, 1, 4]),
        "box_valid": tf.zeros([count, 1], tf.bool),
        "box_classes": tf.zeros([count, 1], tf.int32),
        "crops": tf.zeros([count, 1, crop_size, crop_size, 1]),
        "picture_size": tf.ones([count, 2], tf.int32),
    }
