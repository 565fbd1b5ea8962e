import functools
import os

import keras
import numpy as np
import pytest
from absl.testing import flagsaver

from tests import drawn
from tests.weights import ddcolor_states
from tests.weights import published_states
from tests.weights import pytorch_pickles
from tfcolor.data import epochs
from tfcolor.models import architecture
from tfcolor.models import fusion as fusion_lib
from tfcolor.models.alexnet import alexnet
from tfcolor.models.ensemble import ensemble
from tfcolor.models.resnet_colorizer import resnet18
from tfcolor.models.resnet_colorizer import resnet_colorizer
from tfcolor.models.siggraph import siggraph
from tfcolor.training.run_folder import RunFolder
from tfcolor.weights import model_cache
from tfcolor.weights import model_file
from tfcolor.weights import published
from tfcolor.weights import pytorch_models
from trainers import assembly
from trainers import labelled_assembly
from trainers import resnet_assembly
from trainers import train_alexnet
from trainers import train_box_ensemble
from trainers import train_ddcolor
from trainers import train_full
from trainers import train_fusion

pytestmark = pytest.mark.slow
NARROW = {"width": "0.03125"}


@pytest.fixture
def saved(tmp_path):
    """Saves a model; returns its path."""

    def save(model, name="start"):
        path = str(tmp_path / f"{name}.keras")
        model_file.save(model, path, model_file.ModelInfo(model.name, 64))
        return path

    return save


def _said(build, path, **options) -> str:
    """The one line that a trainer says of weights that do not fit."""
    flags = NARROW | options | {"initial_weights": path}
    with flagsaver.as_parsed(**flags), pytest.raises(ValueError) as raised:
        build()
    said = str(raised.value)
    assert "\n" not in said and len(said) < 400 and path in said
    assert said.startswith("--initial_weights must be a network of the same")
    return said


_alexnet = functools.partial(train_alexnet.build_alexnet, 3, None)
_classifier = functools.partial(labelled_assembly.build_classifier, 3)
_ensemble = functools.partial(
    resnet_assembly.build_ensemble, ("cat", "dog", "owl")
)


@pytest.mark.parametrize("width", [1 / 16, 0.3])
def test_the_width_of_a_colorizer_is_named(saved, width):
    path = saved(siggraph(width=width))
    build = assembly.build_siggraph if width == 0.3 else _classifier
    said = _said(build, path)
    assert f"set --width={width}. Received: --width=0.03125 with" in said
    with flagsaver.as_parsed(width=str(width), initial_weights=path):
        assert build().count_params()


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"width": 1 / 16}, "--width=0.0625."),
        ({"form": "faithful"}, "--form=faithful."),
        ({"global_features": True}, "--global_features."),
        (
            {"width": 1 / 16, "form": "faithful", "global_features": True},
            "--width=0.0625 --form=faithful --global_features.",
        ),
    ],
)
def test_the_form_of_a_resnet_is_named(saved, options, flags):
    path = saved(resnet_colorizer(**{"width": 1 / 32} | options))
    assert f"set {flags}" in _said(resnet_assembly.build_resnet, path)


def test_the_width_of_an_encoder_is_named(saved):
    path = saved(resnet18(width=1 / 16))
    said = _said(resnet_assembly.build_resnet, path)
    assert "set --width=0.0625." in said
    said = _said(train_box_ensemble.build, path)
    assert "set --width=0.0625." in said


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"width": 1 / 16}, "--width=0.0625."),
        ({"batch_norm": True}, "--batch_norm."),
        (
            {"batch_norm": True, "width": 1 / 64},
            "--width=0.015625 --batch_norm.",
        ),
    ],
)
def test_the_options_of_an_alexnet_are_named(saved, options, flags):
    path = saved(alexnet(num_classes=3, **{"width": 1 / 32} | options))
    assert f"set {flags}" in _said(_alexnet, path)


def test_the_classes_of_an_ensemble_are_named(saved):
    given = ensemble(num_classes=3, class_source="given", width=1 / 32)
    said = _said(_ensemble, saved(given), class_source="none")
    assert "set --class_source=given." in said
    other = ensemble(num_classes=5, class_source="given", width=1 / 32)
    said = _said(_ensemble, saved(other), class_source="given")
    assert "see the number of classes of --images" in said


def test_another_kind_of_network_is_named(saved):
    path = saved(alexnet(num_classes=3, width=1 / 32))
    said = _said(assembly.build_siggraph, path)
    assert "'alexnet' for 'siggraph'" in said and " layers differ, such" in said


def test_weights_of_a_fusion_are_named_by_their_own_flags(saved):
    narrow, wide = (
        saved(siggraph(width=width), name)
        for width, name in ((1 / 32, "narrow"), (1 / 16, "wide"))
    )
    for full, instance, said in (
        (wide, wide, "--full_weights must be .* set --width=0.0625. Received"),
        (narrow, wide, "--instance_weights .*width.*--width=0.03125. Received"),
    ):
        flags = {"full_weights": full, "instance_weights": instance}
        with flagsaver.as_parsed(**NARROW | flags):
            with pytest.raises(ValueError, match=said):
                train_fusion.build_networks()
    flags = {"full_weights": narrow, "instance_weights": narrow}
    with flagsaver.as_parsed(**NARROW | flags):
        full, instance, fusion = train_fusion.build_networks()
    assert fusion_lib.instance_colorizer(instance=instance, fusion=fusion)


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """Puts a narrow network into the cache under a published name."""
    monkeypatch.setenv("TFCOLOR_CACHE", str(tmp_path / "cache"))

    def put(name, states):
        kind = published.CATALOG[name].kind
        model = pytorch_models.build(states).model
        path = published.converted_path(name)
        os.makedirs(os.path.dirname(path))
        info = pytorch_models.info_of(kind, name)
        model_cache.write(model, path, info, origin="")
        return model

    return put


