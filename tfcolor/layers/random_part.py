"""Random parts of pictures, inside a model, in training only."""

import keras
from keras import ops


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
        count, height, width = ops.shape(x)[:3]
        area, *corner = ops.unstack(
            keras.random.uniform((count, 3), seed=self._seeds), axis=-1
        )
        side = ops.sqrt(self.min_area + (1 - self.min_area) * area)
        top, left = (place * (1 - side) for place in corner)
        rows = _between(top, side, height)
        columns = _between(left, side, width)
        x = ops.einsum("biy,byxc->bixc", rows, x)
        return ops.einsum("bjx,bixc->bijc", columns, x)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the parts."""
        return input_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        config = super().get_config() | {"min_area": self.min_area}
        # Fixed, see `__init__`.
        config.pop("dtype")
        return config


def _between(start, length, size):
    """Weights that enlarge a part of an axis to all of it.

    Args:
        start: float32 tensor [B], share of the axis.
        length: float32 tensor [B], share of the axis.
        size: int, N, or int32 tensor [], of the axis in pixels.

    Returns:
        float32 tensor [B, N, N]: for each pixel how much of each one it is,
        linearly, from the middle of the first one to that of the last.
    """
    places = ops.cast(ops.arange(size, dtype="int32"), "float32")
    last = ops.cast(size, "float32") - 1
    share = places / ops.maximum(last, 1.0)
    wanted = (start[:, None] + length[:, None] * share) * last
    return ops.relu(1.0 - ops.abs(wanted[..., None] - places))
