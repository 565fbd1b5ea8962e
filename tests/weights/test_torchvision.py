import numpy as np
import pytest

from tests.weights import published_states
from tests.weights import torchvision_states
from tfcolor.models import vgg
from tfcolor.weights import torchvision

WIDTH = 1 / 16
ALEXNET = torchvision_states.alexnet(1, WIDTH, classes=5)
RESNET = torchvision_states.resnet18(1, WIDTH, classes=5)


def _refused(kind, state):
    with pytest.raises(ValueError, match="each exactly once") as error:
        torchvision.build(kind, state)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_alexnets_width_and_classes_are_those_of_the_state():
    model, ignored = torchvision.build("alexnet", ALEXNET)
    assert ignored == []
    assert model.output["logits"].shape == (None, 5)
    assert model.get_layer("fc7").units == 256
    assert model.get_layer("conv3").filters == 24


def test_the_first_kernel_is_summed_over_the_colors():
    for kind, state, key in (
        ("alexnet", ALEXNET, "features.0.weight"),
        ("resnet18", RESNET, "conv1.weight"),
    ):
        model, _ = torchvision.build(kind, state)
        kernel = np.asarray(model.get_layer("conv1").kernel)
        assert kernel.shape[2] == 1
        np.testing.assert_allclose(
            kernel[3, 2, 0, 1], state[key][1, :, 3, 2].sum(), rtol=1e-5
        )


def test_a_kernel_for_grey_pictures_is_taken_as_it_is():
    key = "conv1.weight"
    grey = RESNET | {key: RESNET[key].sum(axis=1, keepdims=True)}
    for state in (RESNET, grey):
        model, _ = torchvision.build("resnet18", state)
        np.testing.assert_allclose(
            model.get_layer("conv1").kernel[..., 0, 0],
            grey[key][0, 0],
            rtol=1e-5,
        )


def test_counters_and_the_class_layer_of_resnet18_are_ignored_by_name():
    _, ignored = torchvision.build("resnet18", RESNET)
    assert {"fc.weight", "fc.bias"} < set(ignored)
    counters = [k for k in ignored if k.endswith("num_batches_tracked")]
    assert len(counters) == 20 and len(ignored) == 22
    bare = {key: v for key, v in RESNET.items() if key not in ignored}
    assert torchvision.build("resnet18", bare)[1] == []


def test_module_prefix_means_the_same():
    prefixed = {f"module.{key}": value for key, value in ALEXNET.items()}
    first, _ = torchvision.build("alexnet", ALEXNET)
    second, _ = torchvision.build("alexnet", prefixed)
    for one, other in zip(
        first.get_weights(), second.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_everything_that_is_wrong_is_listed():
    state = dict(RESNET)
    state["layer2.0.downsample.weight"] = state.pop(
        "layer2.0.downsample.0.weight"
    )
    state["bn1.bias"] = np.full_like(state["bn1.bias"], np.nan)
    state["layer1.0.conv1.weight"] = state["layer1.0.conv1.weight"][:, :2]
    del state["fc.bias"]
    lines = _refused("resnet18", state)
    assert lines == [
        "not finite: bn1.bias",
        "missing: fc.bias (5,)",
        "shape of layer1.0.conv1.weight: (4, 2, 3, 3), not (4, 4, 3, 3)",
        "missing: layer2.0.downsample.0.weight (8, 4, 1, 1)",
        "unexpected: layer2.0.downsample.weight (8, 4, 1, 1)",
    ]


def test_other_networks_are_refused():
    lines = _refused("alexnet", RESNET)
    assert any(
        line.startswith("missing: classifier.1.weight") for line in lines
    )
    assert any(line.startswith("unexpected: layer1.0") for line in lines)
    doubled = ALEXNET | {"module.features.0.bias": ALEXNET["features.0.bias"]}
    assert _refused("alexnet", doubled) == ["there twice: features.0.bias"]
    with pytest.raises(ValueError, match="`kind` must be .*Received"):
        torchvision.build("vgg16", ALEXNET)


def _vgg16(seed):
    """The first layers of vgg16_bn, and one that is not looked at."""
    state, before, place = {}, 3, 0
    for filters, convs in ((4, 2), (8, 2), (16, 3), (32, 3), (32, 2)):
        for _ in range(convs):
            name, norm = f"features.{place}", f"features.{place + 1}"
            shapes = {
                f"{name}.weight": (filters, before, 3, 3),
                f"{name}.bias": (filters,),
            } | published_states.bn(norm, filters)
            state |= {
                key: published_states.tensor(key, shape, seed)
                for key, shape in shapes.items()
            }
            before, place = filters, place + 3
        place += 1
    return state


def test_vgg16_is_loaded_as_far_as_the_model_goes():
    state, model = _vgg16(1), vgg.vgg16_features(width=1 / 16)
    assert torchvision.vgg16_width(state) == 1 / 16
    torchvision.load_vgg16(model, state)
    for name, place in (("conv1_1", 0), ("conv4_2", 27), ("conv5_1", 34)):
        np.testing.assert_array_equal(
            model.get_layer(name).kernel,
            state[f"features.{place}.weight"].transpose(2, 3, 1, 0),
        )
    np.testing.assert_array_equal(
        model.get_layer("bn2_1").moving_variance,
        state["features.8.running_var"],
    )


def test_all_problems_of_vgg16_are_listed_in_the_order_of_its_layers():
    state = _vgg16(1)
    del state["features.10.bias"]
    state["features.3.weight"] = state["features.3.weight"][:, :2]
    state["features.4.bias"] = state["features.4.bias"] * np.nan
    model = vgg.vgg16_features(width=1 / 16)
    with pytest.raises(ValueError) as error:
        torchvision.load_vgg16(model, state)
    assert str(error.value) == (
        "The weights must be those of torchvision's vgg16_bn. Received: 3 "
        "problems\n"
        "  shape of features.3.weight: (4, 2, 3, 3), not (4, 4, 3, 3)\n"
        "  not finite: features.4.bias\n"
        "  missing: features.10.bias (8,)"
    )
