import argparse
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.detection import squares
from tests.detection import tiny_detectors
from tfcolor.boxes import box_files
from tfcolor.cli import detect

# Name, size of the upright picture, EXIF orientation, box.
PICTURES = [
    ("a.b.png", (40, 60), 1, [5, 10, 30, 50]),
    ("a.c.png", (60, 40), 1, [20, 3, 55, 9]),
    ("trip/turned.jpg", (48, 80), 6, [8, 24, 40, 64]),
    ("trip/none.png", (40, 60), 1, None),
]


def _run(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    detect.add_parser(parser.add_subparsers())
    return detect.run(parser.parse_args(["detect", *map(str, arguments)]))


@pytest.fixture(scope="module", params=["model_garden", "object_detection_api"])
def detector(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("detector") / request.param
    return getattr(tiny_detectors, request.param)(path)


@pytest.fixture
def album(tmp_path):
    for name, (height, width), orientation, box in PICTURES:
        rgb = squares.picture(height, width, box)
        squares.write(tmp_path / "album" / name, rgb, orientation=orientation)
    return tmp_path / "album"


def _check(boxes_path, album, *, threshold_passes=2):
    """Compares with the known boxes, to a pixel where JPEG blurs the edge."""
    boxes = box_files.open_boxes(str(boxes_path))
    for name, (height, width), _, box in PICTURES:
        path = str(album / name)
        assert boxes.find(path)
        found = boxes.load(path, height=height, width=width)
        if box is None:
            assert len(found) == 0
            continue
        assert len(found) == threshold_passes
        tolerance = 1 if name.endswith(".jpg") else 0
        np.testing.assert_allclose(found.boxes[0], box, atol=tolerance)
        assert found.boxes[1].tolist()[2:] == [height, width]
        np.testing.assert_allclose(found.scores, [0.9, 0.8], atol=1e-6)
        np.testing.assert_array_equal(found.classes, [18, 1])


def test_npz_files_hold_the_known_boxes(detector, album, tmp_path, capsys):
    out = tmp_path / "out"
    assert _run(album, f"--detector={detector}", f"--output={out}") == 0
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*.*"))
    assert written == sorted(f"{name}.npz" for name, *_ in PICTURES)
    _check(out, album)
    with np.load(out / "a.b.png.npz") as file:
        np.testing.assert_array_equal(file["bbox"][0], [10, 5, 50, 30])
        assert file["bbox"].dtype == np.int32
    assert (
        f"Found 6 boxes in 4 pictures, into {out} (1 without any)"
        in capsys.readouterr().out
    )


def test_one_json_holds_the_known_boxes(detector, album, tmp_path):
    out = tmp_path / "out" / "found.json"
    arguments = [album, f"--detector={detector}", f"--output={out}"]
    assert _run(*arguments, "--format=coco") == 0
    _check(out, album)
    content = json.loads(out.read_text())
    names = {image["file_name"] for image in content["images"]}
    assert names == {name for name, *_ in PICTURES}
    assert {"id": 18, "name": "dog"} in content["categories"]


@pytest.fixture(scope="module")
def one_detector(tmp_path_factory):
    path = tmp_path_factory.mktemp("detector") / "tiny"
    return f"--detector={tiny_detectors.object_detection_api(path)}"


def test_threshold_and_number_of_boxes_are_flags(
    one_detector, album, tmp_path, capsys
):
    arguments = [one_detector, album / "a.b.png"]
    for i, (flags, count) in enumerate(
        [
            (["--score_threshold=0.5"], 3),
            (["--score_threshold=0.5", "--max_boxes=2"], 2),
            (["--score_threshold=0.85"], 1),
        ]
    ):
        assert _run(*arguments, *flags, f"--output={tmp_path / str(i)}") == 0
        assert f"Found {count} boxes in 1 picture," in capsys.readouterr().out


def test_stems_are_named_as_instcolorization_wants_them(
    one_detector, album, tmp_path, capsys
):
    out = tmp_path / "trip_bbox"
    arguments = [one_detector, f"--output={out}", "--naming=stem"]
    assert _run(album / "trip", *arguments) == 0
    assert sorted(os.listdir(out)) == ["none.npz", "turned.npz"]
    assert _run(album, *arguments) == 2
    assert "a.npz" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["npz", "coco"])
def test_done_pictures_are_skipped_until_overwrite(
    one_detector, album, tmp_path, capsys, kind
):
    out = tmp_path / "out"
    arguments = [album, f"--output={out}", f"--format={kind}"]
    os.rename(album / "a.c.png", tmp_path / "a.c.png")
    assert _run(*arguments, one_detector) == 0
    os.rename(tmp_path / "a.c.png", album / "a.c.png")
    capsys.readouterr()
    assert _run(*arguments, one_detector) == 0
    said = capsys.readouterr().out
    assert "in 1 picture," in said and "3 there already, skipped" in said
    _check(out if kind == "npz" else out / "boxes.json", album)
    # Nothing to do: the detector is not even looked at.
    assert _run(*arguments, "--detector=missing") == 0
    assert "4 there already" in capsys.readouterr().out
    changed = [one_detector, "--overwrite", "--score_threshold=0.85"]
    assert _run(*arguments, *changed) == 0
    assert "Found 3 boxes in 4 pictures" in capsys.readouterr().out


def test_draw_adds_the_upright_picture_with_its_boxes(
    one_detector, album, tmp_path
):
    arguments = [album / "trip", one_detector, f"--output={album / 'trip'}"]
    assert _run(*arguments) == 0
    assert _run(*arguments, "--draw") == 0
    drawing = album / "trip" / "turned.jpg.boxes.jpg"
    with Image.open(drawing) as picture:
        assert picture.size == (80, 48)
    # Drawings are not taken for pictures.
    assert _run(*arguments, "--draw", "--overwrite") == 0
    assert len(list((album / "trip").glob("*.npz"))) == 2


@pytest.mark.parametrize("kind", ["npz", "coco"])
def test_bad_pictures_are_named_at_the_end(
    one_detector, album, tmp_path, capsys, kind
):
    (album / "bad.jpg").write_bytes(b"no picture")
    out = tmp_path / "out"
    arguments = [album, one_detector, f"--output={out}", f"--format={kind}"]
    assert _run(*arguments) == 1
    captured = capsys.readouterr()
    assert f"failed: {album / 'bad.jpg'}: The file is not" in captured.err
    assert "1 failed" in captured.out
    _check(out if kind == "npz" else out / "boxes.json", album)
    assert not (out / "bad.jpg.npz").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--detector=missing", "--output=out"], "SavedModel"),
        (["--detector=x", "--output=out", "--max_boxes=0"], "max_boxes"),
        (["--detector=x", "--output=out", "--batch_size=0"], "batch_size"),
        (["--detector=x", "--output=album/a.b.png"], "folder"),
        (["--detector=x", "--output=o.json", "--format=coco"], "COCO"),
        (["--detector=x", "--output=o", "--worker_cpus=2"], "needs --cluster"),
    ],
)
def test_wrong_usage_is_said_in_a_line(
    album, tmp_path, monkeypatch, capsys, flags, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o.json").write_text("[]")
    assert _run("album", *flags) == 2
    error = capsys.readouterr().err
    assert error.startswith("tfcolor detect: error: ") and said in error
    assert error.count("\n") == 1


def test_an_interrupted_run_keeps_what_is_done(
    one_detector, album, tmp_path, monkeypatch
):
    from tfcolor.detection import outputs

    add = outputs.CocoOutput.add

    def add_then_stop(self, job, *arguments, **options):
        if job.name == "trip/turned.jpg":
            raise KeyboardInterrupt
        add(self, job, *arguments, **options)

    out = tmp_path / "boxes.json"
    arguments = [album, one_detector, f"--output={out}", "--format=coco"]
    with monkeypatch.context() as patch:
        patch.setattr(outputs.CocoOutput, "add", add_then_stop)
        with pytest.raises(KeyboardInterrupt):
            _run(*arguments)
    assert json.loads(out.read_text())["images"]
    assert _run(*arguments) == 0
    _check(out, album)


def test_help_does_not_wait_for_tensorflow():
    code = (
        "import argparse, sys\n"
        "from tfcolor.cli import detect\n"
        "detect.add_parser(argparse.ArgumentParser().add_subparsers())\n"
        "slow = {'tensorflow', 'numpy', 'cv2'} & set(sys.modules)\n"
        "sys.exit(str(slow) if slow else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
