import json
import os

import pytest
from PIL import Image

from tests.detection import squares
from tests.detection import tiny_detectors
from tfcolor.data import outcome as outcome_lib
from tfcolor.detection import album
from tfcolor.detection import detector


@pytest.fixture(scope="module")
def finder(tmp_path_factory):
    path = tmp_path_factory.mktemp("detector") / "saved_model"
    tiny_detectors.model_garden(path, batch_size=None)
    return detector.Detector(str(path))


@pytest.fixture
def folder(tmp_path):
    for i in range(3):
        rgb = squares.picture(40, 60, [2 + i, 5, 20 + i, 30 + i])
        squares.write(tmp_path / "in" / f"{i}.png", rgb)
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    return str(tmp_path / "in")


def test_every_picture_of_an_album_has_one_outcome(finder, folder, tmp_path):
    out = str(tmp_path / "boxes")
    outcomes = album.detect_album(
        [folder], out, make_detector=lambda: finder, drawings=True
    )
    assert len(outcomes) == 4
    found = {os.path.basename(o.source): o for o in outcomes}
    assert "not a picture" in found.pop("bad.png").reason
    assert {o.boxes for o in found.values()} == {2}
    for name, outcome in found.items():
        assert outcome.written == (
            f"{out}/{name}.npz",
            f"{out}/{name}.boxes.jpg",
        )
        assert all(map(os.path.isfile, outcome.written))


def test_what_is_there_already_is_said(finder, folder, tmp_path):
    out = str(tmp_path / "boxes")
    list(album.detect_album([folder], out, make_detector=lambda: finder))
    again = list(
        album.detect_album([folder], out, make_detector=lambda: finder)
    )
    skipped = [o.skipped for o in again if not o.reason]
    assert skipped == [outcome_lib.THERE_ALREADY] * 3


def test_who_stops_it_keeps_what_was_found(finder, folder, tmp_path):
    path = str(tmp_path / "boxes.json")
    seen = []
    for outcome in album.detect_album(
        [folder],
        path,
        make_detector=lambda: finder,
        format="coco",
        batch_size=1,
        stop=lambda: sum(not o.reason for o in seen) >= 1,
    ):
        seen.append(outcome)
    with open(path) as file:
        known = json.load(file)["images"]
    assert 1 <= len(known) < 3
    assert len(known) == sum(not o.reason for o in seen)


def test_what_is_left_out_of_pictures_and_folders_is_said(
    finder, folder, tmp_path
):
    path = os.path.join(folder, "turning.gif")
    frames = [Image.new("L", (60, 40), level) for level in (20, 90)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    (tmp_path / "in" / "notes.pdf").write_bytes(b"%PDF-1.4")
    said = []
    outcomes = album.detect_album(
        [folder],
        str(tmp_path / "boxes"),
        make_detector=lambda: finder,
        say=said.append,
    )
    notes = {os.path.basename(o.source): o.notes for o in outcomes}
    assert "1 left out" in " ".join(notes["turning.gif"])
    assert notes["0.png"] == ()
    assert "pdf" in " ".join(said)
