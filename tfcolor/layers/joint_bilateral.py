"""Colors that keep to the surfaces of a picture."""

import keras
import numpy as np
from keras import ops

from tfcolor.layers.enlarge import enlarged


@keras.saving.register_keras_serializable(package="tfcolor")
class JointBilateral(keras.layers.Layer):
    """Takes the colors of a surface to its edges: a joint bilateral filter.

    Networks predict color on a coarse grid, so that a thing's color reaches
    over its edges. Each cell gets the mean color of the cells around it that
    are near, of similar lightness and color, and flat: flat ones lie inside a
    surface, and the color there is of one thing only.

    Args:
        radius: int, above 0. How many cells of 4 pixels around one are seen.
        **kwargs: Options of the layer.

    Call arguments:
        ab: float tensor [B, H, W, 2], CIELAB; H and W multiples of 4.
        L: float tensor [B, H, W, 1], 0..100.

    Returns:
        float tensor [B, H, W, 2], CIELAB. Differences of colors that are
        smaller than a cell stay.

    Reference:
        J. Kopf, M. Cohen, D. Lischinski, M. Uyttendaele, "Joint Bilateral
        Upsampling", SIGGRAPH 2007; the preference of flat cells is not in it.
    """

    # Pixels of a cell; how often it is done; the deviations of what is near, as
    # a share of the radius, and of similar L and ab; the variance of L among
    # 3 x 3 cells that still is flat.
    cell, passes, near = 4, 2, 0.75
    similar_L, similar_ab, flat = 4.0, 15.0, 4.0

    def __init__(self, radius: int = 3, **kwargs):
        super().__init__(**kwargs)
        if radius < 1:
            raise ValueError(
                f"`radius` must be above 0. Received: radius={radius}"
            )
        self.radius = radius

    def call(self, ab, L):
        """Returns the filtered colors."""
        ab = ops.cast(ab, self.compute_dtype)
        small_L, small_ab = (
            ops.average_pool(x, self.cell, self.cell) for x in (L, ab)
        )
        planes = small_ab[..., :1], small_ab[..., 1:]
        weights = self._weights(small_L, *planes)
        weights = weights / ops.sum(weights, axis=-1, keepdims=True)
        for _ in range(self.passes):
            planes = [
                ops.sum(weights * self._around(plane), axis=-1, keepdims=True)
                for plane in planes
            ]
        change = ops.concatenate(planes, axis=-1) - small_ab
        return ab + enlarged(change, self.cell, method="bilinear")

    def _weights(self, L, a, b):
        """How much of its color each cell around gives: [B, h, w, N]."""
        steps = np.arange(-self.radius, self.radius + 1)
        distance = np.hypot(steps[:, None], steps).ravel()
        near = (distance / (self.near * self.radius)) ** 2
        differences = [
            ops.square((self._around(plane) - plane) / deviation)
            for plane, deviation in (
                (L, self.similar_L),
                (a, self.similar_ab),
                (b, self.similar_ab),
            )
        ]
        mean, mean_square = (
            ops.average_pool(x, 3, 1, padding="same") for x in (L, L * L)
        )
        variance = ops.maximum(mean_square - mean * mean, 0.0)
        # Beyond the border it is 0, and so are the weights.
        flatness = self._around(ops.rsqrt(variance + self.flat))
        exponent = near.astype("float32") + sum(differences)
        return flatness * ops.exp(-0.5 * exponent)

    def _around(self, plane):
        """Returns the values of the cells around: [B, h, w, N]."""
        side = 2 * self.radius + 1
        kernel = np.eye(side * side, dtype="float32")
        kernel = kernel.reshape(side, side, 1, side * side)
        return ops.conv(plane, kernel, padding="same")

    def compute_output_shape(self, ab_shape, L_shape):
        """Returns the shape of the colors."""
        del L_shape
        return ab_shape

    def get_config(self):
        """Returns the layer's options."""
        return super().get_config() | {"radius": self.radius}
