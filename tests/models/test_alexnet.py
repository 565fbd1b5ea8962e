import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tests.models import model_contract
from tests.weights import torchvision_states
from tfcolor.models import alexnet
from tfcolor.models import architecture
from tfcolor.weights import torchvision

small = functools.partial(alexnet.alexnet, num_classes=5, width=1 / 16)


def _loss(outputs):
    return tf.reduce_sum((outputs["logits"] - 1) ** 2)


@pytest.mark.slow
def test_alexnet_keeps_the_model_contract(tmp_path):
    model_contract.check_model(
        small,
        folder=tmp_path,
        loss=_loss,
        sizes=((64, 64), (63, 100)),
        output_shapes=lambda height, width: {"logits": (5,)},
    )


@pytest.mark.slow
def test_a_normalized_and_enlarged_one_keeps_the_contract_too(tmp_path):
    model_contract.check_model(
        functools.partial(small, batch_norm=True, enlarge=2),
        folder=tmp_path,
        loss=_loss,
        sizes=((64, 64), (63, 100)),
        output_shapes=lambda height, width: {"logits": (5,)},
    )


def test_enlarging_shows_alexnet_a_picture_of_twice_the_size():
    L = model_contract.random_inputs(64, 72)["L"]
    plain, enlarging = small(), small(enlarge=2)
    enlarging.set_weights(plain.get_weights())
    # Bilinear, with the corners of a pixel where they were.
    larger = tf.image.resize(L, (128, 144))
    np.testing.assert_allclose(
        enlarging({"L": L})["logits"],
        plain({"L": larger})["logits"],
        rtol=0,
        atol=1e-4,
    )


def test_one_graph_enlarges_pictures_of_all_sizes():
    model = small(enlarge=2)
    run = tf.function(
        model, input_signature=[{"L": tf.TensorSpec([None, None, None, 1])}]
    )
    for size in ((64, 64), (63, 100)):
        inputs = {"L": model_contract.random_inputs(*size)["L"]}
        np.testing.assert_allclose(
            run(inputs)["logits"], model(inputs)["logits"], rtol=0, atol=1e-4
        )


def test_batch_norm_normalizes_every_convolution():
    model = small(batch_norm=True)
    L = 30 + 20 * model_contract.random_inputs(64, 64)["L"]
    for name in alexnet.CONVS:
        layer = model.get_layer(f"{name}_norm")
        found = keras.Model(model.input, layer.output)({"L": L}, training=True)
        mean, variance = tf.nn.moments(found, (0, 1, 2))
        np.testing.assert_allclose(mean, 0, atol=1e-3)
        assert np.all(variance < 1.01), name
        assert np.median(variance) > 0.5, name


@pytest.mark.parametrize("size", ["64", "200", "260"])
def test_alexnet_equals_pytorchs_layers(size):
    golden = golden_files.load("torchvision_narrow")
    seed = int(golden["seed"])
    state = torchvision_states.alexnet(seed, 1 / 16, classes=13)
    model, ignored = torchvision.build("alexnet", state)
    assert ignored == []
    L = torchvision_states.picture(seed, *golden[f"size_{size}"])
    np.testing.assert_allclose(
        model({"L": tf.constant(L)})["logits"],
        golden[f"logits_{size}"],
        rtol=0,
        atol=1e-4,
    )


def test_features_are_what_the_classifier_knows():
    model = small()
    inputs = {"L": model_contract.random_inputs(64, 72)["L"]}
    logits = model(inputs)["logits"].numpy()
    found = {
        kind: alexnet.feature_model(model, kind)(inputs)["features"].numpy()
        for kind in alexnet.FEATURES
    }
    np.testing.assert_array_equal(found["logits"], logits)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(found["probabilities"], softmax, atol=1e-6)
    best = np.eye(5)[logits.argmax(-1)]
    np.testing.assert_array_equal(found["one_hot"], best)
    assert found["penultimate"].shape == (2, 256)
    head = model.get_layer("logits")
    np.testing.assert_allclose(
        head(found["penultimate"]), logits, rtol=1e-5, atol=1e-5
    )


@pytest.mark.slow
def test_weights_at_width_1_are_those_of_torchvision():
    count = 61_100_840 - 2 * 64 * 11 * 11
    assert alexnet.alexnet(num_classes=1000).count_params() == count


@pytest.mark.parametrize(
    "option",
    [
        {"num_classes": 1},
        {"width": 0.0},
        {"dropout": 1.0},
        {"enlarge": 0},
        {"image_size": 62},
    ],
)
def test_numbers_out_of_range_are_refused(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
        small(**option)


def test_unknown_features_are_refused():
    with pytest.raises(ValueError, match="`features` must be .*Received"):
        alexnet.feature_model(small(), "fc5")


@pytest.mark.parametrize(("enlarge", "smallest"), [(1, 63), (2, 32), (3, 21)])
def test_the_smallest_picture_is_said_before_it_is_built(enlarge, smallest):
    assert alexnet.smallest_side(enlarge) == smallest
    alexnet.check_size(smallest, enlarge=enlarge)
    model = small(enlarge=enlarge)
    assert architecture.of(model).options["enlarge"] == enlarge
    L = tf.zeros([1, smallest, smallest, 1])
    assert np.isfinite(model({"L": L})["logits"]).all()
    said = f"must be {smallest} or more for AlexNet with `enlarge={enlarge}`"
    for refused in (
        functools.partial(alexnet.check_size, enlarge=enlarge),
        lambda size: small(enlarge=enlarge, image_size=size),
    ):
        with pytest.raises(ValueError, match=f"{said}, .* Received: .*size="):
            refused(smallest - 1)
