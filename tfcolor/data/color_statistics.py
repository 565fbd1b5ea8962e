"""How often each color occurs."""

import numpy as np
import tensorflow as tf

from tfcolor.color import ab_bins


def count_bins(dataset: tf.data.Dataset, *, limit: int = 2000) -> np.ndarray:
    """Counts the ab bins of a data set's pictures.

    Args:
        dataset: batches of (inputs, {"ab": float32 [B, H, W, 2]}).
        limit: int, how many pictures to look at.

    Returns:
        float64 array [529], pixels in each bin.
    """
    counts, pictures = np.zeros(ab_bins.NUM_BINS), 0
    for _, targets in dataset:
        bins = tf.reshape(ab_bins.encode(targets["ab"]), [-1])
        counts += tf.math.bincount(
            bins, minlength=ab_bins.NUM_BINS, maxlength=ab_bins.NUM_BINS
        ).numpy()
        pictures += int(targets["ab"].shape[0])
        if pictures >= limit:
            break
    return counts
