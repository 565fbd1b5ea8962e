"""Disks that are full or read-only: one line, whole files, and going on."""

import os

import numpy as np
import pytest

from tests import drawn
from tests.detection import tiny_detectors
from tests.faults import disks
from tests.faults import scenes
from tests.inference import models
from tests.training import run_files
from tests.training.tiny_run import TinyRun
from tfcolor.cli import main
from tfcolor.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Pictures that hardly shrink, a model and a detector."""
    folder = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(0)
    for i in range(8):
        noise = rng.integers(0, 256, [90, 90, 1], np.uint8)
        drawn.write(folder / f"images/{i}.png", np.repeat(noise, 3, -1))
    models.save(models.lightness_model(), str(folder / "model.keras"))
    tiny_detectors.object_detection_api(folder / "detector")
    return folder


def _arguments(given, made):
    """By name: a command, and a size of a disk that is too small for it."""
    images = f"{given}/images"
    detect = ["detect", images, f"--detector={given}/detector"]
    return {
        "colorize": (
            ["colorize", images, f"--model={given}/model.keras"]
            + [f"--output={made}/"],
            "100k",
        ),
        "prepare": (
            ["prepare", f"--images={images}", f"--output={made}"]
            + ["--size=64", "--shard_size=3"],
            "24k",
        ),
        "detect": ([*detect, f"--output={made}"], "12k"),
        "detect_coco": (
            [*detect, f"--output={made}/boxes.json", "--format=coco"],
            "4k",
        ),
        "export": (
            ["export", f"--model={given}/model.keras", f"--output={made}/1"],
            "64k",
        ),
    }


NAMES = tuple(_arguments("", ""))


@pytest.fixture(scope="module")
def whole(given, tmp_path_factory):
    """By name, the files that each command makes where there is room."""
    found = {}
    for name in NAMES:
        made = tmp_path_factory.mktemp(name)
        arguments, _ = _arguments(given, made)[name]
        assert main.run(arguments) == 0
        found[name] = scenes.files_in(made)
    return found


def _said(capsys) -> str:
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_leaves_whole_files_and_the_command_goes_on(
    name, given, whole, tmp_path, capsys
):
    made = tmp_path / "made"
    arguments, size = _arguments(given, made)[name]
    with disks.small(made, size):
        assert main.run(arguments) in (1, 2)
        said = _said(capsys)
        assert "cannot be written" in said
        assert "No space left on device" in said
        found = scenes.files_in(made)
        assert found.items() < whole[name].items()
        disks.change(made, "size=10m")
        assert main.run(arguments) == 0
        again = scenes.files_in(made)
    assert again.keys() == whole[name].keys()
    # The files of a SavedModel differ from export to export.
    assert name == "export" or again == whole[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_read_only_disk_is_one_line(name, given, tmp_path, capsys):
    made = tmp_path / "made"
    arguments, _ = _arguments(given, made)[name]
    with disks.small(made, "1m"):
        disks.change(made, "ro")
        assert main.run(arguments) in (1, 2)
        said = _said(capsys)
    assert "read-only" in said.lower()
    assert len([x for x in said.splitlines() if "error: " in x]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", ["24k", "60k", "100k", "160k"])
def test_training_on_a_full_disk_goes_on_once_there_is_room(
    size, tmp_path, whole_run
):
    made = tmp_path / "made"
    with disks.small(made, size):
        with pytest.raises(OSError, match="cannot be written") as caught:
            TinyRun(epochs=3).start(made)
        assert "No space left" in str(caught.value)
        assert "\n" not in str(caught.value)
        disks.change(made, "size=10m")
        TinyRun(epochs=3).start(made)
        run_files.assert_same_run(whole_run, made)
        names = {n for n in scenes.files_in(made) if "events" not in n}
    assert names == {n for n in scenes.files_in(whole_run) if "events" not in n}


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole_run")
    TinyRun(epochs=3).start(folder)
    return folder


def test_a_run_on_a_read_only_disk_is_refused_at_once(tmp_path):
    with disks.small(tmp_path / "made", "1m") as made:
        disks.change(made, "ro")
        with pytest.raises(OSError, match="cannot be written: .*[Rr]ead-only"):
            RunFolder(str(made / "run"))
        with pytest.raises(OSError, match="cannot be written: .*read-only"):
            RunFolder(str(made))
        assert os.listdir(made) == []
