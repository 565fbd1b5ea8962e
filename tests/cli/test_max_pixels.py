import os
import shutil

import pytest

from tests import drawn
from tests.detection import tiny_detectors
from tests.inference import models
from tests.inference.test_classifier import write_model
from tfcolor.cli import main

# Of 32 x 32 pixels each.
PIXELS = 32 * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of pictures, models and a detector."""
    folder = tmp_path_factory.mktemp("made")
    drawn.write_album(folder / "album", 2)
    models.save(models.plain_model(), folder / "plain.keras")
    write_model(str(folder / "classes.keras"), class_names=("a", "b"))
    tiny_detectors.object_detection_api(str(folder / "detector"))
    return folder


@pytest.fixture
def commands(made, tmp_path, monkeypatch):
    """The arguments of every command that decodes pictures."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    model, url = "plain.keras", "--url=http://127.0.0.1:9"
    return {
        "colorize": ["album", "--output=colored/", f"--model={model}"],
        "client": ["album", "--output=sent/", "--retries=0", url],
        "detect": ["album", "--output=boxes", "--detector=detector"],
        "classify": ["album", "--model=classes.keras"],
        "prepare": ["--images=album", "--output=records"],
        "evaluate": ["--truth=album", "--output=report", f"--model={model}"],
    }


NAMES = ("colorize", "client", "detect", "classify", "prepare", "evaluate")
# Whole reports take seconds.
SOME = (*NAMES[:-1], pytest.param("evaluate", marks=pytest.mark.slow))


@pytest.mark.parametrize("name", SOME)
def test_pictures_of_more_pixels_are_named(commands, capsys, name):
    limit = f"--max_pixels={PIXELS - 1}"
    assert main.run([name, *commands[name], limit]) == 1
    said = capsys.readouterr().err
    assert said.count(f"must have at most {PIXELS - 1} pixels") == 2
    assert said.count("Received: 32 x 32") == 2


@pytest.mark.parametrize("name", SOME)
def test_pictures_of_as_many_pixels_are_read(commands, capsys, name):
    main.run([name, *commands[name], f"--max_pixels={PIXELS}"])
    assert "must have at most" not in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [0, -5, 2**40])
def test_a_limit_that_is_none_is_wrong_usage(commands, capsys, name, wrong):
    before = sorted(os.listdir("."))
    assert main.run([name, *commands[name], f"--max_pixels={wrong}"]) == 2
    said = capsys.readouterr().err
    assert f"tfcolor {name}: error: --max_pixels must be in 1.." in said
    assert f"Received: --max_pixels={wrong}" in said
    assert sorted(os.listdir(".")) == before
