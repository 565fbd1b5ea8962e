"""Enlarging maps of any size."""

import keras
import tensorflow as tf

METHODS = ("nearest", "bilinear")


@keras.saving.register_keras_serializable(package="tfcolor")
class Enlarge(keras.layers.Layer):
    """Multiplies height and width of a map by a whole number.

    `keras.layers.UpSampling2D` fails in graphs whose sizes it does not know.

    Args:
        scale: int.
        method: str. "nearest" repeats every value; "bilinear" goes between
            the values, which sit in the middle of their cells.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, C].

    Returns:
        float tensor [B, scale * H, scale * W, C].
    """

    def __init__(self, scale: int, *, method: str = "nearest", **kwargs):
        super().__init__(**kwargs)
        if method not in METHODS:
            raise ValueError(
                f"`method` must be one of {METHODS}. Received: "
                f"method={method!r}"
            )
        self.scale = scale
        self.method = method

    def call(self, x):
        """Returns the larger map."""
        x = tf.convert_to_tensor(x)
        size = tf.shape(x)[1:3] * self.scale
        larger = tf.cast(tf.image.resize(x, size, method=self.method), x.dtype)
        return tf.ensure_shape(larger, self.compute_output_shape(x.shape))

    def compute_output_shape(self, input_shape):
        """Returns the shape of the larger map."""
        batch, *size, channels = input_shape
        return (batch, *(side and side * self.scale for side in size), channels)

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {
            "scale": self.scale,
            "method": self.method,
        }
