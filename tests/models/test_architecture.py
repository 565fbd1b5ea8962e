"""Models know what they are: built, loaded, and recognized in old files."""

import json

import keras
import pytest

from tests.inference import models
from tfcolor.models import architecture
from tfcolor.models import blend
from tfcolor.models import fusion as fusion_lib
from tfcolor.models.alexnet import alexnet
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.ensemble import ensemble
from tfcolor.models.instance import instance
from tfcolor.models.resnet_colorizer import resnet_colorizer
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file

NARROW = 1 / 32


def _boxed_ensemble():
    return ensemble(
        num_classes=2,
        class_source="boxes",
        box_class_ids=(3, 17),
        width=1 / 16,
    )


def _informed_ensemble():
    classifier = alexnet(num_classes=2, width=1 / 64)
    return ensemble(num_classes=2, classifier=classifier, width=1 / 16)


def _instance_colorizer(full=None):
    return fusion_lib.instance_colorizer(
        instance=instance(width=NARROW),
        fusion=fusion_lib.fusion(
            width=NARROW, blending="faithful", mask_center=0.0, groups=2
        ),
        full=full,
    )


def test_a_model_knows_its_builder_and_all_options():
    found = architecture.of(siggraph(width=NARROW, mask_center=0.0))
    assert found.name == "siggraph"
    assert found.options == {
        "width": NARROW,
        "gradient_stop": "class_head",
        "initializer": "normal",
        "mask_center": 0.0,
        "name": "siggraph",
    }
    assert (found.size_multiple, found.smallest_side) == (8, 8)
    rebuilt = siggraph(**found.options)
    assert architecture.of(rebuilt) == found


@pytest.mark.parametrize(
    ("options", "boxed", "whole"),
    [
        ({}, False, True),
        ({"hints": True}, False, True),
        ({"boxes": True}, True, False),
        ({"box_classes": True}, True, False),
        ({"classes": 2}, False, False),
    ],
)
def test_what_is_given_beside_whole_pictures_is_known(options, boxed, whole):
    takes = architecture.Takes(**options)
    assert (takes.boxed, takes.whole_pictures) == (boxed, whole)


@pytest.mark.parametrize(
    ("build", "takes"),
    [
        (
            lambda: resnet_colorizer(width=1 / 16),
            architecture.Takes(False, False, False, 0, 8, 8),
        ),
        pytest.param(
            lambda: blend.siggraph_blend(width=NARROW),
            architecture.Takes(True, False, False, 0, 8, 8),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            efficientnet_unet,
            architecture.Takes(True, False, False, 0, 32, 32),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            _instance_colorizer,
            architecture.Takes(True, True, False, 0, 8, 8),
            marks=pytest.mark.slow,
        ),
        (_boxed_ensemble, architecture.Takes(False, False, True, 0, 8, 8)),
        (_informed_ensemble, architecture.Takes(False, False, False, 0, 8, 63)),
        (
            models.class_conditional_model,
            architecture.Takes(False, False, False, 2, 8, 8),
        ),
    ],
    ids=[
        "resnet",
        "blend",
        "unet",
        "boxes",
        "box_classes",
        "ensemble",
        "conditional",
    ],
)
def test_what_a_model_takes_is_known_when_built_and_in_old_files(
    build, takes, tmp_path
):
    model = build()
    assert architecture.takes(model) == takes
    # A file of Keras alone is like one from before models knew themselves.
    path = str(tmp_path / "old.keras")
    model.save(path)
    loaded, _ = model_file.load(path)
    assert "architecture" not in vars(loaded)
    assert architecture.takes(loaded) == takes


def test_knowledge_travels_in_the_file_down_to_networks_inside(tmp_path):
    path = str(tmp_path / "model.keras")
    model = _instance_colorizer(siggraph(width=NARROW, name="whole"))
    info = model_file.ModelInfo("instance_colorizer", 64)
    model_file.save(model, path, info)
    loaded, _ = model_file.load(path)
    assert architecture.of(loaded) == architecture.of(model)
    networks = fusion_lib.networks_of(loaded)
    assert [network.name for network in networks.values()] == [
        *("instance", "fusion", "whole")
    ]
    inside = architecture.of(networks["fusion"])
    assert inside.name == "fusion"
    assert inside.options["blending"] == "faithful"
    assert inside.options["groups"] == 2
    assert architecture.of(networks["full"]).options["width"] == NARROW


def test_a_tuple_is_a_tuple_again_after_json():
    found = architecture.of(_boxed_ensemble())
    stored = json.loads(json.dumps(architecture.to_json(found)))
    assert architecture.from_json(stored) == found
    assert found.options["box_class_ids"] == (3, 17)


@pytest.mark.slow
def test_networks_of_old_files_are_recognized_with_what_they_need(tmp_path):
    path = str(tmp_path / "old.keras")
    _instance_colorizer(siggraph(width=NARROW)).save(path)
    loaded, _ = model_file.load(path)
    networks = fusion_lib.networks_of(loaded)
    fusion = architecture.of(networks["fusion"])
    assert fusion.name == "fusion"
    assert fusion.options == {
        "width": NARROW,
        "mask_center": 0.0,
        "blending": "faithful",
        "groups": 2,
    }
    assert architecture.of(networks["full"]).options["mask_center"] == 0.5


def test_the_classifier_inside_an_ensemble_is_known():
    classifier = alexnet(num_classes=2, width=1 / 64, enlarge=2, dropout=0.3)
    made = ensemble(num_classes=2, classifier=classifier, width=1 / 16)
    inside = architecture.of(made).networks["classifier"]
    assert inside == architecture.of(classifier)
    assert inside.options["enlarge"] == 2
    assert architecture.of(made).smallest_side == inside.smallest_side == 32


@pytest.mark.parametrize("enlarge", [1, 2])
def test_an_alexnet_of_an_old_file_is_recognized(tmp_path, enlarge):
    path = str(tmp_path / "old.keras")
    model = alexnet(num_classes=2, width=1 / 64, enlarge=enlarge)
    model.save(path)
    loaded, _ = model_file.load(path)
    found, known = architecture.of(loaded), architecture.of(model)
    assert found.options == {"enlarge": enlarge}
    assert (found.name, found.size_multiple, found.smallest_side) == (
        *("alexnet", known.size_multiple, known.smallest_side),
    )


@pytest.mark.slow
@pytest.mark.parametrize("class_source", ["given", "constant", "none"])
def test_where_an_old_ensemble_has_its_classes_from_is_recognized(
    tmp_path, class_source
):
    path = str(tmp_path / "old.keras")
    ensemble(num_classes=2, class_source=class_source, width=1 / 16).save(path)
    loaded, _ = model_file.load(path)
    found = architecture.of(loaded).options.get("class_source", "none")
    assert found == class_source


@pytest.mark.slow
def test_blends_of_old_files_still_give_their_network(tmp_path):
    for build, name in (
        (lambda: blend.siggraph_blend(width=NARROW), "siggraph"),
        (blend.efficientnet_unet_blend, "efficientnet_unet"),
    ):
        path = str(tmp_path / "old.keras")
        build().save(path)
        loaded, _ = model_file.load(path)
        assert architecture.of(loaded).name == f"{name}_blend"
        assert blend.network(loaded).name == name
        assert blend.network(build()).name == name


def test_a_stranger_is_unknown_and_its_own_network():
    x = keras.Input((None, None, 1), name="L")
    model = keras.Model({"L": x}, {"ab": keras.layers.Conv2D(2, 1)(x)})
    assert architecture.of(model).name == architecture.UNKNOWN
    assert blend.network(model) is model
    assert fusion_lib.networks_of(model) == {}
