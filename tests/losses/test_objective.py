import numpy as np
import pytest
import tensorflow as tf

from tfcolor.losses import classification
from tfcolor.losses import objective
from tfcolor.losses import regression


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    true, predicted = rng.uniform(-110, 110, (2, 2, 8, 8, 2))
    logits = rng.normal(size=(2, 2, 2, 529))
    targets = {"ab": tf.constant(true, tf.float32)}
    outputs = {
        "ab": tf.constant(predicted, tf.float32),
        "ab_logits": tf.constant(logits, tf.float32),
    }
    return targets, outputs


def test_the_default_objective_is_ten_times_the_released_huber(batch):
    targets, outputs = batch
    losses = objective.objective(objective.ObjectiveConfig())(*batch)
    assert set(losses) == {"huber"}
    np.testing.assert_allclose(
        losses["huber"],
        10 * regression.huber(targets["ab"], outputs["ab"], delta=1 / 110),
        rtol=1e-6,
    )


def test_the_objective_is_the_weighted_losses_by_name(batch):
    targets, outputs = batch
    weights = np.linspace(0.5, 2, 529).astype(np.float32)
    config = objective.ObjectiveConfig(
        huber_weight=2, huber_delta=0.3, squared_weight=3, class_weight=0.5
    )
    losses = objective.objective(config, bin_weights=weights)(*batch)
    expected = {
        "huber": 2 * regression.huber(targets["ab"], outputs["ab"], delta=0.3),
        "squared": 3 * regression.squared(targets["ab"], outputs["ab"]),
        "class": 0.5
        * classification.bin_cross_entropy(
            targets["ab"], outputs["ab_logits"], bin_weights=weights
        ),
    }
    assert set(losses) == set(expected)
    for name, value in expected.items():
        assert losses[name].dtype == tf.float32
        assert losses[name].shape == (2,)
        np.testing.assert_allclose(losses[name], value, rtol=1e-6)


def test_a_regression_objective_needs_no_class_output(batch):
    targets, outputs = batch
    del outputs["ab_logits"]
    losses = objective.objective(objective.ObjectiveConfig(squared_weight=1))
    assert set(losses(targets, outputs)) == {"huber", "squared"}


@pytest.mark.parametrize(
    "weights",
    [{"huber_weight": 0.0}, {"squared_weight": -1.0}, {"class_weight": -0.1}],
)
def test_objectives_that_teach_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="one must be above 0. Received:"):
        objective.ObjectiveConfig(**weights)


def test_colors_are_counted_only_where_classes_are_rebalanced():
    def refuse():
        raise AssertionError

    for options in ({"class_weight": 0.5}, {"rebalance": 0.5}):
        config = objective.ObjectiveConfig(**options)
        assert objective.bin_weights(config, refuse) is None
    config = objective.ObjectiveConfig(class_weight=0.5, rebalance=0.7)
    counts = np.arange(529.0)
    np.testing.assert_array_equal(
        objective.bin_weights(config, lambda: counts),
        classification.rebalancing_weights(counts, uniform_share=0.7),
    )
