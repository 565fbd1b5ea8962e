import numpy as np
import pytest
import tensorflow as tf
from skimage.metrics import peak_signal_noise_ratio

from tfcolor.metrics import MAX_PSNR
from tfcolor.metrics import psnr


def _pictures(seed, *shape):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def test_psnr_of_a_constant_error_of_a_tenth_is_20_db():
    rgb = np.full((4, 5, 3), 0.5, np.float32)
    np.testing.assert_allclose(psnr(rgb, rgb + 0.1), 20.0, atol=1e-4)


def test_psnr_averages_the_error_before_the_logarithm():
    rgb = np.zeros((2, 2, 3), np.float32)
    predicted = rgb.copy()
    predicted[0, 0, 1] = 1.0
    # One of 12 values is off by the peak.
    np.testing.assert_allclose(
        psnr(rgb, predicted), 10 * np.log10(12), rtol=1e-6
    )


@pytest.mark.parametrize("noise", [0.001, 0.05, 0.7])
def test_psnr_matches_skimage(noise):
    rgb = _pictures(0, 13, 17, 3)
    predicted = np.clip(rgb + noise * (_pictures(1, 13, 17, 3) - 0.5), 0, 1)
    expected = peak_signal_noise_ratio(rgb, predicted, data_range=1.0)
    np.testing.assert_allclose(psnr(rgb, predicted), expected, atol=1e-3)


def test_psnr_of_equal_pictures_is_the_finite_maximum():
    rgb = _pictures(2, 6, 6, 3)
    np.testing.assert_allclose(psnr(rgb, rgb), MAX_PSNR, rtol=1e-6)


def test_psnr_gives_one_value_for_each_leading_index():
    rgb, predicted = _pictures(3, 2, 3, 8, 9, 3), _pictures(4, 2, 3, 8, 9, 3)
    values = psnr(rgb, predicted)
    assert values.shape == (2, 3)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(
        values[1, 2], psnr(rgb[1, 2], predicted[1, 2]), rtol=1e-5
    )


def test_psnr_is_the_same_in_a_graph_and_in_dataset_map():
    pair = _pictures(5, 8, 8, 3), _pictures(6, 8, 8, 3)
    eager = psnr(*pair)
    np.testing.assert_allclose(tf.function(psnr)(*pair), eager, rtol=1e-6)
    dataset = tf.data.Dataset.from_tensors(pair).map(psnr)
    np.testing.assert_allclose(next(iter(dataset)), eager, rtol=1e-6)
