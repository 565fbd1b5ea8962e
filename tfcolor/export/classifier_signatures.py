"""The signatures of an exported classifier.

`serving_default`  picture_bytes, string [B] -> classes, scores
`classify_rgb`     rgb, uint8 [B, H, W, 3] -> classes, scores

`classes`, string [B, K], are the names of all classes, the best one of each
picture first; `scores`, float32 [B, K], their probabilities.
"""

import keras
import tensorflow as tf

from tfcolor.export import decode_graph
from tfcolor.export import defaults
from tfcolor.export.served import Signature
from tfcolor.inference import class_network
from tfcolor.inference import prepare
from tfcolor.weights.model_file import ModelInfo


def classifier_signatures(
    model: keras.Model, info: ModelInfo, *, max_pixels: int
) -> list[Signature]:
    """Makes the signatures of a classifier.

    Args:
        model: keras.Model of `task_transfer` or `alexnet`.
        info: its ModelInfo.
        max_pixels: int. Of the pictures of a request together.

    Returns:
        list of Signature.
    """
    size, count = info.image_size, len(info.class_names)
    probabilities = class_network.probabilities_function(model, info)

    def square_rgb(pixels):
        square = prepare.traced(prepare.network_rgb, pixels, size)
        return tf.ensure_shape(square, [size, size, 3])

    def classify(pictures, batch):
        squares = tf.map_fn(
            lambda index: pictures[index].apply(square_rgb),
            tf.range(batch),
            fn_output_signature=tf.TensorSpec([size, size, 3]),
        )
        # Of equal scores the first class comes first, as in Python.
        scores, order = tf.math.top_k(probabilities(squares), count)
        names = tf.constant(info.class_names)
        return {"classes": tf.gather(names, order), "scores": scores}

    def classify_encoded(picture_bytes):
        pictures = decode_graph.Pictures(picture_bytes, max_pixels=max_pixels)
        return classify(pictures, pictures.count)

    def classify_rgb(rgb):
        rgb = decode_graph.check_rgb(rgb, max_pixels)
        return classify(decode_graph.Pixels(rgb), tf.shape(rgb)[0])

    encoded = tf.TensorSpec([None], tf.string, "picture_bytes")
    rgb = tf.TensorSpec([None, None, None, 3], tf.uint8, "rgb")
    outputs = (
        tf.TensorSpec([None, count], tf.string, "classes"),
        tf.TensorSpec([None, count], name="scores"),
    )
    return [
        Signature(
            defaults.DEFAULT_SIGNATURE, classify_encoded, (encoded,), outputs
        ),
        Signature("classify_rgb", classify_rgb, (rgb,), outputs),
    ]
