import numpy as np
import pytest
import tensorflow as tf

from tfcolor.losses import regression


def _pair(seed=0):
    rng = np.random.default_rng(seed)
    true, predicted = rng.uniform(-110, 110, (2, 3, 8, 4, 2))
    return true.astype(np.float32), predicted.astype(np.float32)


def test_huber_of_a_hand_computed_picture():
    ab_true = tf.zeros([1, 2, 2, 2])
    # Network units: .5 and 0; .1 and -.1; 1 and 0; 0 and 0.
    ab_pred = 110 * tf.constant(
        [[[[0.5, 0.0], [0.1, -0.1]], [[1.0, 0.0], [0.0, 0.0]]]]
    )
    # delta .2: .5 - .1; twice .01 / .4; 1 - .1; over 4 pixels.
    expected = (0.4 + 2 * 0.025 + 0.9) / 4
    loss = regression.huber(ab_true, ab_pred, delta=0.2)
    np.testing.assert_allclose(loss, [expected], rtol=1e-5)


def test_huber_has_the_released_delta_of_one_lab_unit():
    # A distance of exactly 1 CIELAB unit: both branches give 1 / 220.
    loss = regression.huber(tf.zeros([1, 4, 4, 2]), tf.ones([1, 4, 4, 2]))
    np.testing.assert_allclose(loss, [2 / 220], rtol=1e-5)


@pytest.mark.parametrize("delta", [1 / 110, 0.5])
def test_huber_and_its_slope_are_continuous_at_delta(delta):
    def at(distance):
        ab = tf.constant([[[[110 * distance, 0.0]]]])
        with tf.GradientTape() as tape:
            tape.watch(ab)
            loss = regression.huber(tf.zeros_like(ab), ab, delta=delta)
        return float(loss[0]), float(tape.gradient(loss, ab)[0, 0, 0, 0])

    below, above = at(delta * (1 - 1e-4)), at(delta * (1 + 1e-4))
    np.testing.assert_allclose(below, above, rtol=1e-3)
    np.testing.assert_allclose(above[0], delta / 2, rtol=1e-3)
    np.testing.assert_allclose(above[1], 1 / 110, rtol=1e-3)


def test_huber_becomes_the_absolute_difference_for_small_delta():
    true, predicted = _pair()
    expected = np.abs(true - predicted).sum(-1).mean((1, 2)) / 110
    loss = regression.huber(true, predicted, delta=1e-6)
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


@pytest.mark.parametrize("delta", [0, -1.0])
def test_huber_refuses_a_delta_not_above_zero(delta):
    with pytest.raises(ValueError, match="Received: delta="):
        regression.huber(*_pair(), delta=delta)


def test_squared_of_a_hand_computed_picture():
    ab_pred = 110 * tf.constant(
        [[[[0.5, 0.0], [0.1, -0.1]], [[1.0, 0.0], [0.0, 0.0]]]]
    )
    loss = regression.squared(tf.zeros([1, 2, 2, 2]), ab_pred)
    np.testing.assert_allclose(
        loss, [(0.25 + 0.01 + 0.01 + 1.0) / 8], rtol=1e-5
    )


@pytest.mark.parametrize("loss", [regression.huber, regression.squared])
def test_regression_losses_are_zero_at_equality_with_finite_slope(loss):
    true = tf.constant(_pair()[0])
    with tf.GradientTape() as tape:
        tape.watch(true)
        value = loss(_pair()[0], true)
    np.testing.assert_array_equal(value, np.zeros(3))
    np.testing.assert_array_equal(tape.gradient(value, true), 0 * true)


@pytest.mark.parametrize("loss", [regression.huber, regression.squared])
def test_regression_losses_measure_each_picture_by_itself(loss):
    true, predicted = _pair()
    together = loss(true, predicted)
    assert together.shape == (3,)
    alone = [
        loss(true[i : i + 1], predicted[i : i + 1])[0].numpy() for i in range(3)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-6)
