import argparse
import inspect
import json
import os
import subprocess
import sys

import pytest

from tests import class_albums
from tests import drawn
from tests.data import albums
from tfcolor.cli import prepare
from tfcolor.data import sources
from tfcolor.data.manifest import ShardSettings


def _parse(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    prepare.add_parser(parser.add_subparsers())
    return parser.parse_args(["prepare", *map(str, arguments)])


def _run(*arguments):
    return prepare.run(_parse(*arguments))


def test_defaults_are_those_of_the_library():
    args = _parse("--images=a", "--output=b")
    for name, parameter in inspect.signature(ShardSettings).parameters.items():
        assert getattr(args, name) == parameter.default


def test_a_folder_becomes_shards_and_bad_pictures_are_named(tmp_path, capsys):
    images = albums.write(tmp_path / "images")
    boxes = albums.write_boxes(tmp_path / "boxes")
    arguments = [f"--images={images}", f"--boxes={boxes}", "--size=16"]
    arguments += [f"--output={tmp_path}/records", "--shard_size=5"]
    assert _run(*arguments) == 1
    shown = capsys.readouterr()
    assert shown.out == (
        f"10 pictures in 3 shards, in {tmp_path}/records/ (16 boxes, "
        "1 left out)\n"
    )
    assert "left out: broken.jpg: " in shown.err
    os.remove(f"{images}/broken.jpg")
    assert _run(*arguments, "--workers=1") == 0
    assert len(sources.open_source(f"{tmp_path}/records/")) == 10


def test_shards_may_lie_in_the_folder_of_the_pictures(tmp_path):
    images = albums.write(tmp_path)
    for _ in range(2):
        _run(f"--images={images}", f"--output={images}/records", "--size=8")
    assert len(sources.open_source(f"{images}/records")) == 10


def test_parts_of_a_labelled_folder_become_folders_of_shards(tmp_path, capsys):
    images = class_albums.write_parts(tmp_path / "images")
    with open(f"{images}/color_groups.json", "w") as file:
        json.dump(class_albums.GROUPS, file)
    output = tmp_path / "records"
    assert _run(f"--images={images}", f"--output={output}", "--size=8") == 0
    assert sorted(os.listdir(output)) == [
        *("color_groups.json", "test", "train", "val"),
    ]
    assert "18 pictures in 1 shards" in capsys.readouterr().out
    assert len(sources.open_source(str(output / "val"))) == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ["--images=absent"],
        ["--images=."],
        ["--images=images", "--size=0"],
        ["--images=images", "--workers=0"],
        ["--images=images", "--boxes=absent"],
    ],
)
def test_wrong_usage_ends_in_one_line(tmp_path, monkeypatch, capsys, arguments):
    albums.write(tmp_path / "pictures/images")
    (tmp_path / "empty").mkdir()
    inside = "empty" if arguments == ["--images=."] else "pictures"
    monkeypatch.chdir(tmp_path / inside)
    assert _run(*arguments, "--output=records") == 2
    error = capsys.readouterr().err
    assert error.startswith("tfcolor prepare: error: ")
    assert error.count("\n") == 1
    assert not os.path.exists("records")


def test_names_that_are_not_utf_8_and_commas_are_prepared(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    images = albums.write(tmp_path / "Paris, 1920")
    os.remove(f"{images}/broken.jpg")
    name = os.fsdecode(b"b\xe9.png")
    first = sorted(os.listdir(images))[0]
    os.rename(f"{images}/{first}", f"{images}/{name}")
    assert _run("--images=Paris, 1920", "--output=records", "--size=16") == 0
    source = sources.open_source("records")
    found = [e["name"] for e in source.examples().as_numpy_iterator()]
    assert os.fsencode(name) in found
    folder = sources.open_source("Paris, 1920")
    found = [e["name"] for e in folder.examples().as_numpy_iterator()]
    assert os.fsencode(f"Paris, 1920/{name}") in found
    kept, held_out = sources.split_by_hash(folder, share=0.5)
    assert len(kept) + len(held_out) == len(found)


def test_what_is_ignored_of_pictures_is_said_and_kept(tmp_path, capsys):
    drawn.write_animation(tmp_path / "images/moves.gif", 2)
    drawn.write(tmp_path / "images/a.png", drawn.colored(0, 20, 20))
    arguments = [f"--images={tmp_path}/images", f"--output={tmp_path}/records"]
    for _ in range(2):
        # What is there already is told of too.
        assert _run(*arguments, "--size=8") == 0
        said = capsys.readouterr().err
        assert said.count("note: ") == 1
        assert "note: moves.gif: it has 2 frames; the first one is" in said


@pytest.mark.slow
def test_the_same_pictures_give_the_same_bytes(tmp_path):
    images = albums.write(tmp_path / "images")
    boxes = albums.write_boxes(tmp_path / "boxes")
    made = []
    for name in ("one", "other"):
        # Each in a process of its own.
        subprocess.run(
            [
                *(sys.executable, "-m", "tfcolor", "prepare", "--size=16"),
                *(f"--images={images}", f"--boxes={boxes}", "--shard_size=5"),
                f"--output={tmp_path}/{name}",
            ],
            capture_output=True,
            check=False,
        )
        folder = tmp_path / name
        made.append({p.name: p.read_bytes() for p in folder.iterdir()})
    assert len(made[0]) == 7 and made[0] == made[1]
