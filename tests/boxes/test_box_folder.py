import os

import numpy as np
import pytest
from PIL import Image

from tfcolor.boxes import box_folder
from tfcolor.boxes import box_naming
from tfcolor.boxes import picture_boxes

FOUND = picture_boxes.make([[1, 2, 8.9, 9], [3, 4, 5, 6]], [0.9, 0.8], [18, 1])


def _write(folder, name, found=FOUND, *, height=20, width=30):
    box_folder.write(str(folder / name), found, height=height, width=width)


def _savez(folder, name, **arrays):
    folder.mkdir(exist_ok=True)
    np.savez(folder / name, **arrays)


@pytest.mark.parametrize(
    ("picture", "by_path", "by_stem"),
    [
        ("a.jpg", "a.jpg.npz", "a.npz"),
        ("a.b.jpg", "a.b.jpg.npz", "a.npz"),
        ("trip.1/a.b.jpg", "trip.1/a.b.jpg.npz", "trip.1/a.npz"),
    ],
)
def test_file_names_by_either_rule(picture, by_path, by_stem):
    assert box_naming.file_name(picture) == by_path
    assert box_naming.file_name(picture, box_naming.BY_STEM) == by_stem


def test_what_is_written_is_read_again(tmp_path):
    _write(tmp_path, "trip/a.jpg.npz")
    boxes = box_folder.BoxFolder(str(tmp_path))
    found = boxes.load("somewhere/trip/a.jpg", height=20, width=30)
    np.testing.assert_array_equal(found.boxes, [[1, 2, 8, 9], [3, 4, 5, 6]])
    np.testing.assert_array_equal(found.scores, FOUND.scores)
    np.testing.assert_array_equal(found.classes, FOUND.classes)
    assert found.boxes.dtype == np.float32
    assert os.listdir(tmp_path / "trip") == ["a.jpg.npz"]


def test_the_file_is_what_instcolorization_reads(tmp_path):
    _write(tmp_path, "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file["bbox"].dtype == np.int32
        # x0, y0, x1, y1.
        np.testing.assert_array_equal(file["bbox"][0], [2, 1, 9, 8])
        best = np.argsort(file["scores"], axis=0)[-1:]
        np.testing.assert_array_equal(best, [0])
    _write(tmp_path, "none.npz", picture_boxes.none())
    with np.load(tmp_path / "none.npz") as file:
        assert file["bbox"].shape == (0, 4) and file["scores"].shape == (0,)


def test_files_of_instcolorization_are_read(tmp_path):
    bbox = np.array([[2.7, 1.2, 9.1, 8.8]], np.float32)
    _savez(tmp_path, "a.npz", bbox=bbox, scores=np.array([0.75], np.float32))
    boxes = box_folder.BoxFolder(str(tmp_path))
    for picture in ("a.jpg", "a.b.jpg"):
        found = boxes.load(picture, height=20, width=30)
        np.testing.assert_array_equal(found.boxes, bbox[:, [1, 0, 3, 2]])
        assert found.scores == [0.75] and found.classes == [0]


def test_boxes_without_scores_all_count(tmp_path):
    _savez(tmp_path, "a.npz", bbox=[[0, 1, 2, 3]])
    _savez(tmp_path, "b.npz", bbox=[])
    boxes = box_folder.BoxFolder(str(tmp_path))
    assert boxes.load("a.png", height=9, width=9).scores == [1]
    assert len(boxes.load("b.png", height=9, width=9)) == 0


def test_a_picture_without_a_file_has_no_boxes(tmp_path):
    _write(tmp_path, "a.jpg.npz")
    boxes = box_folder.BoxFolder(str(tmp_path))
    assert boxes.find("c.jpg") is None
    assert len(boxes.load("c.jpg", height=20, width=30)) == 0


def test_the_longest_matching_path_is_meant(tmp_path):
    _write(tmp_path, "a.jpg.npz")
    _write(tmp_path, "trip/a.jpg.npz")
    boxes = box_folder.BoxFolder(str(tmp_path))
    assert boxes.find("/photos/trip/a.jpg") == "trip/a.jpg.npz"
    assert boxes.find("/photos/other/a.jpg") == "a.jpg.npz"


def test_a_relative_path_is_found_below_the_folder_one_is_in(
    tmp_path, monkeypatch
):
    _write(tmp_path, "trip/a.jpg.npz")
    (tmp_path / "photos" / "trip").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "photos" / "trip")
    boxes = box_folder.BoxFolder(str(tmp_path))
    assert boxes.find("a.jpg") == "trip/a.jpg.npz"


