import json

import numpy as np
import pytest

from tfcolor.boxes import box_files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "npz").mkdir()
    np.savez(tmp_path / "npz" / "a.jpg.npz", bbox=[[2, 1, 5, 7]])
    return tmp_path / "npz"


@pytest.fixture
def annotations(tmp_path):
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "bbox": [2, 1, 3, 6]}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    return tmp_path / "coco.json"


def test_folders_and_annotations_are_read_alike(folder, annotations):
    for path in (folder, annotations):
        boxes = box_files.open_boxes(str(path))
        found = boxes.load("photos/a.jpg", height=9, width=9)
        np.testing.assert_array_equal(found.boxes, [[1, 2, 7, 5]])
        assert found.scores == [1] and found.classes == [0]
        assert boxes.count(["photos/a.jpg", "photos/b.jpg"]) == 1


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        box_files.open_boxes(str(tmp_path / "missing"))


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ValueError, match=r"a\.json"):
        box_files.open_boxes(str(tmp_path / "a.json"))
