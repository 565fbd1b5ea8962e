import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.inference import models
from tfcolor import atomic
from tfcolor.cli import main
from tfcolor.data import sample_pictures
from tfcolor.inference import litert_network

# Prints whether the command has imported TensorFlow.
_PROGRAM = """
import sys
from tfcolor.cli import main
status = main.run(["demo", "--output=demo"])
print("status", status, "tensorflow" in sys.modules)
"""


@pytest.fixture
def two_samples(monkeypatch):
    monkeypatch.setattr(
        sample_pictures,
        "paths",
        lambda paths=sample_pictures.paths: paths()[:2],
    )


def test_demo_writes_every_sample_and_a_contact_sheet(
    tmp_path, capsys, two_samples
):
    model = models.save(
        models.plain_model(ab=(20.0, -30.0)), tmp_path / "model.keras"
    )
    output = tmp_path / "demo"
    assert main.run(["demo", f"--output={output}", f"--model={model}"]) == 0
    written = sorted(path.name for path in output.iterdir())
    assert len(written) == 3 and "contact_sheet.png" in written
    assert capsys.readouterr().out == (
        f"2 colorized pictures: {output}\n"
        f"contact sheet: {output / 'contact_sheet.png'}\n"
    )
    with Image.open(output / written[0]) as picture:
        pixels = np.asarray(picture).astype(int)
    # a = 20, b = -30 is a violet: blue above green nearly everywhere.
    assert (pixels[..., 2] > pixels[..., 1]).mean() > 0.9


def test_files_that_are_there_are_kept_unless_overwritten(
    tmp_path, capsys, two_samples
):
    model = models.save(models.plain_model(), tmp_path / "model.keras")
    output = tmp_path / "demo"
    output.mkdir()
    first, second = (
        output / f"{pathlib.Path(path).stem}.png"
        for path in sample_pictures.paths()
    )
    first.write_text("mine")
    demo = ["demo", f"--output={output}"]
    again = "there already, skipped, --overwrite makes them anew)"
    for done in (1, 0):
        # Nothing is loaded where all is there.
        used = model if done else tmp_path / "none.keras"
        assert main.run([*demo, f"--model={used}"]) == 0
        said, sheet = capsys.readouterr().out.splitlines()
        assert said == (
            f"{done} colorized pictures: {output} ({2 - done} {again}"
        )
        assert sheet == f"contact sheet: {output / 'contact_sheet.png'}"
        assert first.read_text() == "mine" and second.exists()
    assert main.run([*demo, f"--model={model}", "--overwrite"]) == 0
    assert "2 colorized pictures" in capsys.readouterr().out
    Image.open(first).close()


def test_what_cannot_be_written_ends_with_status_1(
    tmp_path, capsys, monkeypatch, two_samples
):
    def fill(*arguments):
        raise OSError(28, "No space left on device")

    model = models.save(models.plain_model(), tmp_path / "model.keras")
    monkeypatch.setattr(atomic, "write_bytes", fill)
    arguments = [f"--output={tmp_path / 'demo'}", f"--model={model}"]
    assert main.run(["demo", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        "tfcolor demo: error: [Errno 28] No space left on device"
    )


@pytest.mark.skipif(
    not litert_network.has_own_package(), reason="needs ai-edge-litert"
)
def test_demo_does_not_wait_for_tensorflow(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "status 0 False", done.stderr
    assert len(os.listdir(tmp_path / "demo")) == 13


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "nonsense"}, "one that ships"),
        ({"output": "a_file/demo"}, "cannot be made"),
    ],
)
def test_wrong_usage_ends_in_one_line_and_status_2(
    tmp_path, capsys, monkeypatch, options, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").write_text("")
    arguments = [f"--{name}={value}" for name, value in options.items()]
    assert main.run(["demo", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("tfcolor demo: error: ") and said in error
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a_file"]
