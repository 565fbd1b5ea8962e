import argparse
import csv
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from tests import class_albums
from tests import drawn
from tests.inference import test_classifier
from tfcolor.cli import classify
from tfcolor.cli import main
from tfcolor.inference.classifier import Classifier


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    test_classifier.write_model(path)
    return path


@pytest.fixture
def album(tmp_path):
    return class_albums.write(tmp_path / "album", 2)


def _run(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    classify.add_parser(parser.add_subparsers())
    return classify.run(parser.parse_args(["classify", *map(str, arguments)]))


def test_classes_and_probabilities_are_printed_and_written(
    model, album, tmp_path, capsys
):
    out = tmp_path / "out.csv"
    arguments = (album, f"--model={model}", f"--output={out}", "--top=2")
    assert _run(*arguments, "--batch_size=4") == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 7
    assert said[-1] == f"Classified 6 pictures into {out}"
    with open(out, newline="") as f:
        rows = list(csv.DictReader(f))
    assert [row["picture"] for row in rows[:3]] == [
        *("bright/000.png", "bright/000.png", "bright/001.png"),
    ]
    expected = Classifier(model).classify(class_albums.picture("bright", 0))
    for rank, row in enumerate(rows[:2]):
        assert row["rank"] == str(rank + 1)
        assert row["class"] == expected[rank][0]
        assert float(row["probability"]) == pytest.approx(
            expected[rank][1], abs=1e-4
        )
    best, share = expected[0]
    assert said[0].startswith(f"bright/000.png: {best} {100 * share:.1f} %, ")


def test_bad_pictures_are_named_at_the_end(model, album, tmp_path, capsys):
    bad = tmp_path / "album/bad.jpg"
    bad.write_bytes(b"no picture")
    out = tmp_path / "out.csv"
    assert _run(album, f"--model={model}", f"--output={out}") == 1
    captured = capsys.readouterr()
    assert f"failed: {bad}: The file is not a picture" in captured.err
    assert "Classified 6 pictures" in captured.out
    assert out.read_text().count("\n") == 1 + 6 * 3


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["album", "--model=absent.keras"], "absent.keras"),
        (["nothing", "--model=M"], "nothing"),
        (["album", "--model=M", "--top=0"], "--top must be 1 or above"),
        (["album", "--model=M", "--batch_size=0"], "batch_size"),
        (["album", "--model=M", "--output=a.png"], "must be a CSV file"),
    ],
)
def test_wrong_usage_is_said_in_a_line(
    model, album, tmp_path, monkeypatch, capsys, flags, said
):
    monkeypatch.chdir(tmp_path)
    assert _run(*[f.replace("=M", f"={model}") for f in flags]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tfcolor classify: error: ") and said in error
    assert error.count("\n") == 1


def test_a_file_that_cannot_be_written_is_an_error(
    model, album, tmp_path, capsys
):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file/out.csv"
    assert _run(album, f"--model={model}", f"--output={out}") == 1
    assert "tfcolor classify: error: " in capsys.readouterr().err


def test_help_does_not_wait_for_tensorflow():
    code = (
        "import argparse, sys\n"
        "from tfcolor.cli import classify\n"
        "classify.add_parser(argparse.ArgumentParser().add_subparsers())\n"
        "slow = {'tensorflow', 'numpy', 'cv2'} & set(sys.modules)\n"
        "sys.exit(str(slow) if slow else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_that_are_not_utf_8_are_written(model, album, tmp_path, capsys):
    odd = os.fsdecode(b"b\xe9.png")
    os.rename(f"{album}/bright/000.png", f"{album}/bright/{odd}")
    out = tmp_path / "out.csv"
    arguments = [f"--model={model}", f"--output={out}"]
    assert main.run(["classify", str(album), *arguments]) == 0
    assert "Classified 6 pictures" in capsys.readouterr().out
    assert r"bright/b\xe9.png" in out.read_text(encoding="utf-8")


def test_pictures_of_several_inputs_are_told_apart(model, tmp_path, capsys):
    for name in ("cellar", "attic"):
        class_albums.write(tmp_path / name, 1)
    inputs = [f"{tmp_path}/cellar", f"{tmp_path}/attic"]
    out = tmp_path / "out.csv"
    assert _run(*inputs, f"--model={model}", f"--output={out}", "--top=1") == 0
    with open(out, newline="") as f:
        named = [row["picture"] for row in csv.DictReader(f)]
    assert len(set(named)) == 6
    assert f"{tmp_path}/attic/bright/000.png" in named
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in said[:6]] == named


def test_what_is_ignored_of_pictures_is_said(model, album, capsys):
    path = drawn.write_animation(f"{album}/moves.gif", 3)
    assert _run(album, f"--model={model}") == 0
    said = capsys.readouterr().err
    assert f"note: {path}: it has 3 frames; the first one is taken" in said
    assert said.count("note: ") == 1


def test_memory_that_runs_out_is_said_of_each_picture(
    model, album, monkeypatch, capsys
):
    def exhausted(self, pictures):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    monkeypatch.setattr(Classifier, "probabilities", exhausted)
    assert _run(album, f"--model={model}") == 1
    said = capsys.readouterr().err
    assert said.count("Memory ran out. Try a smaller --batch_size") == 6
