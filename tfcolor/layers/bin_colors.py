"""From a distribution over the ab bins to one colour, inside a model."""

import keras
import tensorflow as tf

from tfcolor.color import ab_bins


@keras.saving.register_keras_serializable(package="tfcolor")
class BinColors(keras.layers.Layer):
    """Decodes ab logits by their annealed mean.

    Args:
        temperature: float above 0; see `ab_bins.decode_annealed_mean`.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        ab_logits: float tensor [B, h, w, 529].

    Returns:
        float32 tensor [B, h, w, 2], CIELAB.
    """

    def __init__(self, *, temperature: float = 1.0, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.temperature = temperature

    def call(self, ab_logits):
        """Returns the colours."""
        return ab_bins.decode_annealed_mean(
            tf.convert_to_tensor(ab_logits), temperature=self.temperature
        )

    def compute_output_shape(self, input_shape):
        """Returns the shape with two channels."""
        return (*input_shape[:-1], 2)

    def get_config(self):
        """Returns what rebuilds the layer."""
        config = super().get_config() | {"temperature": self.temperature}
        # Fixed, see `__init__`.
        config.pop("dtype")
        return config
