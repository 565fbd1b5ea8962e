import functools

import numpy as np
import pytest
from absl.testing import flagsaver

from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from tfcolor.weights import shipped
from tfcolor.weights import shipped_files
from trainers import ship_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = str(tmp_path / "models")
    monkeypatch.setattr(shipped_files, "FOLDER", path)
    monkeypatch.setattr(
        shipped, "write", functools.partial(shipped.write, folder=path)
    )
    return path


def _flags(tmp_path, **options):
    path = str(tmp_path / "model.keras")
    model = siggraph(width=1 / 32)
    model_file.save(model, path, model_file.ModelInfo("siggraph", 48))
    values = {"initial_weights": path, "name": "tiny", "description": "small"}
    return model, flagsaver.as_parsed(**values | options)


def test_a_trained_model_becomes_a_shipped_one(tmp_path, folder):
    trained, flags = _flags(tmp_path, width="0.03125")
    with flags:
        ship_model.main(["ship_model"])
    model, info = shipped.load("tiny")
    assert info == model_file.ModelInfo("siggraph_blend", 48, "small")
    values = {weight.path: weight for weight in trained.weights}
    assert len(model.weights) == len(values)
    for weight in model.weights:
        np.testing.assert_allclose(
            weight, values[weight.path], rtol=1e-3, atol=1e-6
        )


def test_flags_of_another_network_are_refused(tmp_path, folder):
    _, flags = _flags(tmp_path, width="0.0625")
    with (
        flags,
        pytest.raises(
            ValueError, match="set --width=0.03125. Received: --width=0.0625"
        ),
    ):
        ship_model.main(["ship_model"])
    assert shipped.names() == []


@pytest.mark.slow
def test_a_colorizer_on_an_encoder_ships_with_its_styles(tmp_path, folder):
    path = str(tmp_path / "model.keras")
    model_file.save(
        efficientnet_unet(),
        path,
        model_file.ModelInfo("efficientnet_unet", 96),
    )
    values = {"initial_weights": path, "name": "tiny", "class_share": "0.3"}
    values |= {"vivid": "0.9,0.5,1.2", "upsampling": "guided"}
    with flagsaver.as_parsed(**values):
        ship_model.main(["ship_model"])
    model, info = shipped.load("tiny", style="vivid")
    assert info.architecture == "efficientnet_unet_blend"
    assert (info.image_size, info.upsampling) == (96, "guided")
    shares = [model.get_layer("class_share").scale, 0.9 * 1.2]
    np.testing.assert_allclose(*shares)


def test_styles_need_three_numbers(tmp_path, folder):
    _, flags = _flags(tmp_path, width="0.03125", vivid="0.9,0.5")
    with flags, pytest.raises(ValueError, match="--vivid must be class_share"):
        ship_model.main(["ship_model"])
