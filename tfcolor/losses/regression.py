"""Regression losses on ab."""

import keras
from keras import ops

from tfcolor.color import scaling

# The released InstColorization training options.
RELEASED_DELTA = 1 / 110


def huber(ab_true, ab_pred, *, delta: float = RELEASED_DELTA):
    """Computes the Huber loss of each picture, in network units.

    Formula:
        d = (ab_true - ab_pred) / 110
        h = d^2 / (2 delta) if |d| < delta else |d| - delta / 2
        loss = mean over pixels of (h of a + h of b)

    Args:
        ab_true: float32 tensor [B, H, W, 2], CIELAB.
        ab_pred: float32 tensor [B, H, W, 2], CIELAB.
        delta: float above 0, in network units. Towards 0 the loss becomes the
            absolute difference.

    Returns:
        float32 tensor [B].

    Raises:
        ValueError: `delta` is not above 0.

    Reference:
        Zhang et al., SIGGRAPH 2017, equation 3; the released code divides the
        quadratic part by delta, which makes both parts meet.
    """
    if delta <= 0:
        raise ValueError(f"`delta` must be above 0. Received: delta={delta}")
    distance = ops.abs(ab_true - ab_pred) / scaling.AB_SCALE
    near = distance * distance / (2 * delta)
    h = ops.where(distance < delta, near, distance - delta / 2)
    return ops.mean(ops.sum(h, axis=-1), axis=(1, 2))


def squared(ab_true, ab_pred):
    """Computes the mean squared error of each picture, in network units.

    Args:
        ab_true: float32 tensor [B, H, W, 2], CIELAB.
        ab_pred: float32 tensor [B, H, W, 2], CIELAB.

    Returns:
        float32 tensor [B]: mean over pixels and both channels.
    """
    difference = (ab_true - ab_pred) / scaling.AB_SCALE
    return ops.mean(difference * difference, axis=(1, 2, 3))


def absolute(ab_true, ab_pred):
    """Computes the mean absolute difference of each picture, CIELAB units.

    Args:
        ab_true: float32 tensor [B, H, W, 2], CIELAB.
        ab_pred: float32 tensor [B, H, W, 2], CIELAB.

    Returns:
        float32 tensor [B]: mean over pixels and both channels.
    """
    return ops.mean(ops.abs(ab_true - ab_pred), axis=(1, 2, 3))


@keras.saving.register_keras_serializable(package="tfcolor")
class HuberLoss(keras.losses.Loss):
    """`huber` for `keras.Model.compile`.

    Args:
        delta: float above 0, in network units.
        **kwargs: of `keras.losses.Loss`.

    Call arguments:
        y_true: float tensor [B, H, W, 2], CIELAB.
        y_pred: float tensor [B, H, W, 2], CIELAB.
    """

    def __init__(self, *, delta: float = RELEASED_DELTA, **kwargs):
        super().__init__(**{"name": "huber"} | kwargs)
        self.delta = delta

    def call(self, y_true, y_pred):
        """Returns the loss of each picture, [B]."""
        return huber(y_true, y_pred, delta=self.delta)

    def get_config(self):
        """Returns what rebuilds the loss."""
        return super().get_config() | {"delta": self.delta}
