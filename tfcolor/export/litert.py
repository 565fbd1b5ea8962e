"""The network alone as LiteRT (TFLite) files of a fixed size.

A file takes `L`, float32 [1, S, S, 1], and returns `ab`, float32 [1, S, S, 2].
Before and after it belong `prepare` and `finish`, which depend on the size of
the picture and are left to the program on the device.
"""

import os
import tempfile
import warnings

import keras
import numpy as np
import tensorflow as tf

from tfcolor.inference import network
from tfcolor.layers.ddcolor import Gelu

FLOAT16 = "float16"
INT8 = "int8"
KINDS = (FLOAT16, INT8)
_WITHOUT_MORE = {"L", "hints", "mask"}


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
    names = set(model.input)
    if not names <= _WITHOUT_MORE:
        raise ValueError(
            "A LiteRT file must be made of a model of whole pictures. Received:"
            f" model={model.name!r}, which takes {sorted(names)}"
        )

    model = _of_known_operators(model)

    def predict_ab(L):
        inputs = network.without_hints(L)
        inputs = {name: inputs[name] for name in model.input}
        return {"ab": tf.cast(model(inputs, training=False)["ab"], tf.float32)}

    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            "serving_default",
            predict_ab,
            input_signature=[
                tf.TensorSpec([1, image_size, image_size, 1], name="L")
            ],
        )
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=["serving_default"]
        )
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


class LiteRTNetwork:
    """Runs a LiteRT file of `convert`.

    Args:
        content: bytes of the file.
        threads: int or None. None is one for each processor that this
            process may use; LiteRT's own choice is one alone.
    """

    def __init__(self, content: bytes, *, threads: int | None = None):
        with warnings.catch_warnings():
            # TensorFlow 2.20 announces that its interpreter moves to the
            # package that is preferred here.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is dep")
            interpreter = _interpreter_class()(
                model_content=content, num_threads=threads or _processors()
            )
        self._run = interpreter.get_signature_runner("serving_default")

    def predict_ab(self, L: np.ndarray) -> np.ndarray:
        """Runs the network.

        Args:
            L: float32 array [1, S, S, 1], 0..100.

        Returns:
            float32 array [1, S, S, 2], CIELAB.
        """
        return self._run(L=L)["ab"]


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _interpreter_class():
    """Returns LiteRT's interpreter: its own package's, else TensorFlow's."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        return tf.lite.Interpreter
    return Interpreter
