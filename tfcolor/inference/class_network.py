"""What a classifier does with a picture, in Python and when exported."""

import keras
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.weights.model_file import ModelInfo

ARCHITECTURES = ("task_transfer", "alexnet")


def check(info: ModelInfo, name: str) -> None:
    """Raises ValueError unless a model file is that of a classifier.

    Args:
        info: ModelInfo of the file.
        name: str, of the file.
    """
    if info.architecture not in ARCHITECTURES or not info.class_names:
        raise ValueError(
            "A classifier must be a model file of `train_classifier` or "
            "`train_alexnet`, with the names of its classes. Received: "
            f"{name!r}, {info.architecture!r} with "
            f"{len(info.class_names)} classes"
        )


def probabilities_function(model: keras.Model, info: ModelInfo):
    """Makes the function that tells classes apart.

    Args:
        model: keras.Model of `task_transfer` or `alexnet`.
        info: its ModelInfo, of which `image_size`, S, and `inputs` count.

    Returns:
        tf.function of sRGB pictures, float32 [B, S, S, 3], 0..1, to the
        probabilities of K classes, float32 [B, K].
    """
    size = info.image_size
    with_color = info.inputs == "L_ab"

    def probabilities(rgb):
        channels = lab.rgb_to_lab(rgb)
        L, ab = channels[..., :1], channels[..., 1:]
        share = 1.0 if with_color else 0.0
        inputs = {"L": L, "hints": ab * share, "mask": L * 0 + share}
        inputs = {name: inputs[name] for name in model.input}
        return tf.nn.softmax(model(inputs, training=False)["logits"])

    spec = tf.TensorSpec([None, size, size, 3])
    return tf.function(probabilities, input_signature=[spec], autograph=False)
