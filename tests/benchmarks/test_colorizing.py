"""Programs that time whole commands, which run in this process here."""

import contextlib
import importlib
import importlib.util
import io
import os
import time

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from benchmarks import cold_start
from benchmarks import colorize_folder
from benchmarks import colorizing
from benchmarks import commands
from benchmarks import large_pictures
from benchmarks import measuring
from benchmarks import start_steps
from benchmarks import training_memory
from tests import drawn
from tests.inference import models
from tfcolor.cli import main as tfcolor_main
from tfcolor.data import sample_pictures

HAS_TORCH = importlib.util.find_spec("torch") is not None
TINY = {"width": "0.03125", "image_size": "16", "repeats": "2"}


def _call(arguments):
    """Does in this process what the command would do."""
    flag, program, *rest = arguments
    if program == cold_start._IMPORT:
        return
    if flag == "-c":
        colorizing_weights = importlib.import_module(
            "benchmarks.pytorch_colorize"
        ).save_weights
        colorizing_weights(rest[0], width=float(rest[1]))
    elif program == "tfcolor":
        with contextlib.suppress(SystemExit):
            assert tfcolor_main.run(rest) == 0
    else:
        importlib.import_module(program).main(rest)


@pytest.fixture(autouse=True)
def ran(monkeypatch):
    """What would have run as processes."""
    found = []

    def run(arguments):
        found.append(arguments)
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()) as output:
            _call(arguments)
        seconds = time.perf_counter() - started
        peak = 10**6 * len(found)
        return commands.CommandRun(seconds, peak, output.getvalue())

    monkeypatch.setattr(commands, "run", run)
    return found


@pytest.fixture
def tiny(tmp_path):
    """Flags of small pictures and a small model."""
    folder = tmp_path / "images"
    for i in range(2):
        drawn.write(folder / f"{i}.jpg", drawn.colored(i, 12, 20))
    model = models.save(models.plain_model(), tmp_path / "model.keras")
    return TINY | {"images": str(folder), "model": str(model)}


def _tables(program, capsys, options):
    """Runs a program; returns its tables as lists of rows, less the first."""
    with flagsaver.as_parsed(**options):
        program.main([])
    tables = capsys.readouterr().out.split("\n\n")
    rows = [
        [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
        for table in tables
        if table.startswith("|")
    ]
    return rows[1:]


@pytest.mark.long
def test_a_folder_is_colorized_by_both_sides(tiny, capsys, ran):
    options = tiny | {"picture_count": "3", "long_side": "16"}
    (rows,) = _tables(colorize_folder, capsys, options)
    sides = [colorizing.TFCOLOR, colorizing.PYTORCH][: 1 + HAS_TORCH]
    assert [row[0] for row in rows] == sides
    seconds, speed = float(rows[0][1]), float(rows[0][2])
    assert speed == pytest.approx(3 / seconds, rel=0.02)
    assert (rows[0][3] != "-") == HAS_TORCH
    assert rows[0][6].endswith(" MB")
    # A warm-up, then one picture and all of them in each turn.
    runs = [arguments for arguments in ran if arguments[1] == "tfcolor"]
    assert len(runs) == 5


def test_a_command_that_leaves_a_picture_out_is_an_error(
    tiny, tmp_path, monkeypatch
):
    done = commands.CommandRun(1.0, 1, "")
    monkeypatch.setattr(commands, "run", lambda arguments: done)
    run = colorizing.sides(None)[colorizing.TFCOLOR]
    with pytest.raises(RuntimeError, match="Received: 0 for 2"):
        run(str(tmp_path / "images"))


@pytest.mark.slow
def test_a_cold_start_is_divided_into_steps(tiny, capsys):
    command_rows, step_rows = _tables(cold_start, capsys, tiny)
    names = [row[0] for row in command_rows]
    assert names[:4] == [
        *("tfcolor --help", "tfcolor colorize"),
        *("tfcolor colorize --runtime=tensorflow", "import tensorflow, keras"),
    ]
    assert len(names) == 4 + HAS_TORCH
    steps = {r[1]: float(r[2]) for r in step_rows if r[0] == "tfcolor"}
    assert next(iter(steps)) == "import TensorFlow and Keras"
    assert "load the model" in steps
    # The steps are part of what the process took.
    assert steps[cold_start._REST] >= 0


def test_large_pictures_get_the_pixels_that_are_asked_for(
    tiny, capsys, ran, monkeypatch
):
    sizes = []
    tfcolor = colorizing.tfcolor

    def measured(picture, output):
        with Image.open(picture) as opened:
            sizes.append(opened.width * opened.height / 1e6)
        return tfcolor(picture, output)

    monkeypatch.setattr(colorizing, "tfcolor", measured)
    options = tiny | {"megapixels": "0.2,0.4", "repeats": "1"}
    (rows,) = _tables(large_pictures, capsys, options)
    np.testing.assert_allclose(sizes, [0.1, 0.2, 0.4], rtol=0.01)
    assert [row[0] for row in rows] == ["0.1", "0.2", "0.4"]
    assert rows[0][2] == "-" and rows[1][2] != "-"


@pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch")
def test_pytorch_keeps_the_size_and_lightness_of_pictures(tmp_path):
    from benchmarks import pytorch_colorize
    from tfcolor.color import lab

    weights = str(tmp_path / "full.pth")
    pytorch_colorize.save_weights(weights, width=1 / 32)
    network = pytorch_colorize.load(weights, width=1 / 32)
    path = str(sample_pictures.paths()[0])
    result = pytorch_colorize.colorize(network, path, size=32)
    with Image.open(path) as picture:
        assert result.size == picture.size
        rgb = np.asarray(picture.convert("RGB")) / np.float32(255)
    L, result_L = (
        lab.rgb_to_L(x.astype(np.float32))
        for x in (rgb, np.asarray(result) / 255)
    )
    assert np.median(np.abs(L - result_L)) < 0.5


def test_steps_that_would_not_fit_into_memory_are_left_out(capsys, monkeypatch):
    def weigh(module, function, *, batch, image_size, width):
        assert os.path.basename(function).endswith("full_step")
        pixels = batch * image_size**2
        return measuring.Memory(10**6, 10**6 + 100 * pixels)

    monkeypatch.setattr(measuring, "memory_of", weigh)
    monkeypatch.setattr(training_memory, "_free_memory", lambda: 10 * 10**6)
    options = {"batches": "1,4", "picture_sizes": "64,128,256"}
    (rows,) = _tables(training_memory, capsys, options)
    found = {(row[0], row[1]): row[3] for row in rows if row[2] == "tfcolor"}
    assert found["1", "64"] == "1 MB" and found["4", "128"] == "8 MB"
    assert found["4", "256"] == "-"


def test_steps_are_those_of_the_command(tiny):
    steps = start_steps.tfcolor(tiny["images"] + "/0.jpg", tiny["model"])
    assert len(steps) == 5 and min(steps.values()) >= 0
