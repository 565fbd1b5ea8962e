import numpy as np
import pytest

from tests.evaluation import synthetic
from tfcolor.boxes import picture_boxes
from tfcolor.evaluation.methods import crops
from tfcolor.evaluation.methods import list_truth


@pytest.fixture
def photos(tmp_path):
    for name in ("b.jpg", "sub/a.png", "sub/deep/c.webp", "notes.txt"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "photos"


def test_names_are_relative_to_the_folder(photos):
    pictures = list_truth(str(photos))
    assert [p.name for p in pictures] == [
        "b.jpg",
        "sub/a.png",
        "sub/deep/c.webp",
    ]
    assert [p.index for p in pictures] == [0, 1, 2]


def test_names_of_a_glob_start_after_its_fixed_part(photos):
    pictures = list_truth(str(photos / "sub" / "**" / "*"))
    assert [p.name for p in pictures] == ["a.png", "deep/c.webp"]


def test_a_file_is_named_by_itself(photos):
    (picture,) = list_truth(str(photos / "sub" / "a.png"))
    assert picture.name == "a.png"


def test_a_picture_given_twice_counts_once(photos):
    pictures = list_truth(str(photos / "b.jpg"), str(photos))
    assert [p.name for p in pictures] == [
        "b.jpg",
        "sub/a.png",
        "sub/deep/c.webp",
    ]


def test_limit_keeps_the_first(photos):
    assert [p.name for p in list_truth(str(photos), limit=1)] == ["b.jpg"]
    with pytest.raises(ValueError, match="limit=0"):
        list_truth(str(photos), limit=0)


def test_pictures_of_the_report_are_not_truth(photos):
    pictures = list_truth(str(photos), outside=str(photos / "sub" / "deep"))
    assert [p.name for p in pictures] == ["b.jpg", "sub/a.png"]
    with pytest.raises(FileNotFoundError, match="outside the report"):
        list_truth(str(photos / "sub"), outside=str(photos / "sub"))


def test_a_pattern_without_pictures_is_an_error(photos):
    with pytest.raises(FileNotFoundError, match="nothing"):
        list_truth(str(photos), str(photos / "nothing"))


def test_each_box_becomes_a_picture_of_its_own(tmp_path):
    rgb = synthetic.picture(0)
    synthetic.save(tmp_path / "a.png", rgb)
    synthetic.save(tmp_path / "b.png", rgb)
    (tmp_path / "c.png").write_text("no picture")

    def find_boxes(path, pixels):
        assert pixels.shape == rgb.shape
        boxes = [[2, 3, 10, 20], [0, 0, 5, 5]] if path.endswith("a.png") else []
        return picture_boxes.make(boxes)

    parts = crops(list_truth(str(tmp_path)), find_boxes)
    assert [(part.index, part.name, part.box) for part in parts] == [
        (0, "a.png (2, 3, 10, 20)", (2, 3, 10, 20)),
        (1, "a.png (0, 0, 5, 5)", (0, 0, 5, 5)),
        (2, "c.png", None),
    ]
    np.testing.assert_array_equal(parts[0].read(), rgb[2:10, 3:20])
    with pytest.raises(ValueError, match="Received: 1 without any"):
        crops(list_truth(str(tmp_path / "b.png")), find_boxes)
