"""A real Mask R-CNN of TensorFlow's Model Garden, small, with random weights.

pip install -e '.[detect]' pytest && python -m pytest -m detect
"""

import argparse
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests import drawn
from tfcolor.boxes import box_files
from tfcolor.cli import detect
from tfcolor.data import sample_pictures
from tfcolor.detection import detector
from tfcolor.detection import signatures
from tfcolor.pictures import decode

pytestmark = pytest.mark.detect

_SIDE = 128
# A Mask R-CNN in every part, but narrow and shallow. Random weights score
# hardly above nothing, so nothing is left out.
_OVERRIDES = {
    "task.model.backbone.resnet.model_id": 10,
    "task.model.decoder.fpn.num_filters": 16,
    "task.model.rpn_head.num_filters": 16,
    "task.model.detection_head.num_convs": 1,
    "task.model.detection_head.num_filters": 16,
    "task.model.detection_head.fc_dims": 32,
    "task.model.mask_head.num_convs": 1,
    "task.model.mask_head.num_filters": 16,
    "task.model.roi_generator.test_num_proposals": 60,
    "task.model.detection_generator.pre_nms_score_threshold": 0.0,
    "task.model.detection_generator.nms_version": "batched",
}
# Real photos, by the names that they get: wide, tall and square parts of them.
_PHOTOS = {
    "wide.png": ("cow.jpg", (300, 500)),
    "trip/tall.jpg": ("windmill.jpg", (240, 100)),
    "c.png": ("astronaut.jpg", (128, 128)),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The command of docs/detection.md, without a checkpoint."""
    folder = tmp_path_factory.mktemp("mask_rcnn")
    overrides = ",".join(f"{k}={v}" for k, v in _OVERRIDES.items())
    command = [
        sys.executable,
        "-m",
        "official.vision.serving.export_saved_model",
        "--experiment=maskrcnn_resnetfpn_coco",
        "--batch_size=1",
        f"--input_image_size={_SIDE},{_SIDE}",
        f"--params_override={overrides}",
        f"--export_dir={folder}",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return str(folder)


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    samples = {os.path.basename(p): p for p in sample_pictures.paths()}
    for name, (sample, (height, width)) in _PHOTOS.items():
        with open(samples[sample], "rb") as file:
            rgb = decode.decode_rgb(file.read())
        drawn.write(str(folder / name), rgb[-height:, -width:])
    return folder


def _run(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    detect.add_parser(parser.add_subparsers())
    return detect.run(parser.parse_args(["detect", *arguments]))


def _answer(exported, path):
    """Boxes of a picture, by the signature alone; yxyx, best first."""
    rgb = decode.decode_rgb(path.read_bytes())
    height, width = rgb.shape[:2]
    loaded = tf.saved_model.load(os.path.join(exported, "saved_model"))
    seen = detector.stacked_L(rgb)[None]
    outputs = loaded.signatures["serving_default"](inputs=seen)
    # The longer side fills the network's picture, the rest is padding.
    boxes = outputs["detection_boxes"][0] * max(height, width) / _SIDE
    boxes = np.minimum(boxes, [height, width, height, width])
    return boxes, outputs["detection_scores"][0].numpy()


def test_the_export_is_recognized(exported):
    _, signature = signatures.load_signature(exported)
    assert signatures.recognize(signature) == signatures.Convention(
        signatures.MODEL_GARDEN, "inputs", 1, False
    )
    assert "detection_masks" in signature.structured_outputs


def test_detect_writes_the_boxes_of_a_real_mask_rcnn(exported, album, tmp_path):
    arguments = [str(album), f"--detector={exported}", f"--output={tmp_path}"]
    options = ["--score_threshold=0", "--max_boxes=5", "--draw"]
    assert _run(*arguments, *options) == 0
    boxes = box_files.open_boxes(str(tmp_path))
    for name, (_, (height, width)) in _PHOTOS.items():
        found = boxes.load(str(album / name), height=height, width=width)
        assert len(found) == 5
        assert (found.boxes[:, :2] >= 0).all()
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
        assert (found.boxes[:, 2:] <= [height, width]).all()
        assert (np.diff(found.scores) <= 0).all()
        wanted, scores = _answer(exported, album / name)
        for box, score in zip(found.boxes, found.scores, strict=True):
            same = np.abs(scores - score) < 1e-6
            error = np.abs(wanted[same] - box).max(axis=1).min()
            # Cut to whole pixels; the network's picture is rounded to some.
            assert error < 2
        assert (tmp_path / f"{name}.boxes.jpg").exists()


def test_with_the_usual_threshold_random_weights_find_nothing(
    exported, album, tmp_path
):
    arguments = [str(album), f"--detector={exported}", f"--output={tmp_path}"]
    assert _run(*arguments) == 0
    boxes = box_files.open_boxes(str(tmp_path))
    assert boxes.count(str(album / name) for name in _PHOTOS) == 3
    assert len(boxes.load(str(album / "c.png"), height=128, width=128)) == 0
