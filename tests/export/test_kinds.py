"""Every kind of model that can be exported, with Python's answers."""

import json
import os

import numpy as np
import pytest
import tensorflow as tf

from tests.export import exported
from tests.inference import models
from tests.inference.test_classifier import write_model
from tfcolor.data import sample_pictures
from tfcolor.export import checked_pictures
from tfcolor.export import classifier_export
from tfcolor.export import colorizer_export
from tfcolor.export import export_litert
from tfcolor.export import export_model
from tfcolor.export import export_onnx
from tfcolor.export import warm_up
from tfcolor.export import without_keras
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.inference import colorization_model
from tfcolor.models import fusion
from tfcolor.models.alexnet import alexnet
from tfcolor.models.blend import siggraph_blend
from tfcolor.models.ddcolor import ddcolor
from tfcolor.models.ensemble import ensemble
from tfcolor.models.fusion_in_turns import FusionInTurns
from tfcolor.models.instance import instance
from tfcolor.models.resnet_colorizer import resnet_colorizer
from tfcolor.weights import model_file

NAMES = exported.CLASS_NAMES
WIDTH = 1 / 16


def _classifier_inside():
    classifier = alexnet(num_classes=3, width=1 / 64)
    return ensemble(num_classes=3, classifier=classifier, width=WIDTH)


def _boxes_with_classes():
    return ensemble(
        num_classes=2,
        class_source="boxes",
        box_class_ids=(17, 3),
        width=WIDTH,
    )


def _given_classes():
    return ensemble(num_classes=3, class_source="given", width=WIDTH)


def _ddcolor():
    return ddcolor(encoder="tiny", width=1 / 32, queries=5, decoder_blocks=3)


def _crops():
    return fusion.instance_colorizer(
        instance=instance(width=1 / 32),
        fusion=fusion.fusion(width=1 / 32),
    )


# By name: what builds the model, the size it sees, what requests bring along.
COLORIZERS = {
    "siggraph_blend": (lambda: siggraph_blend(width=1 / 32), 16, []),
    "resnet_colorizer": (lambda: resnet_colorizer(width=WIDTH), 16, []),
    "ddcolor": (_ddcolor, 32, []),
    "ensemble": (_classifier_inside, 64, []),
    "ensemble, boxes": (_boxes_with_classes, 16, ["box_classes", "boxes"]),
    "ensemble, given": (_given_classes, 16, ["classes"]),
    "instance_colorizer": (_crops, 16, ["boxes"]),
}


def _call(served):
    """Runs signatures as graphs, as an exported model would."""
    functions = {
        signature.name: (
            tf.function(
                signature.function,
                input_signature=signature.inputs,
                autograph=False,
            ),
            [spec.name for spec in signature.inputs],
        )
        for signature in served.signatures
    }

    def call(name, inputs):
        function, names = functions[name]
        assert sorted(inputs) == sorted(names)
        outputs = function(*(tf.constant(inputs[name]) for name in names))
        return {key: value.numpy() for key, value in outputs.items()}

    return call


def _problems(served):
    call = _call(served)
    found = {
        case.name: without_keras.find_problem(
            call, case.request.signature, case.request.inputs, case.expected
        )
        for case in served.cases()
    }
    return {name: problem for name, problem in found.items() if problem}


@pytest.fixture
def _fewer_pictures(monkeypatch):
    found = checked_pictures.pictures()
    kept = {name: found[name] for name in ("turned JPEG", "16-bit PNG")}
    monkeypatch.setattr(checked_pictures, "pictures", lambda: kept)


@pytest.mark.slow
@pytest.mark.usefixtures("_fewer_pictures")
@pytest.mark.parametrize("kind", ["ensemble, boxes", "ensemble, given"])
def test_what_comes_with_pictures_is_used(kind):
    build, size, extra = COLORIZERS[kind]
    served = colorizer_export.served(
        build(), model_file.ModelInfo(image_size=size), ColorizerOptions(size)
    )
    default, *_ = served.signatures
    assert sorted(spec.name for spec in default.inputs[1:]) == extra
    assert not _problems(served)


@pytest.mark.long
@pytest.mark.usefixtures("_fewer_pictures")
def test_boxes_take_turns_in_the_graph_where_they_do_in_python(monkeypatch):
    graphs = []
    call = FusionInTurns.call

    def counted(self, inputs):
        graphs.append(self.boxes_at_once)
        return call(self, inputs)

    monkeypatch.setattr(FusionInTurns, "call", counted)
    served = colorizer_export.served(
        *(_crops(), model_file.ModelInfo(image_size=16)),
        ColorizerOptions(16, boxes_at_once=1),
    )
    assert served.options["boxes_at_once"] == 1
    assert not _problems(served)
    # Python's, and that of all signatures.
    assert graphs == [1, 1]


@pytest.mark.slow
@pytest.mark.usefixtures("_fewer_pictures")
def test_classes_and_scores_come_best_first(tmp_path):
    write_model(tmp_path / "model.keras", inputs="L_ab", class_names=NAMES)
    model, info = colorization_model.open_model(str(tmp_path / "model.keras"))
    served = classifier_export.served(model, info, max_pixels=10**6)
    assert not _problems(served)
    call = _call(served)
    for request in served.warm_up:
        answer = call(request.signature, request.inputs)
        assert sorted(answer["classes"][0]) == sorted(n.encode() for n in NAMES)
        assert list(answer["scores"][0]) == sorted(answer["scores"][0])[::-1]


