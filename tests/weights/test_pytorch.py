import numpy as np
import pytest

from tests.weights import published_states
from tfcolor.models.fusion import fusion
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import pytorch
from tfcolor.weights import pytorch_keys

WIDTH = 1 / 16
FULL = published_states.full(1, WIDTH)
FUSION = published_states.fusion(3, WIDTH)


def _refused(state, model=None):
    """The lines of the error, and that the model kept its weights."""
    model = model or siggraph(width=WIDTH)
    before = model.get_weights()
    with pytest.raises(ValueError, match="each exactly once") as error:
        pytorch.load_state(model, state)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_every_weight_of_the_model_comes_from_the_state():
    model = siggraph(width=WIDTH)
    for weight in model.weights:
        weight.assign(np.full(weight.shape, np.nan))
    ignored = pytorch.load_state(model, FULL)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert len(ignored) == 9
    assert all(key.endswith(".num_batches_tracked") for key in ignored)
    kernel = model.get_layer("up8").kernel
    np.testing.assert_array_equal(
        np.asarray(kernel)[1, 2, 3, 4], FULL["model8up.0.weight"][4, 3, 1, 2]
    )
    variance = model.get_layer("block9_bn").moving_variance
    np.testing.assert_array_equal(variance, FULL["model9.3.running_var"])


def test_module_prefix_and_mmagics_spelling_mean_the_same():
    expected = siggraph(width=WIDTH)
    pytorch.load_state(expected, FULL)
    prefixed = {f"module.{key}": value for key, value in FULL.items()}
    networks = pytorch.networks_of(published_states.mmagic(1, WIDTH))
    assert "model8up.weight" in networks["full"]
    for state in (prefixed, networks["full"]):
        model = siggraph(width=WIDTH)
        pytorch.load_state(model, state)
        for old, new in zip(
            expected.get_weights(), model.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(old, new)


def test_counters_may_be_absent_as_in_old_files():
    state = {k: v for k, v in FULL.items() if "num_batches" not in k}
    assert pytorch.load_state(siggraph(width=WIDTH), state) == []


def test_all_problems_are_listed_at_once():
    state = dict(FULL)
    state["model3.2.weights"] = state.pop("model3.2.weight")
    state["model2.0.bias"] = state["model2.0.bias"][:-1]
    state["model1.0.bias"] = np.full_like(state["model1.0.bias"], np.nan)
    state["module.model9.1.bias"] = state["model9.1.bias"]
    del state["model5.6.running_var"], state["model4.6.num_batches_tracked"]
    assert sorted(_refused(state)) == [
        "missing: model3.2.weight (16, 16, 3, 3)",
        "missing: model4.6.num_batches_tracked ()",
        "missing: model5.6.running_var (32,)",
        "not finite: model1.0.bias",
        "shape of model2.0.bias: (7,), not (8,)",
        "there twice: model9.1.bias",
        "unexpected: model3.2.weights (16, 16, 3, 3)",
    ]


@pytest.mark.parametrize("key", sorted(FUSION))
def test_no_key_of_the_fusion_network_may_be_missing(key, fusion_network):
    state = {k: v for k, v in FUSION.items() if k != key}
    with pytest.raises(ValueError, match=f"missing: {key} "):
        pytorch.load_state(fusion_network, state)


@pytest.fixture(scope="module")
def fusion_network():
    return fusion(width=WIDTH)


def test_what_fusion_does_not_use_is_named_as_ignored(fusion_network):
    ignored = pytorch.load_state(fusion_network, FUSION)
    names = {key.split(".")[0] for key in ignored if "num_" not in key}
    assert names == {"weight_layerout", "model_class"}
    assert len(ignored) == 9 + 12 + 2


def test_scores_of_instances_and_background_are_not_mixed_up(fusion_network):
    pytorch.load_state(fusion_network, FUSION)
    layer = fusion_network.get_layer("block9_up_fusion")
    for convs, part in (
        (layer.instance_convs, "simple_instance_conv"),
        (layer.background_convs, "simple_bg_conv"),
    ):
        for i, conv in enumerate(convs):
            key = f"weight_layer9_1.{part}.{2 * i}.weight"
            np.testing.assert_array_equal(
                np.asarray(conv.kernel).transpose(3, 2, 0, 1), FUSION[key]
            )


def test_the_instance_network_ignores_the_class_head_by_name():
    ignored = pytorch.load_state(instance(width=WIDTH), FULL)
    assert ignored[:2] == ["model1.4.num_batches_tracked"] + [
        "model2.4.num_batches_tracked"
    ]
    assert ignored[-2:] == ["model_class.0.bias", "model_class.0.weight"]


def test_another_networks_weights_are_refused():
    lines = _refused(FUSION)
    assert len(lines) == 14 * 12
    assert all(line.startswith("unexpected: weight_layer") for line in lines)
    lines = _refused(FULL, fusion(width=WIDTH))
    assert len(lines) == 13 * 12
    assert all(line.startswith("missing: weight_layer") for line in lines)


def test_width_is_read_from_the_first_convolution():
    assert pytorch.width_of(FULL) == WIDTH
    with pytest.raises(ValueError, match="must hold 'model1.0.weight'"):
        pytorch.width_of({"conv.weight": np.zeros([4])})
    # Strides of 0 make much of a few bytes.
    huge = np.broadcast_to(np.float32(0), (1280, 4, 3, 3))
    for wrong in (huge, np.float32(1)):
        with pytest.raises(ValueError, match="4 axes and at most 256"):
            pytorch.width_of({"model1.0.weight": wrong})


def test_a_file_of_three_networks_must_hold_nothing_else():
    state = published_states.mmagic(1, WIDTH)
    networks = pytorch.networks_of(state)
    assert {name: len(arrays) for name, arrays in networks.items()} == {
        "full": len(FULL),
        "instance": len(FULL),
        "fusion": len(FUSION),
    }
    with pytest.raises(ValueError, match="unexpected .*stranger"):
        pytorch.networks_of(state | {"stranger": np.zeros([1])})
    with pytest.raises(ValueError, match="without .*instance"):
        pytorch.networks_of(
            {k: v for k, v in state.items() if "instance_model" not in k}
        )


def test_published_names_cover_all_weights_of_the_full_network():
    layers = siggraph(width=WIDTH).layers
    assert sorted(pytorch_keys.layer_names().values()) == sorted(
        layer.name for layer in layers if layer.weights
    )
