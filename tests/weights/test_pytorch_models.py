import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from tests.weights import published_states
from tests.weights import pytorch_pickles as pickles
from tests.weights import torchvision_states
from tfcolor.weights import pytorch_models

WIDTH = 1 / 16
FULL = published_states.full(5, WIDTH)


def _inputs(model):
    shape = {"L": 1, "hints": 2, "mask": 1}
    return {n: tf.fill([1, 16, 16, shape[n]], 0.4) for n in model.input}


@pytest.mark.parametrize(
    "state, path, kind",
    [
        (FULL, "siggraph17-df00044c.pth", "siggraph17"),
        (FULL, "a/latest_net_GComp.pth", "full"),
        (FULL, "a/latest_net_G.pth", "full"),
        (FULL, "siggraph_caffemodel/latest_net_G.pth", "siggraph17"),
        (published_states.mmagic(1, WIDTH), "net.pth", "mmagic"),
        (published_states.eccv16(1, WIDTH), "net.pth", "eccv16"),
        (
            {"encoder.arch.downsample_layers.0.0.weight": 0},
            "pytorch_model.bin",
            "ddcolor",
        ),
    ],
)
def test_a_network_is_known_by_its_keys(state, path, kind):
    assert pytorch_models.kind_of(state, path) == kind
    prefixed = {f"module.{key}": value for key, value in state.items()}
    assert pytorch_models.kind_of(prefixed, path) == kind


def test_other_networks_are_refused_by_path_and_keys():
    for state, match in (
        (torchvision_states.alexnet(1, WIDTH, classes=5), "classifier.1.bias"),
        (published_states.fusion(1, WIDTH), "is a part"),
        ({"a": np.zeros(3)}, r"\['a'\]"),
    ):
        with pytest.raises(ValueError, match=f"net.pth.*{match}"):
            pytorch_models.kind_of(state, "net.pth")


def test_every_kind_says_what_a_model_file_says():
    for kind in pytorch_models.KINDS:
        info = pytorch_models.info_of(kind, "net.pth")
        assert info.description == f"{kind} weights imported from net.pth"
        sides = {"ddcolor": 512, "alexnet": 224, "resnet18": 224}
        assert info.image_size == sides.get(kind, 256)
        assert (info.upsampling == "guided") == (kind == "ddcolor")


def test_pth_and_safetensors_files_are_models_in_memory(tmp_path):
    pickles.save(tmp_path / "net.pth", FULL)
    safetensors.numpy.save_file(FULL, tmp_path / "net.safetensors")
    expected = pytorch_models.build({"siggraph17": FULL}).model
    for name in ("net.pth", "net.safetensors"):
        model, info = pytorch_models.load(str(tmp_path / name))
        assert info.architecture == "siggraph"
        np.testing.assert_array_equal(
            model(_inputs(model))["ab"], expected(_inputs(model))["ab"]
        )


def test_mmagics_file_becomes_one_model(tmp_path):
    pickles.save(tmp_path / "net.pth", published_states.mmagic(1, WIDTH))
    model, info = pytorch_models.load(str(tmp_path / "net.pth"))
    assert info.architecture == "instance_colorizer"
    assert "boxes" in model.input


@pytest.mark.parametrize(
    "kind, state",
    [
        ("siggraph17", published_states.full(2, 1 / 4)),
        ("mmagic", published_states.mmagic(2, WIDTH)),
        ("eccv16", published_states.eccv16(2, 1 / 4)),
        ("siggraph17", published_states.full(8, 1 / 16)),
        ("mmagic", published_states.mmagic(8, 1 / 32)),
    ],
)
def test_published_files_give_what_pytorchs_layers_give(kind, state, tmp_path):
    pytest.importorskip("torch")
    from tfcolor.weights import pytorch_check

    path = pickles.save(tmp_path / "net.pth", state)
    states = pytorch_models.read(path, kind)
    model = pytorch_models.build(states).model
    for seed, size in ((0, 64), (1, 40), (2, 104)):
        difference = pytorch_check.largest_difference(
            model, states, seed=seed, size=size
        )
        # Of CIELAB; the check counts in network units.
        assert 0 < 110 * difference < 1e-3
