"""Hundreds of files that no camera makes, through every command."""

import hashlib
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import skimage.color
from PIL import Image

from tests import hostile_corpus
from tests.hostile_kinds import EITHER
from tests.hostile_kinds import LEFT_OUT
from tests.hostile_kinds import PICTURE
from tests.hostile_kinds import REFUSED
from tfcolor.data import files
from tfcolor.pictures import encode

pytestmark = pytest.mark.slow
KINDS = hostile_corpus.kinds()
COMMANDS = ("colorize", "client", "detect", "classify", "prepare", "evaluate")
# What commands say, line by line; the bars of tqdm end in a return.
_LINE = re.compile(
    r"(failed|note|left out): .*|Colorized .*|Found .*|Classified .*|"
    r"Report: .*|\d+ pictures in .*|\d+ pictures? left out\.|"
    r"records/?: +\d+%.*|\s*\d+%\|.*|\|.*|.*: (dark|light) \d.*|"
    r"tfcolor \w+: error: .*"
)


def _state(folder) -> dict:
    """What can be told of the files of a folder without opening pipes."""
    found = {}
    for root, folders, names in os.walk(os.fsencode(folder)):
        for name in folders + names:
            path = os.path.join(root, name)
            status = os.lstat(path)
            digest = ""
            if os.path.isfile(path) and status.st_size < 2**24:
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
            found[path] = status.st_mode, status.st_mtime_ns, digest
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder, before and after all commands ran on its album."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile_corpus.build(str(folder / "album"))
    before = _state(folder / "album")
    done = subprocess.run(
        [sys.executable, "-m", "tests.inference.hostile_runs", str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, before


def _said(folder, command) -> list[str]:
    text = (folder / f"{command}.txt").read_text()
    return [line for line in re.split("[\n\r]", text) if line.strip()]


def _lines_of(said, kind) -> list[str]:
    name = files.shown_name(os.fsdecode(kind.name))
    return [
        line
        for line in said
        if re.search(rf"(^|[ /]){re.escape(name)}: ", line)
        or (kind.expect == LEFT_OUT and name in line)
    ]


def _result(folder, kind):
    """The path of what a picture must become."""
    path = os.path.join(os.fsencode(folder), b"colorized", kind.name)
    stem, extension = os.path.splitext(path)
    if extension.lower().decode() in encode.FORMATS:
        return path
    as_png = os.path.splitext(kind.name)[0] + b".png"
    taken = sum(
        k.name == as_png
        or (os.path.splitext(k.name)[0] + b".png" == as_png and _is_other(k))
        for k in KINDS
        if k.expect != LEFT_OUT
    )
    return stem + b".png" if taken == 1 else path + b".png"


def _is_other(kind) -> bool:
    """Whether results of a kind have another format."""
    extension = os.path.splitext(kind.name)[1].lower().decode()
    return extension not in encode.FORMATS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: repr(kind.name))
def test_every_kind_is_the_right_picture_or_one_line(runs, kind):
    folder, _ = runs
    said = _lines_of(_said(folder, "colorize"), kind)
    path = _result(folder, kind)
    exists = os.path.exists(path)
    failed = [line for line in said if line.startswith("failed: ")]
    if kind.expect == LEFT_OUT:
        assert not exists and not failed
        return
    assert exists == (not failed) and len(failed) <= 1
    if kind.expect == REFUSED:
        assert re.search(kind.reason, failed[0].partition(": ")[2])
    if kind.expect == PICTURE:
        assert exists
    if exists and kind.shape is not None:
        with open(path, "rb") as file, Image.open(file) as picture:
            picture.load()
            assert picture.size == kind.shape[::-1]
            assert picture.getexif().get(0x0112, 1) == 1
            rgb = np.asarray(picture.convert("RGB"))
        if kind.expect == PICTURE and kind.shape == (20, 32):
            found = skimage.color.rgb2lab(rgb)[..., 0]
            wanted = skimage.color.rgb2lab(hostile_corpus.base())[..., 0]
            assert np.abs(found - wanted).mean() < kind.tolerance


def test_there_are_more_than_a_hundred_kinds():
    assert len(KINDS) > 300


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_said_but_lines_of_the_command(runs, command):
    folder, _ = runs
    said = _said(folder, command)
    strange = [line for line in said if not _LINE.fullmatch(line)]
    if command == "evaluate":
        # Its summary is Markdown.
        strange = [line for line in strange if line[:1] in (" ", "T")]
    assert not strange
    assert not any("Traceback" in line or "\x1b[31" in line for line in said)
    assert all(len(line) < 3000 for line in said)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_the_pictures_that_it_cannot_read(runs, command):
    folder, _ = runs
    said = _said(folder, command)
    missing = [
        kind.name
        for kind in KINDS
        if kind.expect == REFUSED and len(_lines_of(said, kind)) != 1
        # It is slow, and was given some of them.
        if command != "evaluate" or kind.name.startswith((b"b", b"cut9"))
    ]
    assert not missing
    states = json.loads((folder / "runs.json").read_text())
    assert states[command]["status"] == 1


def test_special_files_are_said_to_be_left_out(runs):
    said = "\n".join(_said(runs[0], "colorize"))
    for name, what in (
        ("pipe.jpg", "a pipe"),
        ("socket.jpg", "a socket"),
        ("zero.jpg", "a device"),
        ("nothing.jpg", "a link to nothing"),
        ("itself.jpg", "not to be read"),
    ):
        assert f"{name} was left out: it is {what}" in said
    assert "2 links were left out" in said
    assert "1 .txt" in said


def test_sources_are_as_they_were_and_no_part_of_a_file_is_left(runs):
    folder, before = runs
    assert _state(folder / "album") == before
    results = set(os.listdir(folder))
    assert results == {
        *("album", "boxes", "classes.csv", "classifier.keras", "client"),
        "colorized",
        *("detector", "plain.keras", "records", "report", "runs.json"),
        *(f"{command}.txt" for command in COMMANDS),
    }
    for root, _, names in os.walk(folder):
        assert not [n for n in names if n.endswith(".tmp")], root


def test_nothing_takes_much_memory_or_time(runs):
    states = json.loads((runs[0] / "runs.json").read_text())
    # Kilobytes; TensorFlow alone takes half a gigabyte.
    memory = {name: state["memory"] for name, state in states.items()}
    assert max(memory.values()) < 1.6e6, memory
    assert states["colorize"]["seconds"] < 100


def test_prepared_pictures_are_those_that_could_be_read(runs):
    folder, _ = runs
    index = json.loads((folder / "records/00000.json").read_text())
    names = {os.fsencode(name) for name in index["names"]}
    for kind in KINDS:
        if kind.expect == PICTURE:
            assert kind.name in names
        if kind.expect in (REFUSED, LEFT_OUT):
            assert kind.name not in names


def test_a_kind_is_one_of_four():
    assert {k.expect for k in KINDS} == {PICTURE, REFUSED, EITHER, LEFT_OUT}
