import numpy as np
import pytest
from absl.testing import flagsaver

from tests import drawn
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.weights import efficientnet_files
from tfcolor.weights import model_file
from trainers import train_efficientnet_unet

FLAGS = {
    "frozen_blocks": "5",
    "image_size": "32",
    "load_size": "48",
    "min_area": "0.5",
    "aged_share": "0.5",
    "batch_size": "4",
    "epochs": "1",
    "class_weight": "0.4",
    "rebalance": "0.85",
}


def _run(folder, **more):
    images = drawn.write_album(folder / "images", 8, kind="jpg")
    options = FLAGS | {
        "images": images,
        "validation_images": images,
        "workdir": str(folder / "workdir"),
    }
    with flagsaver.as_parsed(**options | more):
        train_efficientnet_unet.main(["train_efficientnet_unet"])
    return str(folder / "workdir" / "model.keras")


@pytest.mark.long
def test_a_stage_starts_from_the_model_of_the_stage_before(tmp_path):
    start = str(tmp_path / "start.keras")
    before = efficientnet_unet()
    info = model_file.ModelInfo("efficientnet_unet", 32)
    model_file.save(before, start, info)
    path = _run(tmp_path, initial_weights=start)
    after, info = model_file.load(path)
    assert info.architecture == "efficientnet_unet"
    changed = {
        weight.path.split("/")[0]
        for weight, other in zip(after.weights, before.weights, strict=True)
        if not np.array_equal(weight, other)
    }
    assert "block4_project" not in changed
    assert {"block15_project", "decoder16_conv1", "ab_logits"} <= changed
    rgb = Colorizer(path).colorize(drawn.colored(0, 50, 70))
    assert rgb.shape == (50, 70, 3)


def test_without_the_encoders_package_a_first_stage_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(efficientnet_files, "find", lambda variant: None)
    with pytest.raises(FileNotFoundError, match=r"extra \[pretrained\]"):
        _run(tmp_path)


def test_a_picture_that_is_too_small_is_said_before_anything_is_made(tmp_path):
    with pytest.raises(ValueError, match="32 or a multiple.*image_size=40"):
        _run(tmp_path, image_size="40")
    assert not (tmp_path / "workdir").exists()
