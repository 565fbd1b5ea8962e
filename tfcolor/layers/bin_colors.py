"""From distributions over the ab bins to colors, inside a model."""

import keras

from tfcolor.color import ab_bins
from tfcolor.layers.enlarge import enlarged


@keras.saving.register_keras_serializable(package="tfcolor")
class BinColors(keras.layers.Layer):
    """Decodes ab logits by their annealed mean, and enlarges the colors.

    Args:
        temperature: float above 0; see `ab_bins.decode_annealed_mean`.
        scale: int. Factor on height and width, bilinear.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        ab_logits: float tensor [B, h, w, 529] or [B, h, w, 261].

    Returns:
        float32 tensor [B, scale * h, scale * w, 2], CIELAB.
    """

    def __init__(self, *, temperature: float = 1.0, scale: int = 1, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.temperature = temperature
        self.scale = scale

    def call(self, ab_logits):
        """Returns the colors."""
        ab = ab_bins.decode_annealed_mean(
            ab_logits, temperature=self.temperature
        )
        return enlarged(ab, self.scale, method="bilinear")

    def compute_output_shape(self, input_shape):
        """Returns the shape of the colors."""
        batch, *size, _ = input_shape
        size = [side and side * self.scale for side in size]
        return (batch, *size, 2)

    def get_config(self):
        """Returns what rebuilds the layer."""
        config = super().get_config() | {
            "temperature": self.temperature,
            "scale": self.scale,
        }
        # Fixed, see `__init__`.
        config.pop("dtype")
        return config
