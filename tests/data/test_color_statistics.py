import numpy as np
import tensorflow as tf

from tfcolor.color import ab_bins
from tfcolor.data import color_statistics


def _batches(ab):
    return tf.data.Dataset.from_tensor_slices(({"L": ab}, {"ab": ab})).batch(2)


def test_count_bins_counts_every_pixel_of_every_picture():
    centers = ab_bins.centers().numpy()
    ab = np.zeros([3, 4, 4, 2], np.float32)
    ab[0, 0, :3] = centers[7]
    ab[2] = centers[528]
    counts = color_statistics.count_bins(_batches(ab))
    assert counts.shape == (529,)
    assert counts[7] == 3 and counts[528] == 16 and counts[264] == 29
    assert counts.sum() == 48


def test_count_bins_stops_after_enough_pictures():
    ab = np.zeros([10, 2, 2, 2], np.float32)
    counts = color_statistics.count_bins(_batches(ab), limit=3)
    assert counts.sum() == 4 * 4
