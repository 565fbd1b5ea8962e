"""Enlarging maps of any size."""

import keras
from keras import ops

METHODS = ("nearest", "bilinear")


def enlarged(x, scale: int, *, method: str = "nearest"):
    """Multiplies height and width of a map by a whole number.

    `ops.image.resize` must know the size, which graphs for any size do not.

    Args:
        x: float tensor [B, H, W, C].
        scale: int.
        method: str, one of `METHODS`; see `Enlarge`.

    Returns:
        float tensor [B, scale * H, scale * W, C].
    """
    for axis in (1, 2):
        if method == "nearest":
            x = ops.repeat(x, scale, axis)
        else:
            x = _interpolated(x, scale, axis)
    return x


def _interpolated(x, scale: int, axis: int):
    """Enlarges one axis bilinearly."""
    first = [slice(None)] * axis + [slice(None, 1)]
    last = [slice(None)] * axis + [slice(-1, None)]
    before = [slice(None)] * axis + [slice(None, -1)]
    after = [slice(None)] * axis + [slice(1, None)]
    left = ops.concatenate([x[tuple(first)], x[tuple(before)]], axis)
    right = ops.concatenate([x[tuple(after)], x[tuple(last)]], axis)
    parts = []
    for index in range(scale):
        # Of a new value: how far right of the old one's middle it lies.
        place = (index + 0.5) / scale - 0.5
        neighbor = left if place < 0 else right
        parts.append(x + abs(place) * (neighbor - x))
    shape = list(ops.shape(x))
    shape[axis] = shape[axis] * scale
    return ops.reshape(ops.stack(parts, axis=axis + 1), shape)


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
        return enlarged(x, self.scale, method=self.method)

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
