"""Random parts of pictures, inside a model, in training only."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tfcolor")
class RandomPart(keras.layers.Layer):
    """Cuts out a random part of each picture and enlarges it, in training.

    Args:
        min_area: float in (0, 1]. The part's share of the picture's area is
            between this and 1; a part has the picture's aspect ratio.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, C].
        training: bool. False hands the pictures on.

    Returns:
        float32 tensor [B, H, W, C].

    Raises:
        ValueError: `min_area` is not in that range.
    """

    def __init__(self, min_area: float, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        if not 0 < min_area <= 1:
            raise ValueError(
                "`min_area` must be above 0 and at most 1. "
                f"Received: min_area={min_area}"
            )
        self.min_area = min_area
        self._seeds = keras.random.SeedGenerator()

    def call(self, x, training=False):
        """Returns the parts."""
        if not training:
            return x
        count = tf.shape(x)[0]
        area, *corner = tf.unstack(
            keras.random.uniform((count, 3), seed=self._seeds), axis=-1
        )
        side = tf.sqrt(self.min_area + (1 - self.min_area) * area)
        top, left = (place * (1 - side) for place in corner)
        return tf.image.crop_and_resize(
            x,
            tf.stack([top, left, top + side, left + side], -1),
            tf.range(count),
            tf.shape(x)[1:3],
        )

    def compute_output_shape(self, input_shape):
        """Returns the shape of the parts."""
        return input_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        config = super().get_config() | {"min_area": self.min_area}
        # Fixed, see `__init__`.
        config.pop("dtype")
        return config
