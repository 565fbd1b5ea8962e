"""The network between `prepare` and `finish`, in Python and when exported."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tfcolor.models import box_inputs
from tfcolor.models import fusion
from tfcolor.models import fusion_in_turns


def network_function(
    model: keras.Model, *, boxes_at_once: int | None = None
) -> Callable:
    """Makes a function that is traced once, whatever comes.

    A picture's boxes take turns where there are more than `boxes_at_once`.
    What is kept of all of them takes the memory of one, so that a batch takes
    turns if it has at least `boxes_at_once` boxes more than pictures with
    boxes. The graph for turns is made when it is needed first.

    Args:
        model: keras.Model of `colorization_model.load`.
        boxes_at_once: int above 0 or None, all. Counts for models of
            `fusion.instance_colorizer`; see `fusion_in_turns`.

    Returns:
        Function of a dict that has its inputs, see `network_inputs`, and
        perhaps those of other models, to float32 [B, S, S, 2], CIELAB.
    """
    at_once = _traced_once(model)
    if boxes_at_once is None or not fusion.networks_of(model):
        return at_once
    in_turns = _traced_once(fusion_in_turns.with_turns(model, boxes_at_once))

    def predict_ab(inputs):
        return tf.cond(
            _needs_turns(inputs, boxes_at_once),
            lambda: in_turns(inputs),
            lambda: at_once(inputs),
        )

    return predict_ab


def _needs_turns(inputs, boxes_at_once: int) -> tf.Tensor:
    groups = box_inputs.each_group(inputs, "box_valid")
    boxes = tf.add_n([tf.reduce_sum(tf.cast(v, tf.int32), 1) for v in groups])
    pictures = tf.math.count_nonzero(boxes, dtype=tf.int32)
    return tf.reduce_sum(boxes) - pictures >= boxes_at_once


def _traced_once(model: keras.Model):
    def predict_ab(inputs):
        return tf.cast(model(inputs, training=False)["ab"], tf.float32)

    specs = {
        name: tf.TensorSpec([None] * len(x.shape[:-1]) + [x.shape[-1]], x.dtype)
        for name, x in model.input.items()
    }
    function = tf.function(predict_ab, input_signature=[specs], autograph=False)
    return lambda inputs: function({name: inputs[name] for name in specs})


def without_boxes(count: tf.Tensor | int, crop_size: int):
    """Makes the inputs of pictures in which nobody marked anything.

    Args:
        count: int32 scalar, B, pictures.
        crop_size: int, s. Side in pixels of the square of each box.

    Returns:
        dict of "boxes", "box_valid", "box_classes", "crops" and
        "picture_size"; see `network_inputs.BoxCrops` and `BoxClasses`.
    """
    return {
        "boxes": tf.zeros([count, 1, 4]),
        "box_valid": tf.zeros([count, 1], tf.bool),
        "box_classes": tf.zeros([count, 1], tf.int32),
        "crops": tf.zeros([count, 1, crop_size, crop_size, 1]),
        "picture_size": tf.ones([count, 2], tf.int32),
    }
