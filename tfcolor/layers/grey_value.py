"""From lightness to the value of a grey pixel, inside a model."""

import keras
from keras import ops

from tfcolor.color import lab


@keras.saving.register_keras_serializable(package="tfcolor")
class GreyValue(keras.layers.Layer):
    """Computes the sRGB value of the grey that has a lightness.

    Args:
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        L: float tensor [B, H, W, 1], 0..100.

    Returns:
        float32 tensor [B, H, W, 1], 0..1.
    """

    def __init__(self, **kwargs):
        super().__init__(dtype="float32", **kwargs)

    def call(self, L):
        """Returns the grey values."""
        L = ops.convert_to_tensor(L)
        nothing = ops.zeros_like(L)
        lab_values = ops.concatenate([L, nothing, nothing], axis=-1)
        return lab.lab_to_rgb(lab_values)[..., :1]

    def compute_output_shape(self, input_shape):
        """Returns the shape of the values."""
        return input_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        config = super().get_config()
        # Fixed, see `__init__`.
        config.pop("dtype")
        return config
