"""Enlarging maps of any size."""

import keras
from keras import ops

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
        for axis in (1, 2):
            if self.method == "nearest":
                x = ops.repeat(x, self.scale, axis)
            else:
                x = self._interpolated(x, axis)
        return x

    def _interpolated(self, x, axis: int):
        """Enlarges one axis; `ops.image.resize` needs to know its size."""
        first = [slice(None)] * axis + [slice(None, 1)]
        last = [slice(None)] * axis + [slice(-1, None)]
        before = [slice(None)] * axis + [slice(None, -1)]
        after = [slice(None)] * axis + [slice(1, None)]
        left = ops.concatenate([x[tuple(first)], x[tuple(before)]], axis)
        right = ops.concatenate([x[tuple(after)], x[tuple(last)]], axis)
        parts = []
        for index in range(self.scale):
            # Of a new value: how far right of the old one's middle it lies.
            place = (index + 0.5) / self.scale - 0.5
            neighbor = left if place < 0 else right
            parts.append(x + abs(place) * (neighbor - x))
        shape = list(ops.shape(x))
        shape[axis] = shape[axis] * self.scale
        return ops.reshape(ops.stack(parts, axis=axis + 1), shape)

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
