import cv2
import numpy as np
import pytest
import tensorflow as tf

from tests.detection import squares
from tests.detection import tiny_detectors
from tfcolor.detection import detector

BOX = [11, 40, 52, 83]
RGB = squares.picture(67, 101, BOX)
# What sticks out is clipped, and what is below the threshold dropped.
WANTED = [BOX, [11, 40, 67, 101]]


def _make(kind, path, **options):
    make = getattr(tiny_detectors, kind)
    return make(path, **options)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("model_garden", {}),
        ("model_garden", {"size": (640, 512)}),
        ("model_garden", {"encoded": True, "batch_size": None}),
        ("object_detection_api", {}),
    ],
)
def test_boxes_come_in_pixels_of_the_picture(tmp_path, kind, options):
    path = _make(kind, tmp_path / "detector", **options)
    found = detector.Detector(path).detect(RGB)
    np.testing.assert_array_equal(found.boxes, WANTED)
    np.testing.assert_allclose(found.scores, [0.9, 0.8])
    np.testing.assert_array_equal(found.classes, [18, 1])


def test_threshold_and_number_of_boxes_are_options(tmp_path):
    path = tiny_detectors.object_detection_api(tmp_path / "detector")
    found = detector.Detector(path, score_threshold=0.6).detect(RGB)
    np.testing.assert_array_equal(found.boxes, [*WANTED, [0, 0, 67, 101]])
    found = detector.Detector(path, max_boxes=1).detect(RGB)
    np.testing.assert_array_equal(found.boxes, WANTED[:1])
    found = detector.Detector(path, score_threshold=0.95).detect(RGB)
    assert found.boxes.shape == (0, 4)


def test_nothing_found_is_no_box(tmp_path):
    path = tiny_detectors.model_garden(tmp_path / "detector")
    found = detector.Detector(path).detect(squares.picture(30, 20))
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,)


def test_the_detector_sees_L_unless_told_otherwise(tmp_path):
    # Yellow is bright in L, but not in all of red, green and blue.
    rgb = squares.picture(40, 60)
    rgb[5:9, 20:30] = [255, 255, 0]
    path = tiny_detectors.object_detection_api(tmp_path / "detector")
    found = detector.Detector(path).detect(rgb)
    np.testing.assert_array_equal(found.boxes[0], [5, 20, 9, 30])
    found = detector.Detector(path, detector_input="rgb").detect(rgb)
    assert len(found) == 0


@pytest.mark.parametrize("batch_size", [1, 2, None])
def test_any_number_of_pictures_goes_through_any_batch_size(
    tmp_path, batch_size
):
    path = tiny_detectors.model_garden(
        tmp_path / "detector", batch_size=batch_size
    )
    boxes = [[i, 2 * i, 20 + i, 30 + i] for i in range(5)]
    pictures = [squares.picture(40, 60, box) for box in boxes]
    found = detector.Detector(path).detect_batch(pictures)
    np.testing.assert_array_equal([f.boxes[0] for f in found], boxes)


def test_pictures_of_two_sizes_are_refused(tmp_path):
    path = tiny_detectors.model_garden(tmp_path / "detector", batch_size=None)
    pictures = [squares.picture(40, 60), squares.picture(60, 40)]
    with pytest.raises(ValueError, match="one size"):
        detector.Detector(path).detect_batch(pictures)


def test_the_offset_of_a_model_garden_detector_counts(tmp_path):
    def serve(inputs):
        return {
            "detection_boxes": tf.constant([[[10.0, 20, 30, 40]]]),
            "detection_scores": tf.constant([[0.9]]),
            "detection_classes": tf.constant([[1]]),
            "num_detections": tf.constant([1]),
            # Scaled by .5 and 2, then cropped by 2 and 4.
            "image_info": tf.constant(
                [[[80.0, 60], [40, 120], [0.5, 2], [2, 4]]]
            ),
        }

    spec = tf.TensorSpec([1, None, None, 3], tf.uint8, "inputs")
    path = tiny_detectors.save(tf.Module(), serve, spec, tmp_path / "detector")
    found = detector.Detector(path).detect(squares.picture(80, 60))
    np.testing.assert_array_equal(found.boxes, [[24, 12, 64, 22]])


@pytest.mark.parametrize(
    "option",
    [
        {"score_threshold": 1.5},
        {"score_threshold": float("nan")},
        {"max_boxes": 0},
        {"detector_input": "Lab"},
    ],
)
def test_wrong_options_are_refused_before_anything_is_loaded(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        detector.Detector("missing", **option)


def test_stacked_L_is_the_8_bit_L_of_opencv_three_times():
    rgb = np.random.default_rng(0).integers(0, 256, [64, 50, 3], np.uint8)
    stacked = detector.stacked_L(rgb).numpy()
    assert stacked.dtype == np.uint8
    L = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., :1].astype(int)
    assert np.abs(stacked.astype(int) - L).max() <= 1
    assert (stacked == L).mean() > 0.8


def test_stacked_L_goes_from_0_to_255():
    rgb = np.array([[[0, 0, 0], [255, 255, 255], [119, 119, 119]]], np.uint8)
    stacked = detector.stacked_L(rgb).numpy()
    # Grey 119 has L 50.03.
    np.testing.assert_array_equal(stacked[0, :, 0], [0, 255, 128])
    np.testing.assert_array_equal(stacked[..., 0], stacked[..., 2])
