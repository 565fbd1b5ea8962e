"""LPIPS, version 0.1, on AlexNet features: a learned perceptual distance.

The weights are the user's to bring (`lpips_weights`); none ship or are
downloaded. Weights that were not trained for it give numbers that mean
nothing.

Reference:
    R. Zhang, P. Isola, A. A. Efros, E. Shechtman, O. Wang, "The Unreasonable
    Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
    section 3 and equation 1; the constants of the released version 0.1.
"""

import numpy as np
import tensorflow as tf

# The released scaling layer: from -1..1 to ImageNet's mean and deviation.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10

# torchvision's AlexNet: index of the convolution, filters, side, stride,
# padding, and whether a 3 x 3 pool of stride 2 comes before it.
STAGES = (
    (0, 64, 11, 4, 2, False),
    (3, 192, 5, 1, 2, True),
    (6, 384, 3, 1, 1, True),
    (8, 256, 3, 1, 1, False),
    (10, 256, 3, 1, 1, False),
)
# Smaller pictures have nothing left after the second pool.
MIN_SIZE = 31


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the PyTorch name and shape of each array LPIPS needs."""
    shapes = {}
    channels = 3
    for stage, (index, filters, side, _, _, _) in enumerate(STAGES):
        shapes[f"features.{index}.weight"] = (filters, channels, side, side)
        shapes[f"features.{index}.bias"] = (filters,)
        shapes[f"lin{stage}.model.1.weight"] = (1, filters, 1, 1)
        channels = filters
    return shapes


class Lpips:
    """The distance, as a function of two pictures."""

    def __init__(self, weights: dict[str, np.ndarray]):
        """Takes the weights.

        Args:
            weights: dict from the names of `weight_shapes` to float arrays in
                PyTorch's order (filters, channels, rows, columns).

        Raises:
            ValueError: an array is missing or has another shape.
        """
        for name, shape in weight_shapes().items():
            if name not in weights:
                raise ValueError(
                    f"`weights` must hold {name}. "
                    f"Received: {sorted(weights)[:5]} ..."
                )
            if weights[name].shape != shape:
                raise ValueError(
                    f"`weights` must hold {name} of shape {shape}. "
                    f"Received: shape {weights[name].shape}"
                )
        self._stages = []
        for stage, (index, *_) in enumerate(STAGES):
            kernel = weights[f"features.{index}.weight"]
            linear = weights[f"lin{stage}.model.1.weight"]
            self._stages.append(
                (
                    tf.constant(kernel.transpose(2, 3, 1, 0), tf.float32),
                    tf.constant(weights[f"features.{index}.bias"], tf.float32),
                    tf.constant(linear.reshape(-1), tf.float32),
                )
            )

    def _features(self, rgb: tf.Tensor) -> list[tf.Tensor]:
        """Returns the five unit-length feature maps of pictures in 0..1."""
        x = (rgb * 2 - 1 - tf.constant(_SHIFT)) / tf.constant(_SCALE)
        maps = []
        for (_, _, _, stride, padding, pooled), (kernel, bias, _) in zip(
            STAGES, self._stages, strict=True
        ):
            if pooled:
                x = tf.nn.max_pool2d(x, 3, 2, "VALID")
            border = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, stride, border) + bias)
            length = tf.norm(x, axis=-1, keepdims=True)
            maps.append(x / (length + _EPSILON))
        return maps

    def __call__(
        self, rgb_true: np.ndarray, rgb_predicted: np.ndarray
    ) -> float:
        """Computes the distance of two pictures.

        Args:
            rgb_true: uint8 array [H, W, 3], H and W at least 31.
            rgb_predicted: uint8 array of the same shape.

        Returns:
            float, 0 for equal pictures.

        Raises:
            ValueError: a picture is smaller than 31 pixels.
        """
        if min(rgb_true.shape[:2]) < MIN_SIZE:
            raise ValueError(
                f"LPIPS needs pictures of at least {MIN_SIZE} x {MIN_SIZE} "
                f"pixels. Received: {rgb_true.shape[1]} x {rgb_true.shape[0]}"
            )
        total = 0.0
        true, predicted = (
            self._features(tf.cast(rgb[np.newaxis], tf.float32) / 255)
            for rgb in (rgb_true, rgb_predicted)
        )
        for x, y, (_, _, linear) in zip(
            true, predicted, self._stages, strict=True
        ):
            weighted = tf.reduce_sum(tf.square(x - y) * linear, axis=-1)
            total += float(tf.reduce_mean(weighted))
        return total
