import argparse
import dataclasses
import hashlib
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from tests.weights import published_states
from tests.weights import pytorch_pickles as pickles
from tfcolor.cli import colorize
from tfcolor.cli import models
from tfcolor.inference import colorization_model
from tfcolor.weights import published
from tfcolor.weights import shipped_files

WIDTH = 1 / 16


def _run(command, *arguments):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True))
    name = command.__name__.rpartition(".")[2]
    args = parser.parse_args([name, *map(str, arguments)])
    return command.run(args)


@pytest.fixture
def by_hand(tmp_path, monkeypatch):
    """Puts narrow files where people put theirs; no network answers."""
    monkeypatch.setenv("TFCOLOR_CACHE", str(tmp_path / "cache"))
    for name in published.names():
        entry = published.CATALOG[name]
        # Port 9 discards; nothing listens there.
        address = f"http://127.0.0.1:9/{entry.file_name}"
        entry = dataclasses.replace(entry, address=address)
        monkeypatch.setitem(published.CATALOG, name, entry)
    monkeypatch.setattr("tfcolor.weights.download._WAIT", 0)

    def put(name, state):
        path = published.fetched_path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        pickles.save(path, state)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        entry = published.CATALOG[name]
        entry = dataclasses.replace(entry, sha256=digest, size=None, about="-")
        monkeypatch.setitem(published.CATALOG, name, entry)

    return put


def _line(said, name):
    return next(line for line in said.splitlines() if line.startswith(name))


def test_the_list_says_what_is_cached(by_hand, capsys):
    by_hand("eccv16", published_states.eccv16(1, WIDTH))
    assert _run(models) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split()[:3] == ["NAME", "SIZE", "LICENSE"]
    assert "  ships  " in _line(said, "lite2_unet")
    for part in ("912 MB", "Apache-2.0", "ConvNeXt-L"):
        assert part in _line(said, "ddcolor ")
    assert "  fetched  " in _line(said, "eccv16")
    assert "  -  " in _line(said, "siggraph17")


def test_the_list_has_the_figures_of_the_readme(capsys):
    assert _run(models) == 0
    said = capsys.readouterr().out
    with open(pathlib.Path(__file__).parents[2] / "README.md") as file:
        rows = [line.split("|") for line in file if "[card](docs/mod" in line]
    found = {cells[1].split("`")[1]: cells for cells in rows if len(cells) > 8}
    assert set(found) == set(shipped_files.names())
    for name, cells in found.items():
        line = _line(said, name)
        assert cells[4].strip() in line
        assert f"right hue {cells[5].strip()}" in line


def test_a_cached_model_that_broke_is_not_called_cached_already(
    by_hand, capsys
):
    for _ in range(2):
        by_hand("siggraph17", published_states.full(1, WIDTH))
        assert _run(models, "fetch", "siggraph17") == 0
        assert "siggraph17: cached in " in capsys.readouterr().out
        with open(published.converted_path("siggraph17"), "r+b") as file:
            file.truncate(1000)


def test_models_are_fetched_and_removed_by_name(by_hand, capsys):
    by_hand("siggraph17", published_states.full(1, WIDTH))
    assert _run(models, "fetch", "siggraph17") == 0
    folder = published.folder_of("siggraph17")
    assert capsys.readouterr().out == f"siggraph17: cached in {folder}\n"
    assert _run(models, "fetch", "siggraph17") == 0
    assert capsys.readouterr().out == "siggraph17: cached already\n"
    _run(models)
    assert "  cached  " in _line(capsys.readouterr().out, "siggraph17")
    assert _run(models, "remove", "siggraph17", "eccv16") == 0
    said = capsys.readouterr().out
    assert said == "siggraph17: removed\neccv16: was not cached\n"
    assert not os.path.exists(folder)


