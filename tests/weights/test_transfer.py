import keras
import numpy as np
import pytest

from tfcolor.weights import transfer


def _model(filters=3, last="ab"):
    inputs = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(filters, 3, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.ReLU(name=f"relu_before_{last}")(x)
    return keras.Model(inputs, keras.layers.Conv2D(2, 1, name=last)(x))


def test_copy_weights_copies_all_weights_and_statistics():
    source, target = _model(), _model()
    source.get_layer("bn").moving_mean.assign([1.0, 2.0, 3.0])
    transfer.copy_weights(source, target)
    for a, b in zip(source.weights, target.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"filters": 4}, ["first: ", "bn: ", "ab: "]),
        ({"last": "out"}, ["ab: .*None", "out: None"]),
    ],
)
def test_copy_weights_lists_every_difference_and_copies_nothing(other, named):
    source, target = _model(), _model(**other)
    before = target.get_weights()
    with pytest.raises(ValueError, match="same layers") as error:
        transfer.copy_weights(source, target)
    for part in named:
        assert error.match(part)
    for old, weight in zip(before, target.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


def test_copy_layers_copies_some_layers_of_different_models():
    source, target = _model(), _model(last="logits")
    source.get_layer("bn").moving_mean.assign([1.0, 2.0, 3.0])
    before = target.get_layer("logits").get_weights()
    transfer.copy_layers(source, target, ["first", "bn"])
    for name in ("first", "bn"):
        for a, b in zip(
            source.get_layer(name).weights,
            target.get_layer(name).weights,
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
    for old, weight in zip(
        before, target.get_layer("logits").weights, strict=True
    ):
        np.testing.assert_array_equal(old, weight)


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (["first", "bn"], "first: .*bn: "),
        (["ab"], "ab: .*None"),
        (["logits"], "logits: missing"),
        (["nowhere"], "nowhere: missing != None"),
    ],
)
def test_copy_layers_lists_every_difference(names, named):
    source, target = _model(), _model(filters=4, last="logits")
    before = target.get_weights()
    with pytest.raises(ValueError, match=named):
        transfer.copy_layers(source, target, names)
    for old, weight in zip(before, target.weights, strict=True):
        np.testing.assert_array_equal(old, weight)


def _convolution(channels, filters=3):
    inputs = keras.Input((None, None, channels))
    layer = keras.layers.Conv2D(filters, 3, name="conv")
    return keras.Model(inputs, layer(inputs))


def test_a_widened_layer_does_not_see_its_further_channels():
    source, target = _convolution(2), _convolution(5)
    transfer.copy_widened(source, target, "conv")
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 5))
    np.testing.assert_allclose(target(x), source(x[..., :2]), atol=1e-6)


@pytest.mark.parametrize("other", [_convolution(1), _convolution(4, filters=2)])
def test_only_further_channels_can_be_widened(other):
    with pytest.raises(ValueError, match="more channels.*conv: "):
        transfer.copy_widened(_convolution(2), other, "conv")
