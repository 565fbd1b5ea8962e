import json

import numpy as np
import pytest

from tfcolor.boxes import coco_boxes
from tfcolor.boxes import picture_boxes
from tfcolor.boxes.coco_writer import CocoWriter

CONTENT = {
    "images": [
        {"id": 7, "file_name": "a.jpg", "width": 60, "height": 40},
        {"id": 3, "file_name": "trip/b.jpg", "width": 60, "height": 40},
        {"id": 9, "file_name": "c.jpg"},
    ],
    "annotations": [
        {"image_id": 3, "bbox": [4, 2, 10.5, 6], "category_id": 18},
        {"image_id": 7, "bbox": [1, 2, 3, 4], "score": 0.5},
        {"image_id": 3, "bbox": [0, 0, 60, 40], "iscrowd": 1},
        {"image_id": 3, "bbox": [0, 0, 5, 5], "iscrowd": 0, "category_id": 2},
    ],
}


def _open(tmp_path, content=CONTENT):
    path = tmp_path / "instances.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return coco_boxes.CocoBoxes(str(path))


def test_boxes_come_as_corners_without_crowds(tmp_path):
    boxes = _open(tmp_path)
    found = boxes.load("photos/trip/b.jpg", height=40, width=60)
    np.testing.assert_array_equal(found.boxes, [[2, 4, 8, 14.5], [0, 0, 5, 5]])
    np.testing.assert_array_equal(found.scores, [1, 1])
    np.testing.assert_array_equal(found.classes, [18, 2])
    found = boxes.load("a.jpg", height=40, width=60)
    assert found.scores == [0.5] and found.classes == [0]


def test_boxes_are_scaled_where_the_picture_is_of_another_size(tmp_path):
    boxes = _open(tmp_path)
    found = boxes.load("a.jpg", height=80, width=30)
    np.testing.assert_array_equal(found.boxes, [[4, 0.5, 12, 2]])


def test_boxes_of_a_picture_on_its_side_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\.jpg in .*instances\.json"):
        _open(tmp_path).load("a.jpg", height=60, width=40)


@pytest.mark.parametrize("picture", ["c.jpg", "unknown.jpg", "b.jpg"])
def test_a_picture_without_annotations_has_no_boxes(tmp_path, picture):
    assert len(_open(tmp_path).load(picture, height=9, width=9)) == 0


def test_count_finds_pictures_that_share_an_entry(tmp_path):
    boxes = _open(tmp_path)
    assert boxes.count(["x/a.jpg", "x/trip/b.jpg", "x/d.jpg"]) == 2
    with pytest.raises(ValueError, match="of its own"):
        boxes.count(["x/a.jpg", "y/a.jpg"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("{", "Expecting"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4]}], "list"),
        ({"images": []}, "'annotations' is missing"),
        ({"images": [{"id": 1}], "annotations": []}, "'file_name' is missing"),
        ({**CONTENT, "images": CONTENT["images"] * 2}, "there twice"),
        ({**CONTENT, "images": CONTENT["images"][:1]}, "no picture has the id"),
        (
            {**CONTENT, "annotations": [{"image_id": 3, "bbox": [1, 2, 3]}]},
            "not enough values",
        ),
        (
            {**CONTENT, "annotations": [{"image_id": 3, "bbox": ["?"] * 4}]},
            "instances.json",
        ),
    ],
)
def test_what_is_no_annotation_file_is_named(tmp_path, content, reason):
    with pytest.raises(ValueError, match="COCO annotations") as error:
        _open(tmp_path, content)
    assert reason in str(error.value)
    assert "instances.json" in str(error.value)


def _written(path):
    writer = CocoWriter(str(path), {18: "dog"})
    found = picture_boxes.make(
        [[1, 2, 8, 9], [0, 0, 3, 3]], [0.9, 0.8], [18, 4]
    )
    writer.add("trip/a.jpg", found, height=20, width=30)
    writer.add("none.jpg", picture_boxes.none(), height=5, width=6)
    writer.write()
    return found


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "out" / "boxes.json"
    wanted = _written(path)
    boxes = coco_boxes.CocoBoxes(str(path))
    found = boxes.load("photos/trip/a.jpg", height=20, width=30)
    np.testing.assert_array_equal(found.boxes, wanted.boxes)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-6)
    np.testing.assert_array_equal(found.classes, wanted.classes)
    assert boxes.find("none.jpg") == "none.jpg"
    assert len(boxes.load("none.jpg", height=5, width=6)) == 0


def test_what_is_written_has_the_keys_of_coco(tmp_path):
    _written(tmp_path / "boxes.json")
    content = json.loads((tmp_path / "boxes.json").read_text())
    assert content["images"][0] == {
        "id": 1,
        "file_name": "trip/a.jpg",
        "height": 20,
        "width": 30,
    }
    assert content["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": 18,
        "bbox": [2, 1, 7, 7],
        "area": 49,
        "iscrowd": 0,
        "score": 0.9,
    }
    assert content["categories"] == [
        {"id": 4, "name": "class 4"},
        {"id": 18, "name": "dog"},
    ]


def test_writing_goes_on_where_an_earlier_run_stopped(tmp_path):
    path = tmp_path / "boxes.json"
    _written(path)
    writer = CocoWriter(str(path), {})
    assert writer.resume() == {"trip/a.jpg", "none.jpg"}
    new = picture_boxes.make([[0, 0, 1, 1]], [0.7], [1])
    writer.add("b.jpg", new, height=4, width=4)
    writer.add("none.jpg", new, height=5, width=6)
    writer.write()
    boxes = coco_boxes.CocoBoxes(str(path))
    counts = {
        name: len(boxes.load(name, height=20, width=30))
        for name in ("trip/a.jpg", "none.jpg", "b.jpg")
    }
    assert counts == {"trip/a.jpg": 2, "none.jpg": 1, "b.jpg": 1}


def test_annotations_of_others_are_not_gone_on_with(tmp_path):
    boxes = _open(tmp_path)
    with pytest.raises(ValueError, match="tfcolor detect"):
        CocoWriter(boxes.path, {}).resume()


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path):
    path = tmp_path / "boxes.json"
    text = '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}'
    path.write_text(text, encoding="utf-8-sig")
    assert list(coco_boxes.read(str(path))[0]) == ["a.jpg"]
