import json
import types

import numpy as np
import pytest

from tests.detection import squares
from tests.detection import tiny_detectors
from tfcolor.boxes import box_folder
from tfcolor.boxes import picture_boxes
from tfcolor.inference import box_finder

_PIXELS = np.zeros((40, 60, 1), np.uint8)


@pytest.fixture
def folder(tmp_path):
    found = picture_boxes.make(
        [[1, 2, 11, 12], [5, 5, 30, 50], [99, 0, 120, 9]],
        [0.7, 0.9, 0.8],
    )
    path = tmp_path / "boxes"
    box_folder.write(f"{path}/a.jpg.npz", found, height=40, width=60)
    return str(path)


def test_files_give_the_best_boxes_inside_the_picture(folder):
    find = box_finder.open_finder(folder)
    np.testing.assert_array_equal(
        find("album/a.jpg", _PIXELS).boxes, [[5, 5, 30, 50], [1, 2, 11, 12]]
    )
    best = box_finder.open_finder(folder, max_boxes=1)
    assert len(best("album/a.jpg", _PIXELS)) == 1
    assert len(find("album/b.jpg", _PIXELS)) == 0


def test_boxes_follow_a_picture_of_another_size(folder):
    find = box_finder.open_finder(folder)
    half = find("a.jpg", _PIXELS[::2, ::2])
    np.testing.assert_array_equal(half.boxes[0], [2, 2, 15, 25])


def test_coco_annotations_are_read(tmp_path):
    path = tmp_path / "boxes.json"
    image = {"id": 1, "file_name": "a.jpg", "height": 40, "width": 60}
    row = {"image_id": 1, "bbox": [2, 1, 10, 10], "category_id": 18}
    path.write_text(json.dumps({"images": [image], "annotations": [row]}))
    found = box_finder.open_finder(str(path))("a.jpg", _PIXELS)
    np.testing.assert_array_equal(found.boxes, [[1, 2, 11, 12]])
    assert found.classes.tolist() == [18]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_detector_looks_at_the_pixels(tmp_path, dtype, channels):
    path = tiny_detectors.object_detection_api(tmp_path / "detector")
    picture = squares.picture(60, 80, box=(10, 20, 30, 50))[..., :channels]
    pixels = picture.astype(dtype) * (np.iinfo(dtype).max // 255)
    found = box_finder.open_finder(path)("a.jpg", pixels)
    np.testing.assert_allclose(found.boxes[0], [10, 20, 30, 50], atol=2)


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received"):
        box_finder.open_finder(str(tmp_path / "none"))


def test_max_boxes_must_be_positive(folder):
    with pytest.raises(ValueError, match="Received: max_boxes=0"):
        box_finder.open_finder(folder, max_boxes=0)


def test_two_pictures_must_not_share_boxes(folder):
    with pytest.raises(ValueError, match="boxes of its own"):
        box_finder.open_finder(folder, pictures=["x/a.jpg", "y/a.jpg"])


def test_boxes_are_opened_for_a_model_that_takes_them(folder):
    colorizer = types.SimpleNamespace(takes_boxes=True)
    find = box_finder.open_for(colorizer, folder, max_boxes=1)
    assert len(find("a.jpg", _PIXELS)) == 1
    colorizer.takes_boxes = False
    with pytest.raises(ValueError, match="takes boxes. Received: boxes='/"):
        box_finder.open_for(colorizer, folder)
