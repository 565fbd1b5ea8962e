import keras
import numpy as np
import pytest

from tfcolor.training.moving_average import MovingAverage


@pytest.fixture
def model():
    inputs = keras.Input((2,))
    x = keras.layers.BatchNormalization(name="bn")(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, name="dense")(x))


def _set_bias(model, value):
    model.get_layer("dense").bias.assign([float(value)])


def _bias(model):
    return float(model.get_layer("dense").bias[0])


def test_the_average_follows_its_formula(model):
    average = MovingAverage(model, 0.5)
    expected = 0.0
    for count, value in enumerate([1.0, 5.0, -3.0, 2.0], start=1):
        _set_bias(model, value)
        average.update()
        momentum = min(0.5, count / (count + 9))
        expected = momentum * expected + (1 - momentum) * value
        with average.applied():
            np.testing.assert_allclose(_bias(model), expected, rtol=1e-5)
        assert _bias(model) == value


def test_the_average_of_constant_weights_forgets_its_start(model):
    average = MovingAverage(model, 0.999)
    _set_bias(model, 3)
    for _ in range(30):
        average.update()
    with average.applied():
        # 0.999 from the start would have left it at 0.09.
        np.testing.assert_allclose(_bias(model), 3, rtol=1e-3)


def test_statistics_of_normalizations_are_averaged_with_the_weights(model):
    average = MovingAverage(model, 0.5)
    bn = model.get_layer("bn")
    expected = np.zeros(2)
    for count, value in enumerate([[4.0, 5.0], [8.0, -5.0]], start=1):
        bn.moving_mean.assign(value)
        average.update()
        momentum = min(0.5, count / (count + 9))
        expected = momentum * expected + (1 - momentum) * np.array(value)
    with average.applied():
        np.testing.assert_allclose(bn.moving_mean, expected, rtol=1e-5)
    np.testing.assert_array_equal(bn.moving_mean, [8, -5])


def test_frozen_normalizations_are_left_alone(model):
    bn = model.get_layer("bn")
    bn.trainable = False
    average = MovingAverage(model, 0.9)
    average.update()
    bn.moving_mean.assign([4.0, 5.0])
    with average.applied():
        np.testing.assert_array_equal(bn.moving_mean, [4, 5])


def test_weights_come_back_after_an_error(model):
    average = MovingAverage(model, 0.9)
    _set_bias(model, 1)
    average.update()
    _set_bias(model, 2)
    with pytest.raises(RuntimeError), average.applied():
        raise RuntimeError
    assert _bias(model) == 2


def test_a_momentum_of_zero_is_no_average(model):
    average = MovingAverage(model, 0.0)
    average.update()
    _set_bias(model, 7)
    with average.applied():
        assert _bias(model) == 7
