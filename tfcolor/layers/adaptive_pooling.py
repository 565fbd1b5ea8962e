"""Means over a fixed number of parts of a map of any size."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tfcolor")
class AdaptiveMeans(keras.layers.Layer):
    """Reduces a map to a grid of means, as PyTorch's AdaptiveAvgPool2d.

    Cell i of n covers the rows floor(i * size / n) up to, but not including,
    ceil((i + 1) * size / n). Cells may overlap, and a map smaller than the
    grid is repeated.

    Args:
        side: int, n. Rows and columns of the grid.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, C].

    Returns:
        float tensor [B, side, side, C].
    """

    def __init__(self, side: int, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, x):
        """Returns the means."""
        x = ops.convert_to_tensor(x)
        height, width = ops.shape(x)[1:3]
        # In float32: the means of many half-precision numbers lose digits.
        means = ops.einsum(
            "ih,bhwc,jw->bijc",
            self._shares(height),
            ops.cast(x, "float32"),
            self._shares(width),
        )
        return ops.cast(means, x.dtype)

    def _shares(self, size):
        """Returns how much of each row is in each cell: float32 [n, size]."""
        cell = ops.arange(self.side, dtype="int32")[:, None]
        place = ops.arange(size, dtype="int32")[None]
        start = cell * size // self.side
        stop = -(-(cell + 1) * size // self.side)
        inside = ops.logical_and(start <= place, place < stop)
        inside = ops.cast(inside, "float32")
        return inside / ops.sum(inside, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the grid."""
        return (input_shape[0], self.side, self.side, input_shape[-1])

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"side": self.side}
