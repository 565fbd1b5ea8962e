import os

import pytest

from tfcolor.boxes import box_naming
from tfcolor.detection import output_paths


@pytest.fixture
def album(tmp_path, monkeypatch):
    for name in ("a.b.jpg", "a.c.jpg", "trip/d.jpg", "trip/d.jpg.boxes.jpg"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)


def test_every_picture_has_a_file_of_its_own(album):
    jobs = output_paths.plan(["album"], "out", draw=True)
    assert [job.name for job in jobs] == ["a.b.jpg", "a.c.jpg", "trip/d.jpg"]
    assert [job.boxes for job in jobs] == [
        "out/a.b.jpg.npz",
        "out/a.c.jpg.npz",
        "out/trip/d.jpg.npz",
    ]
    assert jobs[2].drawing == "out/trip/d.jpg.boxes.jpg"


def test_stems_that_collide_are_refused(album):
    with pytest.raises(ValueError, match=r"a\.b\.jpg.*a\.c\.jpg.*a\.npz"):
        output_paths.plan(["album"], "out", naming=box_naming.BY_STEM)
    (job,) = output_paths.plan(["album/trip"], "o", naming=box_naming.BY_STEM)
    assert job.boxes == "o/d.npz"


def test_file_names_that_collide_are_refused_in_either_format(album):
    os.makedirs("other")
    with open("other/d.jpg", "wb"):
        inputs = ["album/trip/d.jpg", "other/d.jpg"]
    for kind in output_paths.FORMATS:
        with pytest.raises(ValueError, match="of its own"):
            output_paths.plan(inputs, "out", format=kind)


def test_the_folder_searched_may_be_the_output(album):
    jobs = output_paths.plan(["album/trip"], "album/trip", draw=True)
    assert [job.boxes for job in jobs] == ["album/trip/d.jpg.npz"]
    jobs = output_paths.plan(["album"], "boxes.json", format="coco")
    assert len(jobs) == 3 and {job.boxes for job in jobs} == {None}


def test_one_json_is_the_output_or_lies_in_it():
    assert output_paths.json_path("x/all.JSON") == "x/all.JSON"
    assert output_paths.json_path("x") == os.path.join("x", "boxes.json")


def test_the_output_folder_is_made(album):
    for output, kind in (("x/npz", "npz"), ("x/c/all.json", "coco")):
        output_paths.make_folder(output, format=kind)
    assert os.path.isdir("x/npz") and os.listdir("x/c") == []


def test_a_file_is_no_output_folder(album):
    for output, kind in (
        ("album/a.b.jpg", "npz"),
        ("album/a.b.jpg/x", "coco"),
        ("album/a.b.jpg/x.json", "coco"),
    ):
        with pytest.raises(OSError, match="cannot be made"):
            output_paths.make_folder(output, format=kind)
