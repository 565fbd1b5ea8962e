import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tests.models import model_contract
from tests.weights import torchvision_states
from tfcolor.models import resnet_colorizer
from tfcolor.weights import torchvision

SIZES = ("64", "200", "260")
small = functools.partial(resnet_colorizer.resnet_colorizer, width=1 / 16)


def ab_shape(height, width):
    return {"ab": (height, width, 2)}


def squares(outputs):
    return tf.reduce_sum((outputs["ab"] / 110 - 0.3) ** 2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param({"form": "faithful"}, marks=pytest.mark.slow),
        pytest.param({"global_features": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_colorizer_keeps_the_model_contract(options, tmp_path):
    model_contract.check_model(
        functools.partial(small, **options),
        folder=tmp_path,
        loss=squares,
        sizes=((32, 32), (24, 40)),
        output_shapes=ab_shape,
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_colorizer_exports_to_an_equal_saved_model(tmp_path):
    model_contract.check_export(small, folder=tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_resnet18_equals_pytorchs_layers(size):
    golden = golden_files.load("torchvision_narrow")
    seed = int(golden["seed"])
    state = torchvision_states.resnet18(seed, 1 / 16, classes=13)
    model, _ = torchvision.build("resnet18", state)
    L = torchvision_states.picture(seed, *golden[f"size_{size}"])
    outputs = model({"L": tf.constant(L)})
    for found, name in (
        (outputs["layer2"][:, ::2, ::3], f"layer2_{size}"),
        (outputs["mean"], f"mean_{size}"),
    ):
        scale = np.abs(golden[name]).max()
        np.testing.assert_allclose(
            found / scale, golden[name] / scale, rtol=0, atol=1e-5
        )


def test_a_colorizer_begins_as_resnet18_does():
    whole = small(global_features=True)
    names = resnet_colorizer.encoder_layers(whole)
    known = {layer.name for layer in whole.layers}
    assert len(names) == 40 and set(names) <= known
    # conv1 and two stages of two blocks, with their normalizations.
    assert len(resnet_colorizer.encoder_layers(small())) == 20
    alone = resnet_colorizer.resnet18(width=1 / 16)
    assert resnet_colorizer.encoder_layers(alone) == names


def test_weights_at_width_1_are_those_of_torchvision():
    model = resnet_colorizer.resnet18()
    state = torchvision_states.resnet18(0)
    expected = sum(
        array.size
        for key, array in state.items()
        if not key.startswith("fc.") and "num_batches" not in key
    )
    # Two of three input channels less.
    assert model.count_params() == expected - 2 * 64 * 7 * 7


def test_the_faithful_form_repeats_colors_of_half_the_size():
    inputs = {"L": model_contract.random_inputs(32, 48)["L"]}
    ab = small(form="faithful")(inputs)["ab"].numpy()
    np.testing.assert_array_equal(ab[:, ::2, ::2], ab[:, 1::2, 1::2])
    ab = small()(inputs)["ab"].numpy()
    assert (ab[:, ::2, ::2] != ab[:, 1::2, 1::2]).any()
    assert np.abs(ab).max() < 110


def test_the_faithful_form_predicts_in_the_units_of_the_study():
    model = small(form="faithful")
    out = model.get_layer("ab_out")
    out.kernel.assign(tf.zeros_like(out.kernel))
    out.bias.assign([0.5, 1.0])
    L = {"L": tf.fill([1, 8, 8, 1], 40.0)}
    np.testing.assert_allclose(model(L)["ab"][0, 3, 3], [-0.5, 127], atol=1e-4)


@pytest.mark.parametrize("option", [{"width": 0.0}, {"form": "study"}])
def test_unknown_options_are_refused(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
        resnet_colorizer.resnet_colorizer(**option)
