import numpy as np
import pytest
import tensorflow as tf
from skimage.color import deltaE_ciede2000

from tfcolor.metrics import ab_rmse
from tfcolor.metrics import mean_ciede2000
from tfcolor.metrics import mean_L_difference


def _lab(seed, *shape):
    spread = np.random.default_rng(seed).random((*shape, 3)) - 0.5
    return (spread * (100, 160, 160) + (50, 0, 0)).astype(np.float32)


def test_ab_rmse_of_a_constant_error_is_by_hand():
    ab = np.zeros((3, 4, 2), np.float32)
    # sqrt((3^2 + 4^2) / 2)
    np.testing.assert_allclose(ab_rmse(ab, ab + (3, 4)), np.sqrt(12.5))


def test_ab_rmse_averages_squares_over_the_picture():
    ab = np.zeros((1, 4, 2), np.float32)
    predicted = ab.copy()
    predicted[0, 0, 0] = 8
    np.testing.assert_allclose(ab_rmse(ab, predicted), np.sqrt(64 / 8))


def test_mean_ciede2000_matches_skimage():
    true, predicted = _lab(0, 9, 11), _lab(1, 9, 11)
    expected = deltaE_ciede2000(true, predicted).mean()
    np.testing.assert_allclose(
        mean_ciede2000(true, predicted), expected, rtol=1e-4
    )


def test_mean_L_difference_counts_both_directions():
    L = np.full((2, 2, 1), 50, np.float32)
    change = np.array([[1, -1], [3, -3]], np.float32)[..., np.newaxis]
    np.testing.assert_allclose(mean_L_difference(L, L + change), 2.0)


METRICS = {
    ab_rmse: slice(1, 3),
    mean_ciede2000: slice(0, 3),
    mean_L_difference: slice(0, 1),
}


@pytest.mark.parametrize("metric", METRICS)
def test_lab_metrics_are_zero_for_equal_pictures(metric):
    lab = _lab(2, 5, 6)[..., METRICS[metric]]
    np.testing.assert_allclose(metric(lab, lab), 0.0, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_lab_metrics_are_per_picture_in_every_mode(metric):
    pair = [_lab(s, 2, 3, 5, 4)[..., METRICS[metric]] for s in (3, 4)]
    values = metric(*pair)
    assert values.shape == (2, 3)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(
        values[0, 2], metric(pair[0][0, 2], pair[1][0, 2]), rtol=1e-5
    )
    np.testing.assert_allclose(tf.function(metric)(*pair), values, rtol=1e-5)
    dataset = tf.data.Dataset.from_tensors(tuple(pair)).map(metric)
    np.testing.assert_allclose(next(iter(dataset)), values, rtol=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_pixels_may_be_permuted_together(metric):
    pair = [_lab(s, 6, 4)[..., METRICS[metric]] for s in (5, 6)]
    order = np.random.default_rng(7).permutation(24)
    moved = [x.reshape(24, -1)[order].reshape(4, 6, -1) for x in pair]
    np.testing.assert_allclose(metric(*moved), metric(*pair), rtol=1e-5)
