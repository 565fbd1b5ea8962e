"""Pictures that vanish or change while they are read."""

import collections
import os

import pytest

from tests import drawn
from tests.detection import tiny_detectors
from tests.faults import scenes
from tests.inference import models
from tfcolor import atomic
from tfcolor.cli import main
from tfcolor.data import manifest
from tfcolor.data import sources

COUNT = 8
# Late enough that nobody has read it when the first one is.
VICTIM = f"{COUNT - 1:03}.png"


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models.save(models.lightness_model(), str(folder / "model.keras"))
    tiny_detectors.object_detection_api(folder / "detector")
    return folder


@pytest.fixture
def images(tmp_path):
    return drawn.write_album(tmp_path / "images", COUNT, side=24)


def _when_looked_at(monkeypatch, name, nth, act):
    """Acts when `read_unchanged` looks the nth time at a file.

    The file has this name, or is the first one that is looked at.
    """
    calls, fstat = collections.Counter(), os.fstat

    def looked_at(number):
        path = os.readlink(f"/proc/self/fd/{number}")
        calls[path] += 1
        wanted = path == next(iter(calls))
        if name is not None:
            wanted = os.path.basename(path) == name
        if wanted and calls[path] == nth:
            act()
        return fstat(number)

    # Nobody else asks: `atomic` has its own name for the module.
    fake = type("os", (), {"__getattr__": lambda _, name: getattr(os, name)})()
    fake.fstat = looked_at
    monkeypatch.setattr(atomic, "os", fake)


def _vanishes(monkeypatch, images):
    path = os.path.join(images, VICTIM)
    _when_looked_at(monkeypatch, None, 1, lambda: os.remove(path))
    return "No such file or directory"


def _grows(monkeypatch, images):
    def grow():
        with open(os.path.join(images, VICTIM), "ab") as file:
            file.write(b"more")

    _when_looked_at(monkeypatch, VICTIM, 2, grow)
    return "The file was changed while it was read."


@pytest.mark.parametrize("happen", [_vanishes, _grows])
@pytest.mark.parametrize("command", ["colorize", "detect", "prepare"])
def test_a_picture_that_vanishes_or_changes_is_named_and_the_others_done(
    command, happen, models_folder, images, tmp_path, monkeypatch, capsys
):
    arguments = {
        "colorize": [images, f"--model={models_folder}/model.keras"]
        + ["--batch_size=1"],
        "detect": [images, f"--detector={models_folder}/detector"],
        "prepare": [f"--images={images}", "--size=16", "--workers=1"]
        + ["--shard_size=2"],
    }[command]
    before = scenes.files_in(images)
    arguments = [command, *arguments, f"--output={tmp_path}/made/"]
    reason = happen(monkeypatch, images)
    assert main.run(arguments) == 1
    monkeypatch.undo()
    said = capsys.readouterr().err
    (line,) = [x for x in said.splitlines() if VICTIM in x and reason in x]
    assert line.startswith(("failed: ", "left out: "))
    made = scenes.files_in(tmp_path / "made")
    if command == "prepare":
        read = manifest.read(f"{tmp_path}/made")
        assert len(read) == COUNT - 1
    else:
        assert len(made) == COUNT - 1
    assert not any("tmp" in name for name in made)
    left = scenes.files_in(images)
    assert left.keys() | {VICTIM} == before.keys()
    assert all(left[n] == before[n] for n in left if n != VICTIM)


@pytest.mark.parametrize("happen", [_vanishes, _grows])
def test_the_next_start_makes_what_is_missing(
    happen, images, tmp_path, monkeypatch
):
    arguments = ["prepare", f"--images={images}", f"--output={tmp_path}/made"]
    arguments += ["--size=16", "--workers=1"]
    happen(monkeypatch, images)
    assert main.run(arguments) == 1
    monkeypatch.undo()
    assert main.run(arguments) == 0
    there = len(os.listdir(images))
    assert len(manifest.read(f"{tmp_path}/made")) == there


@pytest.mark.parametrize("happen", [_vanishes, _grows])
def test_training_goes_on_without_such_a_picture_and_counts_it(
    happen, images, monkeypatch
):
    source = sources.open_source(images)
    reason = happen(monkeypatch, images)
    examples = list(source.examples().as_numpy_iterator())
    # TensorFlow reads ahead: it may have been read before it was gone.
    assert len(examples) >= COUNT - 1
    if len(examples) < COUNT:
        said = source.drop_log.summary()
        assert "dropped 1 pictures, cannot be read: " in said
        assert VICTIM in said and reason in said
    else:
        assert happen is _vanishes
