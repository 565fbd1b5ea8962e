import numpy as np
import pytest

from tests.weights import torchvision_states
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