def test_what_cannot_be_fetched_is_named_and_the_others_are(by_hand, capsys):
    by_hand("siggraph17", published_states.full(1, WIDTH))
    assert _run(models, "fetch", "eccv16", "siggraph17") == 1
    said = capsys.readouterr()
    folder = published.folder_of("siggraph17")
    assert said.out == f"siggraph17: cached in {folder}\n"
    said = said.err.splitlines()[-1]
    assert said.startswith("failed: eccv16: eccv16 needs http://127.0.0.1:9/")
    assert "--model=PATH.pth" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch"], "fetch needs a NAME. Received: none\n"),
        (["remove"], "remove needs a NAME. Received: none\n"),
        (["list", "eccv16"], "list takes no NAME. Received: ['eccv16']\n"),
        (["fetch", "x", "eccv16", "y"], "A published model must be one of "),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments, said, capsys):
    assert _run(models, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tfcolor models: error: {said}")
    assert error.count("\n") == 1
    assert ("Received: 'x', 'y'" in error) == (arguments[-1] == "y")


@pytest.mark.slow
def test_instcolorization_takes_boxes_from_the_cache_too(by_hand):
    by_hand("instcolorization", published_states.mmagic(1, WIDTH))
    rng = np.random.default_rng(0)
    inputs = {
        "L": rng.uniform(0, 100, (1, 32, 32, 1)),
        "hints": np.zeros((1, 32, 32, 2)),
        "mask": np.zeros((1, 32, 32, 1)),
        "crops": rng.uniform(0, 100, (1, 1, 32, 32, 1)),
    }
    inputs = {name: value.astype(np.float32) for name, value in inputs.items()}
    inputs |= {
        "boxes": np.float32([[[4, 4, 30, 40]]]),
        "box_valid": np.array([[True]]),
        "picture_size": np.int32([[40, 50]]),
    }
    answers = []
    for state in ("fetched", "cached"):
        assert published.state_of("instcolorization") == state
        model, info = colorization_model.load("instcolorization")
        assert info.architecture == "instance_colorizer"
        answers.append(model(inputs)["ab"])
    np.testing.assert_array_equal(*answers)
    inputs["box_valid"] = np.array([[False]])
    assert not np.array_equal(model(inputs)["ab"], answers[0])


@pytest.mark.slow
def test_colorize_takes_names_and_pytorch_files(by_hand, tmp_path, capsys):
    state = published_states.eccv16(1, WIDTH)
    by_hand("eccv16", state)
    path = pickles.save(tmp_path / "mine.pth", state)
    picture = tmp_path / "old.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (40, 56), np.uint8)).save(picture)
    outputs = []
    for i, model in enumerate(("eccv16", "eccv16", path)):
        output = tmp_path / f"new{i}.png"
        arguments = (f"--output={output}", f"--model={model}")
        assert _run(colorize, picture, *arguments, "--image_size=64") == 0
        outputs.append(np.asarray(Image.open(output)))
    capsys.readouterr()
    assert np.ptp(outputs[0].astype(int), axis=-1).max() > 3
    for other in outputs[1:]:
        np.testing.assert_array_equal(other, outputs[0])


def test_a_network_without_hints_refuses_them(by_hand, tmp_path, capsys):
    state = published_states.eccv16(1, WIDTH)
    path = pickles.save(tmp_path / "mine.pth", state)
    picture, hints = tmp_path / "old.png", tmp_path / "hints.json"
    Image.new("L", (30, 20), 90).save(picture)
    hints.write_text('{"points": [{"x": 2, "y": 3, "color": "#ff0000"}]}')
    arguments = [f"--output={tmp_path / 'new.png'}", f"--model={path}"]
    assert _run(colorize, picture, *arguments, f"--hints={hints}") == 1
    assert "need a model that takes them" in capsys.readouterr().err
    boxes = f"--boxes={tmp_path}"
    assert _run(colorize, picture, *arguments, boxes) == 2
    assert "need a model that takes boxes" in capsys.readouterr().err


def test_names_that_cannot_be_fetched_end_with_status_2(
    by_hand, tmp_path, capsys
):
    picture = tmp_path / "old.png"
    Image.new("L", (30, 20), 90).save(picture)
    output = f"--output={tmp_path / 'new.png'}"
    assert _run(colorize, picture, output, "--model=eccv16") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("tfcolor colorize: error: eccv16 needs http://")
    assert "put it at" in said and "--model=PATH.pth" in said
