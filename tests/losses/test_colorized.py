import numpy as np
import pytest
import tensorflow as tf

from tfcolor import metrics
from tfcolor.color import lab
from tfcolor.losses import colorized
from tfcolor.losses import regression
from tfcolor.models import efficientnet_lite
from tfcolor.models.vgg import vgg16_features


def _batch(seed=0):
    rng = np.random.default_rng(seed)
    rgb = tf.constant(rng.uniform(0, 1, (2, 32, 32, 3)), tf.float32)
    converted = lab.rgb_to_lab(rgb)
    return rgb, converted[..., :1], converted[..., 1:]


def test_the_colorfulness_loss_is_one_less_a_hundredth_of_the_measure():
    rgb, _, _ = _batch()
    expected = 1 - metrics.colorfulness_absolute(rgb) / 100
    found = colorized.colorfulness_loss(rgb)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_grey_pictures_have_the_full_loss_and_a_finite_gradient():
    rgb = tf.fill([1, 8, 8, 3], 0.5)
    with tf.GradientTape() as tape:
        tape.watch(rgb)
        loss = colorized.colorfulness_loss(rgb)
    np.testing.assert_allclose(loss, 1, atol=1e-4)
    assert np.isfinite(tape.gradient(loss, rgb)).all()


def test_true_pictures_become_livelier_and_stay_pictures():
    rgb, L, ab = _batch()
    same = colorized.true_rgb(L, ab)
    np.testing.assert_allclose(same, rgb, atol=1e-3)
    lively = colorized.true_rgb(L, ab, enhancement=1.2)
    weights = np.float32([0.2989, 0.587, 0.114])
    grey = (rgb * weights).numpy().sum(-1, keepdims=True)
    expected = np.clip(rgb * 1.2 - grey * 0.2, 0, 1)
    np.testing.assert_allclose(lively, expected, atol=1e-3)


def test_the_feature_distance_counts_in_shares_of_the_true_maps():
    features = efficientnet_lite.efficientnet_features()
    assert not features.trainable_weights
    (true, _, _), (predicted, _, _) = _batch(0), _batch(1)
    maps = [features(rgb) for rgb in (true, predicted)]
    assert [maps[0][f"map{i}"].shape[1] for i in (1, 5, 6)] == [16, 1, 1]
    expected = 0
    for place in range(1, 7):
        one, other = (found[f"map{place}"].numpy() for found in maps)
        share = np.abs(one - other).mean((1, 2, 3)) / np.abs(one).mean(
            (1, 2, 3)
        )
        expected = expected + 0.5 ** (6 - place) * share
    found = colorized.feature_distance(features, true, predicted)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    same = colorized.feature_distance(features, true, true)
    np.testing.assert_array_equal(same, 0)


def test_the_perceptual_loss_halves_the_weight_from_map_to_map():
    features = vgg16_features(width=1 / 16)
    (true, _, _), (predicted, _, _) = _batch(0), _batch(1)
    maps = [features(rgb) for rgb in (true, predicted)]
    weights = {
        "conv1_1": 0.0625,
        "conv2_1": 0.125,
        "conv3_1": 0.25,
        "conv4_1": 0.5,
        "conv5_1": 1.0,
    }
    expected = sum(
        weight * np.abs(maps[0][name] - maps[1][name]).mean((1, 2, 3))
        for name, weight in weights.items()
    )
    found = colorized.perceptual_loss(features, true, predicted)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert np.all(found > 0)


def test_the_objective_is_the_weighted_losses_by_name():
    rgb, L, ab = _batch()
    targets = {"L": L, "ab": ab}
    outputs = {"ab": ab * 0.5 + 3}
    features = vgg16_features(width=1 / 16)
    config = colorized.ColorizedConfig(
        absolute_weight=0.2,
        colorfulness_weight=0.4,
        perceptual_weight=3.0,
        enhancement=1.5,
    )
    losses = colorized.objective(config, features=features)(targets, outputs)
    predicted = colorized.true_rgb(L, outputs["ab"])
    true = colorized.true_rgb(L, ab, enhancement=1.5)
    expected = {
        "absolute": 0.2 * regression.absolute(ab, outputs["ab"]),
        "colorfulness_loss": 0.4 * colorized.colorfulness_loss(predicted),
        "perceptual": 3 * colorized.perceptual_loss(features, true, predicted),
    }
    assert set(losses) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(losses[name], value, rtol=1e-5)


@pytest.mark.parametrize(
    "weights",
    [{"absolute_weight": 0.0}, {"colorfulness_weight": -1.0}],
)
def test_objectives_that_teach_nothing_true_are_refused(weights):
    with pytest.raises(ValueError, match="must be above 0. Received:"):
        colorized.ColorizedConfig(**weights)


def test_the_perceptual_loss_names_the_weights_it_needs():
    config = colorized.ColorizedConfig(perceptual_weight=5.0)
    with pytest.raises(ValueError, match="needs .*`vgg_weights`"):
        colorized.objective(config)
