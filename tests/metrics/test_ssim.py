import numpy as np
import pytest
import tensorflow as tf
from skimage.filters import gaussian
from skimage.metrics import structural_similarity

from tfcolor.metrics import ssim


def _pair(seed, height, width, noise=0.2):
    generator = np.random.default_rng(seed)
    rgb = gaussian(generator.random((height, width, 3)), 2, channel_axis=-1)
    rgb = (rgb - rgb.min()) / (rgb.max() - rgb.min())
    predicted = rgb + noise * (generator.random(rgb.shape) - 0.5)
    return (
        rgb.astype(np.float32),
        np.clip(predicted, 0, 1).astype(np.float32),
    )


@pytest.mark.parametrize("size", [(11, 11), (32, 40), (64, 12)])
@pytest.mark.parametrize("noise", [0.02, 0.4])
def test_ssim_matches_skimage(size, noise):
    rgb, predicted = _pair(0, *size, noise=noise)
    expected = structural_similarity(
        rgb,
        predicted,
        channel_axis=-1,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    np.testing.assert_allclose(ssim(rgb, predicted), expected, atol=2e-4)


def test_ssim_matches_tensorflow():
    rgb, predicted = _pair(1, 30, 33)
    expected = tf.image.ssim(
        tf.constant(rgb), tf.constant(predicted), max_val=1.0
    )
    np.testing.assert_allclose(ssim(rgb, predicted), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (11, 11), (20, 2)])
def test_equal_pictures_of_any_size_have_ssim_1(size):
    rgb, _ = _pair(2, *size) if min(size) > 1 else (np.ones((1, 1, 3)), None)
    np.testing.assert_allclose(ssim(rgb, rgb), 1.0, atol=1e-6)


def test_ssim_of_one_pixel_compares_brightness_only():
    x, y = 0.25, 0.75
    expected = (2 * x * y + 1e-4) / (x * x + y * y + 1e-4)
    value = ssim(np.full((1, 1, 3), x), np.full((1, 1, 3), y))
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_a_picture_narrower_than_the_window_uses_a_narrower_window():
    rgb, predicted = _pair(3, 7, 60)
    value = float(ssim(rgb, predicted))
    # Turned by 90 degrees the picture is as similar.
    turned = ssim(rgb.transpose(1, 0, 2), predicted.transpose(1, 0, 2))
    np.testing.assert_allclose(turned, value, rtol=1e-5)
    assert 0 < value < 1


def test_ssim_is_per_picture_in_every_mode():
    rgb, predicted = (
        np.stack(p)
        for p in zip(*[_pair(s, 16, 18) for s in range(6)], strict=True)
    )
    rgb, predicted = (p.reshape(2, 3, 16, 18, 3) for p in (rgb, predicted))
    values = ssim(rgb, predicted)
    assert values.shape == (2, 3)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(
        values[1, 2], ssim(rgb[1, 2], predicted[1, 2]), rtol=1e-5
    )
    anywhere = tf.function(
        ssim, input_signature=[tf.TensorSpec([None, None, None, None, 3])] * 2
    )
    np.testing.assert_allclose(anywhere(rgb, predicted), values, rtol=1e-5)
    dataset = tf.data.Dataset.from_tensors((rgb, predicted)).map(ssim)
    np.testing.assert_allclose(next(iter(dataset)), values, rtol=1e-5)