def _ab(model):
    shape = {"L": 1, "hints": 2, "mask": 1}
    L = np.random.default_rng(0).uniform(0, 100, [1, 32, 32, 1])
    inputs = {
        key: keras.ops.zeros([1, 32, 32, shape[key]]) for key in model.input
    }
    inputs["L"] = keras.ops.convert_to_tensor(np.float32(L))
    return model(inputs)["ab"].numpy()


def test_training_begins_with_published_weights_and_their_mask(
    cached, tmp_path
):
    state = published_states.full(3, 1 / 16)
    given = cached("siggraph17", {"siggraph17": state})
    path = pytorch_pickles.save(tmp_path / "net.pth", state)
    for start in ("siggraph17", path):
        with flagsaver.as_parsed(width="0.0625", initial_weights=start):
            model = assembly.build_siggraph()
        assert architecture.of(model).options["mask_center"] == 0.0
        np.testing.assert_allclose(_ab(model), _ab(given), atol=1e-5)
    said = _said(assembly.build_siggraph, "siggraph17")
    assert "set --width=0.0625." in said


def test_ddcolor_begins_with_published_weights(cached):
    given = cached("ddcolor_tiny", {"ddcolor": ddcolor_states.state("tiny", 1)})
    flags = {"width": "0.0625", "queries": "10", "decoder_blocks": "4"}
    flags["initial_weights"] = "ddcolor_tiny"
    with flagsaver.as_parsed(**flags, encoder="tiny"):
        np.testing.assert_array_equal(
            _ab(train_ddcolor._build_network()), _ab(given)
        )
    with flagsaver.as_parsed(**flags, encoder="large"):
        with pytest.raises(ValueError, match="same flags; set --encoder=tiny."):
            train_ddcolor._build_network()


def test_fusion_begins_with_all_three_published_networks(cached):
    state = published_states.mmagic(3, 1 / 32)
    states = pytorch_models.pytorch.networks_of(state)
    given = fusion_lib.networks_of(cached("instcolorization", states))
    start = {"initial_weights": "instcolorization"}
    with flagsaver.as_parsed(**NARROW | start):
        built = train_fusion.build_networks()
    for kind, model in zip(("full", "instance", "fusion"), built, strict=True):
        for layer in model.layers:
            for mine, theirs in zip(
                layer.get_weights(),
                given[kind].get_layer(layer.name).get_weights(),
                strict=True,
            ):
                np.testing.assert_array_equal(mine, theirs, layer.name)
    assert any(w.trainable for w in built[2].weights)
    said = "--full_weights and --instance_weights must be given, or --initial"
    with flagsaver.as_parsed(**NARROW), pytest.raises(ValueError, match=said):
        train_fusion.build_networks()
    # Parts of it are enough.
    parts = {
        "full_weights": "instcolorization",
        "instance_weights": "instcolorization",
    }
    with flagsaver.as_parsed(**NARROW | parts):
        full, _, fusion = train_fusion.build_networks()
    np.testing.assert_array_equal(_ab(full), _ab(given["full"]))
    first = "block1_conv1"
    np.testing.assert_array_equal(
        fusion.get_layer(first).get_weights()[0],
        given["full"].get_layer(first).get_weights()[0],
    )


def test_few_pictures_are_split_and_trained_on(tmp_path):
    images = drawn.write_album(tmp_path / "images", 25, side=8)
    log = RunFolder(str(tmp_path / "run")).log
    with flagsaver.as_parsed(images=images):
        train, held_out = assembly.open_sources(log)
    assert (len(train), len(held_out)) == (22, 3)
    said = (tmp_path / "run/train.log").read_text()
    assert "few pictures: 3 of 25 are held out for validation" in said
    assert said.count("few pictures") == 1


def test_a_batch_has_the_names_of_its_pictures(tmp_path):
    images = drawn.write_album(tmp_path / "images", 9, side=32)
    flags = {"images": images, "image_size": "32", "batch_size": "4"}
    with flagsaver.as_parsed(validation_images=images, **flags):
        config = train_full.data_flags.config()
        log = RunFolder(str(tmp_path / "run")).log
        train, _ = assembly.open_sources(log)
    view = train_full.pipelines.full_view(config)
    names = assembly.task_data(train, train, view, log)["name_batch"]
    batches = [names(2, place) for place in range(3)]
    assert [len(batch) for batch in batches] == [4] * 3
    # The third batch begins the next pass.
    assert batches[2] == batches[0] and not set(batches[0]) & set(batches[1])
    assert set(batches[0]) <= {f"{images}/{i:03}.png" for i in range(9)}
    # They are those whose colors the batch has.
    plain = epochs.epoch(train, view, epoch=2, training=True)
    named = epochs.epoch(train, view, epoch=2, training=True, names=True)
    for (_, one), (_, other) in zip(plain, named, strict=True):
        assert set(one) == {"ab"} and set(other) == {"ab", "name"}
        assert (one["ab"].numpy() == other["ab"].numpy()).all()