def test_two_files_for_one_picture_are_refused(tmp_path):
    for name in ("a.jpg.npz", "a.npz"):
        _write(tmp_path, name)
    boxes = box_folder.BoxFolder(str(tmp_path))
    with pytest.raises(ValueError, match=r"one file .*a\.jpg\.npz.*a\.npz"):
        boxes.find("a.jpg")


def test_count_finds_pictures_that_share_a_file(tmp_path):
    _write(tmp_path, "a.npz")
    _write(tmp_path, "b.png.npz")
    boxes = box_folder.BoxFolder(str(tmp_path))
    assert boxes.count(["p/a.jpg", "p/b.png", "p/c.jpg", "p/b.png"]) == 2
    for pictures in (["a.b.jpg", "a.c.jpg"], ["b.png", "trip/b.png"]):
        with pytest.raises(ValueError, match="of its own") as error:
            boxes.count(pictures)
        assert all(picture in str(error.value) for picture in pictures)


def test_boxes_are_scaled_to_the_size_a_picture_was_decoded_at(tmp_path):
    _write(tmp_path, "a.jpg.npz", height=20, width=30)
    boxes = box_folder.BoxFolder(str(tmp_path))
    found = boxes.load("a.jpg", height=10, width=60)
    np.testing.assert_array_equal(found.boxes[0], [0.5, 4, 4, 18])


@pytest.mark.parametrize("orientation", [1, 6])
def test_without_a_size_the_one_of_the_upright_file_counts(
    tmp_path, orientation
):
    _savez(tmp_path / "boxes", "a.npz", bbox=[[4, 2, 8, 6]], scores=[0.9])
    exif = Image.Exif()
    exif[274] = orientation
    size = (30, 20) if orientation == 1 else (20, 30)
    picture = str(tmp_path / "a.jpg")
    Image.new("RGB", size).save(picture, exif=exif)
    boxes = box_folder.BoxFolder(str(tmp_path / "boxes"))
    found = boxes.load(picture, height=20, width=30)
    np.testing.assert_array_equal(found.boxes, [[2, 4, 6, 8]])
    found = boxes.load(picture, height=10, width=15)
    np.testing.assert_array_equal(found.boxes, [[1, 2, 3, 4]])


@pytest.mark.parametrize(
    "arrays",
    [
        {"boxes": [[1, 2, 3, 4]]},
        {"bbox": [[1, 2, 3]]},
        {"bbox": [[1, 2, 3, 4]], "scores": [0.5, 0.5]},
        {"bbox": [[1, 2, 3, np.nan]]},
        {"bbox": [[1, 2, 3, 4]], "picture_size": [0, 5]},
        {"bbox": [[1, 2, 3, 4]], "picture_size": [30, 20]},
        {"bbox": np.array([["a", "b", "c", "d"]])},
        {"bbox": np.array([[{}] * 4])},
    ],
)
def test_a_file_with_wrong_arrays_is_named(tmp_path, arrays):
    _savez(tmp_path, "a.npz", **arrays)
    boxes = box_folder.BoxFolder(str(tmp_path))
    with pytest.raises(ValueError, match=r"a\.npz cannot be used"):
        boxes.load("a.jpg", height=20, width=30)


@pytest.mark.parametrize("keep", [0, 10, 100, -10])
def test_a_damaged_file_is_named(tmp_path, keep):
    _write(tmp_path, "a.npz")
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[:keep])
    boxes = box_folder.BoxFolder(str(tmp_path))
    with pytest.raises(ValueError, match=r"a\.npz cannot be used"):
        boxes.load("a.jpg", height=20, width=30)


def test_a_folder_without_boxes_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="npz"):
        box_folder.BoxFolder(str(tmp_path))
