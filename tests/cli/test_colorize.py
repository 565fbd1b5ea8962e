import argparse
import json
import os

import numpy as np
import pytest
from PIL import Image

from tests import drawn
from tests.detection import tiny_detectors
from tests.inference import models
from tfcolor.boxes import box_folder
from tfcolor.boxes import coco_writer
from tfcolor.boxes import picture_boxes
from tfcolor.cli import colorize
from tfcolor.cli import main
from tfcolor.color import lab
from tfcolor.inference import defaults
from tfcolor.weights import shipped


@pytest.fixture(scope="module")
def model_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "plain.keras"
    return models.save(models.plain_model((20, 30)), path)


@pytest.fixture
def album(tmp_path, monkeypatch):
    (tmp_path / "album/trip").mkdir(parents=True)
    for name in ("a.jpg", "trip/b.png", "trip/ü.gif"):
        noise = np.random.default_rng(0).integers(0, 256, (12, 18), np.uint8)
        Image.fromarray(noise).save(tmp_path / "album" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tfcolor(model_path, capsys):
    """Runs the command; returns status, output and errors."""

    def run(*arguments, model=model_path):
        if model is not None:
            arguments = (*arguments, f"--model={model}")
        status = main.run(["colorize", *arguments])
        return status, *capsys.readouterr()

    return run


def _tree(folder):
    return sorted(
        os.path.relpath(os.path.join(root, name), folder)
        for root, _, names in os.walk(folder)
        for name in names
    )


def test_one_picture_becomes_one_file(tfcolor, album):
    before = (album / "album/a.jpg").read_bytes()
    status, out, err = tfcolor("album/a.jpg", "--output=new/a.png")
    assert (status, out, err) == (
        0,
        "Colorized 1 picture into new/a.png\n",
        "",
    )
    with Image.open("new/a.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (18, 12))
        assert np.ptp(np.asarray(picture), axis=-1).mean() > 10
    assert (album / "album/a.jpg").read_bytes() == before


def test_a_folder_keeps_its_structure_and_shows_progress(tfcolor, album):
    status, out, err = tfcolor("album", "--output=new", "--compare")
    assert status == 0
    assert out == "Colorized 3 pictures into new\n"
    assert "3/3" in err
    assert _tree("new") == [
        "a.compare.jpg",
        "a.jpg",
        "trip/b.compare.png",
        "trip/b.png",
        "trip/ü.compare.png",
        "trip/ü.png",
    ]


def test_existing_results_are_skipped_unless_overwritten(tfcolor, album):
    (album / "new").mkdir()
    (album / "new/a.jpg").write_text("mine")
    status, out, _ = tfcolor("album", "--output=new")
    assert status == 0
    assert out == "Colorized 2 pictures into new (1 there already, skipped)\n"
    assert (album / "new/a.jpg").read_text() == "mine"
    status, out, _ = tfcolor("album", "--output=new", "--overwrite")
    assert (status, out) == (0, "Colorized 3 pictures into new\n")
    with Image.open("new/a.jpg") as picture:
        assert picture.size == (18, 12)


def test_results_inside_the_input_folder_are_not_read_again(tfcolor, album):
    for expected in ("Colorized 3", "Colorized 0"):
        status, out, _ = tfcolor("album", "--output=album/new/")
        assert status == 0
        assert out.startswith(expected)
    assert len(_tree("album")) == 6


def test_bad_pictures_are_named_and_the_rest_is_done(tfcolor, album):
    (album / "album/text.jpg").write_text("hello")
    status, out, err = tfcolor("album", "--output=new")
    assert status == 1
    assert out == "Colorized 3 pictures into new (1 failed)\n"
    assert "\nfailed: album/text.jpg: The file is not a picture" in err
    assert len(_tree("new")) == 3


def test_hints_are_used_and_checked_by_picture(tfcolor, album):
    point = {"x": 9, "y": 6, "color": "#0000ff", "radius": 30}
    hints = {"a.jpg": [point], "trip/b.png": [{**point, "x": 18}]}
    (album / "hints.json").write_text(json.dumps(hints))
    status, _, err = tfcolor("album", "--output=new", "--hints=hints.json")
    assert status == 1
    assert "failed: album/trip/b.png: A hint must lie in its picture" in err
    with Image.open("new/a.jpg") as picture:
        red, _, blue = np.asarray(picture).mean((0, 1))
    assert blue > red
    assert _tree("new") == ["a.jpg", "trip/ü.png"]


def test_saturation_0_gives_grey(tfcolor, album):
    tfcolor("album/trip/b.png", "--output=b.png", "--saturation=0")
    with Image.open("b.png") as picture:
        assert np.ptp(np.asarray(picture), axis=-1).max() == 0


@pytest.fixture(scope="module")
def boxed_model_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "counting.keras"
    return models.save(models.counting_model(), path)


def _mean_a(path):
    with Image.open(path) as picture:
        rgb = np.asarray(picture.convert("RGB")).astype(np.float32) / 255
    return float(lab.rgb_to_lab(rgb)[..., 1].numpy().mean())


@pytest.mark.parametrize("origin", ["folder", "json", "detector"])
def test_boxes_come_from_files_or_a_detector(
    tfcolor, album, boxed_model_path, origin
):
    flat = np.full((12, 18), 128, np.uint8)
    Image.fromarray(flat).save("album/trip/b.png")
    flat[2:8, 3:9] = 201
    Image.fromarray(flat).save("album/a.png")
    found = picture_boxes.make([[2, 3, 8, 9]], [0.9], [18])
    if origin == "folder":
        box_folder.write("boxes/a.png.npz", found, height=12, width=18)
    elif origin == "json":
        writer = coco_writer.CocoWriter("boxes", {})
        writer.add("a.png", found, height=12, width=18)
        writer.write()
    else:
        tiny_detectors.object_detection_api("boxes")
    status, out, _ = tfcolor(
        *("album/a.png", "album/trip/b.png", "--output=new/"),
        *("--boxes=boxes", "--show_boxes", "--max_boxes=1", "--crop_size=8"),
        "--boxes_at_once=all",
        model=boxed_model_path,
    )
    assert (status, out) == (0, "Colorized 2 pictures into new/\n")
    assert _tree("new") == [
        "a.boxes.png",
        "a.png",
        "b.boxes.png",
        "b.png",
    ]
    # The model paints a = 10 for each box.
    assert _mean_a("new/a.png") == pytest.approx(10, abs=0.5)
    assert _mean_a("new/b.png") == pytest.approx(0, abs=0.5)
    with Image.open("new/a.boxes.png") as drawn, Image.open("new/a.png") as new:
        assert not np.array_equal(np.asarray(drawn), np.asarray(new))


def test_boxes_need_a_model_that_takes_them(tfcolor, album):
    box_folder.write("boxes/a.jpg.npz", picture_boxes.none(), height=1, width=1)
    status, _, err = tfcolor("album", "--output=new", "--boxes=boxes")
    assert status == 2
    assert "need a model that takes boxes" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["album/a.jpg", "--output=b.png", "--show_boxes"], "needs --boxes"),
        (["album/a.jpg", "--output=b.png", "--crop_size=9"], "--crop_size"),
        (["none.jpg", "--output=new/"], "Received: 'none.jpg'"),
        (["album", "--output=album"], "must not replace"),
        (["album", "--output=a.png"], "must be a folder"),
        (["album/a.jpg", "--output=new"], "ending in '/'"),
        (["album/a.jpg", "--output=a.jpg/b.png"], "cannot be made"),
        (["album/a.jpg", "--output=b.png", "--hints=none.json"], "json does"),
        (["album/a.jpg", "--output=b.png", "--hints=a.jpg"], "it is not JSON"),
        (["album/a.jpg", "--output=b.png", "--sink=parquet"], "needs --cluste"),
        (["album/a.jpg", "--output=b.png", "--failures=f"], "--failures needs"),
        (["album/a.jpg", "--output=b.png", "--worker_cpus=2"], "--worker_cpus"),
        (["album/a.jpg", "--output=b.png", "--worker_gpus=1"], "--worker_gpus"),
        (["album/a.jpg", "--output=b.png", "--crop_size=8"], "--crop_size nee"),
        (["@list.txt", "--output=new/"], "(@FILE) and URLs need --cluster"),
        (["s3://scans", "--output=new/"], "(@FILE) and URLs need --cluster"),
        (["album", "--output=s3://new/"], "URL as --output needs --cluster"),
        (["album/a.jpg", "--output=b.png", "--image_size=20"], "multiple of 8"),
        (["album/a.jpg", "--output=b.png", "--batch_size=0"], "--batch_size"),
        (["album/a.jpg", "--output=b.png", "--saturation=-1"], "--saturation"),
        (["album/a.jpg", "--output=b.png", "--boxes_at_once=0"], "--boxes_at_"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    tfcolor, album, arguments, reason
):
    (album / "a.jpg").write_text("not JSON")
    status, out, err = tfcolor(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("tfcolor colorize: error: ")
    assert err.count("\n") == 1
    assert reason in err
    assert not os.path.exists("b.png")


@pytest.mark.parametrize("model", ["none.keras", "no_such_model"])
def test_a_missing_model_is_wrong_usage(tfcolor, album, model):
    status, _, err = tfcolor("album/a.jpg", "--output=b.png", model=model)
    assert status == 2
    assert err.count("\n") == 1
    assert repr(model) in err


def test_a_read_only_output_folder_is_wrong_usage(tfcolor, album, monkeypatch):
    # Asked of the system, since root may write everywhere.
    monkeypatch.setattr(os, "access", lambda *_: False)
    status, _, err = tfcolor("album", "--output=new/")
    assert status == 2
    assert "'new/' is read-only" in err


def test_an_interrupt_leaves_no_partial_file(tfcolor, album, monkeypatch):
    from tfcolor.inference.colorizer import Colorizer

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Colorizer, "colorize_batch", interrupt)
    status, _, err = tfcolor("album", "--output=new")
    assert status == 130
    assert err.endswith("tfcolor: interrupted\n")
    assert _tree("new") == []


def test_help_names_every_default(capsys):
    with pytest.raises(SystemExit):
        main.run(["colorize", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    parser = colorize.add_parser(argparse.ArgumentParser().add_subparsers())
    silent = {
        action.dest
        for action in parser._actions
        if "(default: " not in action.help
    }
    # The others must be given, or ask for this text.
    assert silent == {"help", "input", "output"}
    assert f"(default: {shipped.DEFAULT})" in text
    assert f"(default: {defaults.BATCH_SIZE})" in text
    assert f"(default: {defaults.SATURATION})" in text
    assert "1/50 of the short side" in text
    assert round(1 / defaults.HINT_RADIUS) == 50
    assert colorize._EPILOG.count("tfcolor colorize ") == 6


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("x.pth", "must be a file. Received: 'x.pth'"),
        ("weights/x.PT", "must be a file. Received: 'weights/x.PT'"),
        ("none.keras", "which does not exist"),
        ("some/none", "which does not exist"),
        ("album", "a folder"),
    ],
)
def test_a_wrong_model_path_is_explained(tfcolor, album, model, reason):
    status, _, err = tfcolor("album/a.jpg", "--output=b.png", model=model)
    assert (status, err.count("\n")) == (2, 1)
    assert reason in err


def test_names_that_are_not_utf_8_are_done(tfcolor, album):
    name = os.fsdecode(b"b\xe9.jpg")
    os.rename("album/a.jpg", f"album/{name}")
    status, out, _ = tfcolor("album", "--output=new")
    assert (status, out) == (0, "Colorized 3 pictures into new\n")
    assert name in _tree("new")
    odd = os.fsdecode(b"n\xe9w")
    status, out, err = tfcolor(f"album/{name}", f"--output={odd}/")
    assert (status, err) == (0, "")
    assert "Colorized 1 picture into n" in out
    assert _tree(odd) == [name]


def test_what_is_left_out_is_said_once(tfcolor, album):
    (album / "album/scan.heic").write_text("")
    os.symlink(".", "album/loop")
    status, out, err = tfcolor("album", "--output=new")
    assert (status, out) == (0, "Colorized 3 pictures into new\n")
    assert err.count("1 .heic") == 1
    assert err.count("1 link was left out") == 1


def test_hints_may_begin_with_a_byte_order_mark(tfcolor, album):
    point = {"x": 9, "y": 6, "color": "#0000ff", "radius": 30}
    text = json.dumps({"points": [point]})
    (album / "hints.json").write_text(text, encoding="utf-8-sig")
    status, _, _ = tfcolor(
        "album/a.jpg", "--output=b.png", "--hints=hints.json"
    )
    assert status == 0


def test_color_pictures_are_said_or_skipped(tfcolor, album):
    Image.fromarray(drawn.colored(0)).save("album/trip/b.png")
    status, out, err = tfcolor("album", "--output=new")
    assert (status, out) == (0, "Colorized 3 pictures into new\n")
    assert "note: album/trip/b.png: it is a color picture" in err
    status, out, err = tfcolor("album", "--output=other", "--skip_color")
    assert status == 0
    assert out == "Colorized 2 pictures into other (1 in color, left out)\n"
    assert _tree("other") == ["a.jpg", "trip/ü.png"]


def test_litert_and_hints_are_one_line(tfcolor, album):
    (album / "hints.json").write_text('{"points": []}')
    status, out, err = tfcolor(
        "album/a.jpg",
        "--output=a.png",
        "--hints=hints.json",
        "--runtime=litert",
        model=None,
    )
    assert (status, out) == (2, "")
    assert err == (
        "tfcolor colorize: error: --hints need --runtime=tensorflow or auto. "
        "Received: --runtime=litert with --hints=hints.json\n"
    )


def test_litert_and_another_model_are_one_line(tfcolor, album):
    status, out, err = tfcolor(
        "album/a.jpg", "--output=a.png", "--runtime=litert"
    )
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "runtime='litert' with a model other than" in err
