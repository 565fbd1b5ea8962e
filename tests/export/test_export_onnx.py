import importlib.util
import os

import keras
import numpy as np
import pytest

from tests.export import exported
from tests.inference import models
from tests.inference.test_classifier import write_model
from tfcolor.export import export_onnx
from tfcolor.export.verification import VerificationError
from tfcolor.models.blend import siggraph_blend
from tfcolor.models.ddcolor import ddcolor
from tfcolor.models.eccv16 import eccv16
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.resnet_colorizer import resnet_colorizer
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(p) is None for p in export_onnx.PACKAGES),
    reason="needs the extra [onnx]",
)
NETWORKS = {
    "ddcolor": lambda: ddcolor(
        encoder="tiny", width=1 / 32, queries=5, decoder_blocks=3
    ),
    "siggraph_blend": lambda: siggraph_blend(width=1 / 16, mirrored=True),
    "eccv16": lambda: eccv16(width=1 / 16),
    "efficientnet_unet": efficientnet_unet,
    "resnet_colorizer": lambda: resnet_colorizer(width=1 / 16),
    "siggraph17": lambda: siggraph(width=1 / 16, mask_center=0.0),
    "class-conditional": models.class_conditional_model,
}
# To convert.
SLOW = ("ddcolor", "efficientnet_unet")


def _lively(model):
    """Gives a network weights under which its colors differ."""
    for weight in model.weights:
        if weight.path.rpartition("/")[2] in ("kernel", "scale"):
            fan_in = max(1, np.prod(weight.shape[:-1]))
            rng = np.random.default_rng(len(weight.path))
            weight.assign(rng.normal(0, (2 / fan_in) ** 0.5, weight.shape))
    return model


def _session(path):
    import onnxruntime

    return onnxruntime.InferenceSession(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] * (name in SLOW))
        for name in NETWORKS
    ],
)
def test_files_take_pictures_of_other_sizes_and_equal_keras(name, tmp_path):
    model = _lively(NETWORKS[name]())
    info = model_file.ModelInfo(name, 64, "a test")
    path = str(tmp_path / f"{name}.keras")
    model_file.save(model, path, info)
    output = tmp_path / "out"
    export_onnx.export_onnx(path, str(output))
    assert set(os.listdir(output)) == {"model_card.md", f"{name}.onnx"}
    session = _session(output / f"{name}.onnx")
    inputs = export_onnx.random_inputs(model, 3, 32, 96)
    assert {x.name for x in session.get_inputs()} == set(model.input)
    (found,) = session.run(["ab"], inputs)
    expected = np.asarray(model(inputs)["ab"])
    assert found.shape == (3, 32, 96, 2) and expected.std() > 1e-2
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    card = (output / "model_card.md").read_text()
    assert "a test" in card and "| input | `L` float32 [?, ?, ?, 1] |" in card


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ("L", "`hints` and `mask` must be 0"),
        ("L_ab", "`hints` must be the picture's own ab, CIELAB, and `mask` 1"),
    ],
)
def test_a_classifier_becomes_a_file_too(inputs, told, tmp_path):
    source = str(tmp_path / "fruits.keras")
    write_model(source, inputs=inputs, class_names=("apple", "pear", "plum"))
    export_onnx.export_onnx(source, str(tmp_path / "out"))
    session = _session(tmp_path / "out" / "fruits.onnx")
    assert "logits" in [x.name for x in session.get_outputs()]
    labels = (tmp_path / "out" / "labels.txt").read_text()
    assert labels.splitlines() == ["apple", "pear", "plum"]
    card = (tmp_path / "out" / "model_card.md").read_text()
    assert "classes are guesses" in card and "colors are" not in card
    assert f"- trained on {'color' if inputs == 'L_ab' else 'light'}" in card
    assert told in card


def test_models_with_boxes_are_refused(tmp_path):
    path = exported.model_file(models.counting_model)
    with pytest.raises(ValueError, match="without boxes.*which takes .*boxes"):
        export_onnx.export_onnx(path, str(tmp_path / "out"))
    assert not os.listdir(tmp_path)


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "tf2onnx" else find_spec(name),
    )
    with pytest.raises(ImportError, match=r"extra \[onnx\].*no tf2onnx"):
        export_onnx.export_onnx(None, str(tmp_path / "out"))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda L: L * 0 + np.float32([1, 2]), "apart"),
        (lambda L: L * np.float32([np.nan] * 2), "nan apart"),
        (lambda L: (L * 0 + np.float32([1, 2]))[:, :1], "shape"),
    ],
)
def test_a_file_that_differs_is_not_kept(
    answer, message, tmp_path, monkeypatch
):
    convert = export_onnx.convert

    def wrong(model, path, *, image_size):
        convert(model, path, image_size=image_size)
        inputs = keras.Input((None, None, 1), name="L")
        return keras.Model({"L": inputs}, {"ab": answer(inputs)})

    monkeypatch.setattr(export_onnx, "convert", wrong)
    path = exported.model_file(models.alone_model)
    with pytest.raises(VerificationError, match=message):
        export_onnx.export_onnx(path, str(tmp_path / "out"))
    assert not os.listdir(tmp_path)