@pytest.mark.slow
def test_an_exported_classifier_has_its_labels():
    path = exported.saved_classifier()
    with open(os.path.join(path, "assets", "labels.txt")) as file:
        assert file.read().splitlines() == list(NAMES)
    with open(os.path.join(path, "assets", "tfcolor.json")) as file:
        assert json.load(file)["architecture"] == "task_transfer"
    call = without_keras.load_with_session(path)
    with open(sample_pictures.paths()[0], "rb") as file:
        picture = np.array([file.read()], object)
    answer = call("serving_default", {"picture_bytes": picture})
    assert answer["classes"].shape == answer["scores"].shape == (1, 3)
    assert answer["scores"].sum() == pytest.approx(1, abs=1e-5)
    for name, inputs in (
        ("serving_default", {"picture_bytes": np.repeat(picture, 65)}),
        ("classify_rgb", {"rgb": np.zeros([65, 1, 1, 3], np.uint8)}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="at most 64"):
            call(name, inputs)


def test_a_classifier_has_no_options_of_colorizers(tmp_path):
    write_model(tmp_path / "model.keras")
    for option, value in (
        *(("image_size", 8), ("saturation", 8), ("crop_size", 8)),
        *(("boxes_at_once", 8), ("upsampling", "guided")),
    ):
        with pytest.raises(
            ValueError, match=f"was trained.*: {option}={value}"
        ):
            export_model.export_saved_model(
                str(tmp_path / "model.keras"),
                str(tmp_path / "1"),
                **{option: value},
            )


def test_all_options_that_a_classifier_has_not_are_named(tmp_path):
    write_model(tmp_path / "model.keras")
    received = "Received: crop_size=8, saturation=2.0, image_size=8$"
    with pytest.raises(ValueError, match=received):
        export_model.export_saved_model(
            str(tmp_path / "model.keras"),
            str(tmp_path / "1"),
            **{"saturation": 2.0, "image_size": 8, "crop_size": 8},
        )


def test_only_models_with_boxes_have_squares_of_boxes(tmp_path):
    with pytest.raises(ValueError, match="Received: crop_size=8 for"):
        export_model.export_saved_model(
            exported.model_file(models.plain_model),
            str(tmp_path / "1"),
            crop_size=8,
        )
    assert not os.listdir(tmp_path)


def test_sizes_that_a_classifier_inside_cannot_see_are_refused():
    model = _classifier_inside()
    with pytest.raises(ValueError, match="must be 63 or more for this model"):
        colorizer_export.served(
            model, model_file.ModelInfo(), ColorizerOptions(32)
        )
    served = colorizer_export.served(
        model, model_file.ModelInfo(), ColorizerOptions(64)
    )
    predict = served.signatures[-1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least 63"):
        predict.function(tf.zeros([1, 56, 64, 1]))


def test_files_of_a_network_alone_have_a_smallest_size_too(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(export_onnx, "check_packages", lambda: None)
    path = models.save(_classifier_inside(), tmp_path / "model.keras", 64)
    for export in (export_litert.export_litert, export_onnx.export_onnx):
        with pytest.raises(ValueError, match="`image_size` must be 63 or more"):
            export(path, str(tmp_path / "out"), image_size=32)
    assert os.listdir(tmp_path) == ["model.keras"]


@pytest.mark.parametrize(
    ("kind", "extra", "message"),
    [
        (
            "ensemble, boxes",
            (np.zeros([1, 2, 4], "f"), np.zeros([1, 3], np.int32)),
            "come for each box",
        ),
        ("ensemble, given", (np.zeros([2, 3], "f"),), "for each picture"),
        ("ensemble, given", (np.full([1, 3], np.nan, "f"),), "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(kind, extra, message):
    build, size, _ = COLORIZERS[kind]
    served = colorizer_export.served(
        build(), model_file.ModelInfo(), ColorizerOptions(size)
    )
    rgb = np.zeros([1, 8, 8, 3], np.uint8)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served.signatures[1].function(*map(tf.constant, (rgb, *extra)))


# One for each set of inputs is enough for the slow way.
@pytest.mark.long
@pytest.mark.usefixtures("_fewer_pictures")
@pytest.mark.parametrize(
    "kind", ["siggraph_blend", "ddcolor", "ensemble", "instance_colorizer"]
)
def test_exports_of_every_kind_equal_python(kind, tmp_path):
    build, size, _ = COLORIZERS[kind]
    path = models.save(build(), tmp_path / "model.keras", size)
    export_model.export_saved_model(path, str(tmp_path / "1"), verify=True)
    folder = tmp_path / "1" / "assets.extra"
    requests = warm_up.read(str(folder / "tf_serving_warmup_requests"))
    assert len(requests) == 3


@pytest.mark.slow
def test_an_exported_classifier_equals_python(tmp_path):
    path = str(tmp_path / "model.keras")
    model = alexnet(num_classes=3, width=1 / 64)
    info = model_file.ModelInfo("alexnet", 64, class_names=NAMES)
    model_file.save(model, path, info)
    export_model.export_saved_model(path, str(tmp_path / "1"), verify=True)
    # What differs from Python is not left there.
    labels = (tmp_path / "1/assets/labels.txt").read_text()
    assert labels.splitlines() == list(NAMES)


def test_small_exports_say_what_they_are():
    folder = os.path.join(exported.saved_model(), "assets")
    assert "labels.txt" not in os.listdir(folder)
