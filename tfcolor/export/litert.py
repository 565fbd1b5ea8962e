"""The network alone as LiteRT (TFLite) files of a fixed size.

A file takes `L`, float32 [1, S, S, 1], and returns `ab`, float32 [1, S, S, 2].
Before and after it belong `prepare` and `finish`, which depend on the size of
the picture and are left to the program on the device.
"""

import tempfile
from collections.abc import Callable
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfcolor import keras_backend
from tfcolor.layers.ddcolor import Gelu
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks

FLOAT16 = "float16"
INT8 = "int8"
KINDS = (FLOAT16, INT8)


def convert(model: keras.Model, *, image_size: int, kind: str) -> bytes:
    """Converts a colorization model of whole pictures.

    Args:
        model: keras.Model of `colorization_model.load`.
        image_size: int, S. A multiple of 8.
        kind: str, "float16": weights of half the size. "int8": weights of a
            quarter, quantized; what goes between the layers stays float32
            (dynamic range).

    Returns:
        bytes of a `.tflite` file.

    Raises:
        ValueError: `kind` is another one, or the model takes boxes, whose
            number is not fixed, or classes.
    """
    if kind not in KINDS:
        raise ValueError(
            f"`kind` must be one of {KINDS}. Received: kind={kind!r}"
        )
    if not architecture.takes(model).whole_pictures:
        raise ValueError(
            "A LiteRT file must be made of a model of whole pictures. Received:"
            f" a model named {model.name!r}, which takes "
            f"{sorted(model.input)}"
        )

    model = _of_known_operators(model)

    def predict_ab(L):
        inputs = siggraph_blocks.without_hints(L)
        inputs = {name: inputs[name] for name in model.input}
        return {"ab": tf.cast(model(inputs, training=False)["ab"], tf.float32)}

    signature = [tf.TensorSpec([1, image_size, image_size, 1], name="L")]
    return converted(model, predict_ab, signature, kind=kind)


def converted(
    model: keras.Model,
    predict_ab: Callable,
    signature: Sequence[tf.TensorSpec],
    *,
    kind: str | None = None,
) -> bytes:
    """Converts a function of a model.

    Args:
        model: keras.Model, whose weights the function uses.
        predict_ab: function of tensors to a dict of tensors.
        signature: sequence of tf.TensorSpec, with names and fixed shapes.
        kind: str or None, see `convert`; None keeps float32.

    Returns:
        bytes of a `.tflite` file.

    Raises:
        ValueError: Keras has another backend than TensorFlow.
    """
    keras_backend.require_tensorflow("A LiteRT file")
    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            "serving_default", predict_ab, input_signature=list(signature)
        )
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["serving_default"]
        )
        if kind is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == FLOAT16:
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _of_known_operators(model: keras.Model) -> keras.Model:
    """Returns a model of the same weights without erf, which LiteRT lacks."""
    if not any(isinstance(layer, Gelu) for layer in model.layers):
        return model

    def known(layer):
        if isinstance(layer, Gelu):
            return Gelu(
                elementary=True, name=layer.name, dtype=layer.dtype_policy
            )
        return layer

    return keras.models.clone_model(model, clone_function=known)
