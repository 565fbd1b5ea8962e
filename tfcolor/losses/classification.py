"""Color as a class: cross entropy over the 529 ab bins."""

import keras
import numpy as np
from keras import ops

from tfcolor.color import ab_bins

# Zhang 2016, section 2.2.
_SMOOTHING_SIGMA = 5.0


def bin_cross_entropy(
    ab_true,
    ab_logits,
    *,
    bin_weights=None,
):
    """Computes the cross entropy of each picture, mean over positions.

    The truth is sampled where the logits are: every fourth row and column.

    Args:
        ab_true: float32 tensor [B, H, W, 2], CIELAB.
        ab_logits: float32 tensor [B, H/4, W/4, 529], or 261 for the bins that
            hold colors of sRGB alone.
        bin_weights: float32 tensor [529] or None. Weight of a position by the
            bin of its true color; see `rebalancing_weights`.

    Returns:
        float32 tensor [B], nats.

    Reference:
        Zhang et al., ECCV 2016, equations 2 and 3.
    """
    bins = ab_bins.encode(ab_true[:, ::4, ::4])
    entropy = ops.sparse_categorical_crossentropy(
        ab_bins.among(bins, ab_logits.shape[-1]), ab_logits, from_logits=True
    )
    if bin_weights is not None:
        entropy = entropy * ops.take(bin_weights, bins)
    return ops.mean(entropy, axis=(1, 2))


def rebalancing_weights(
    counts: np.ndarray, *, uniform_share: float = 0.5
) -> np.ndarray:
    """Computes weights that make rare colors count more.

    Formula:
        p = counts / sum, smoothed over the ab grid with sigma 5
        w = 1 / ((1 - uniform_share) p + uniform_share / Q)
        scaled so that the mean weight under p is 1

    Q is the number of bins that occur, so that colors no screen can show do
    not thin out the uniform share.

    Args:
        counts: array [529], how often each bin occurs in the training data.
        uniform_share: float in (0, 1]. 1 weighs all colors alike.

    Returns:
        float32 array [529].

    Raises:
        ValueError: `counts` has another shape, is all 0, or `uniform_share`
            is outside (0, 1].

    Reference:
        Zhang et al., ECCV 2016, equation 4.
    """
    counts = np.asarray(counts, np.float64)
    if counts.shape != (ab_bins.NUM_BINS,) or counts.sum() <= 0:
        raise ValueError(
            f"`counts` must have shape [{ab_bins.NUM_BINS}] and a positive "
            f"sum. Received: shape={counts.shape}, sum={counts.sum()}"
        )
    if not 0 < uniform_share <= 1:
        raise ValueError(
            "`uniform_share` must be above 0 and at most 1. "
            f"Received: uniform_share={uniform_share}"
        )
    centers = ops.convert_to_numpy(ab_bins.centers())
    square = ((centers[:, None] - centers[None]) ** 2).sum(-1)
    kernel = np.exp(-square / (2 * _SMOOTHING_SIGMA**2))
    smooth = kernel @ counts
    prior = smooth / smooth.sum()
    occurring = np.count_nonzero(counts)
    weights = 1 / ((1 - uniform_share) * prior + uniform_share / occurring)
    return (weights / (weights * prior).sum()).astype(np.float32)


@keras.saving.register_keras_serializable(package="tfcolor")
class BinCrossEntropy(keras.losses.Loss):
    """`bin_cross_entropy` for `keras.Model.compile`.

    Args:
        bin_weights: sequence of 529 float, or None.
        **kwargs: of `keras.losses.Loss`.

    Call arguments:
        y_true: float tensor [B, H, W, 2], CIELAB: the colors, not bins.
        y_pred: float tensor [B, H/4, W/4, 529] or [B, H/4, W/4, 261], logits.
    """

    def __init__(self, *, bin_weights=None, **kwargs):
        super().__init__(**{"name": "bin_cross_entropy"} | kwargs)
        if bin_weights is not None:
            bin_weights = [float(weight) for weight in bin_weights]
        self.bin_weights = bin_weights

    def call(self, y_true, y_pred):
        """Returns the loss of each picture, [B]."""
        weights = self.bin_weights
        if weights is not None:
            weights = ops.convert_to_tensor(weights, "float32")
        return bin_cross_entropy(y_true, y_pred, bin_weights=weights)

    def get_config(self):
        """Returns what rebuilds the loss."""
        return super().get_config() | {"bin_weights": self.bin_weights}
