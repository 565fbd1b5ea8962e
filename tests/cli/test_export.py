import argparse
import importlib
import os

import pytest

from tests.export import exported
from tests.inference import models
from tfcolor.cli import export
from tfcolor.export import verification
from tfcolor.export import warm_up


def _run(*arguments):
    parser = argparse.ArgumentParser(prog="tfcolor")
    export.add_parser(parser.add_subparsers())
    return export.run(parser.parse_args(["export", *map(str, arguments)]))


@pytest.fixture
def model():
    return f"--model={exported.model_file(models.lightness_model)}"


def test_a_model_is_exported_and_its_place_named(model, tmp_path, capsys):
    output = tmp_path / "colorizer" / "latest"
    assert _run(model, f"--output={output}") == 0
    assert (output / "saved_model.pb").is_file()
    note = "TensorFlow Serving wants a number as the last folder"
    if not warm_up.is_available():
        note = f"no warm-up requests: they need the extra [serving]; {note}"
    said = capsys.readouterr().out
    assert said == f"Exported into {output} ({note})\n"


@pytest.mark.parametrize(
    ("form", "made", "said"),
    [
        ("onnx", 2e-6, "Exported into {} (onnxruntime equals Keras within "),
        ("litert", ["| a |", "| 1 |"], "| a |\n| 1 |\nExported into {}\n"),
    ],
)
def test_other_formats_say_what_was_measured(
    model, form, made, said, tmp_path, capsys, monkeypatch
):
    module = importlib.import_module(f"tfcolor.export.export_{form}")
    calls = []

    def export_it(*arguments, **options):
        calls.append((arguments, options))
        return made

    monkeypatch.setattr(module, f"export_{form}", export_it)
    output = str(tmp_path / "out")
    flags = (f"--format={form}", "--image_size=64", "--style=vivid")
    assert _run(model, f"--output={output}", *flags, "--overwrite") == 0
    assert capsys.readouterr().out.startswith(said.format(output))
    arguments = (model.removeprefix("--model="), output)
    options = {"image_size": 64, "style": "vivid", "overwrite": True}
    assert calls == [(arguments, options)]


def test_a_difference_is_reported_and_nothing_written(
    model, tmp_path, capsys, monkeypatch
):
    def verify(path, cases):
        assert os.path.isfile(os.path.join(path, "saved_model.pb"))
        assert cases
        raise verification.VerificationError(["the sky is green"])

    monkeypatch.setattr(verification, "verify", verify)
    output = tmp_path / "1"
    assert _run(model, f"--output={output}", "--verify") == 1
    assert capsys.readouterr().err == (
        f"differs: the sky is green\n{output} was not written\n"
    )
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=none.keras"], "none.keras"),
        (["--image_size=9"], "image_size"),
        (["--saturation=-1"], "saturation"),
        (["--boxes_at_once=0"], "boxes_at_once"),
        (
            ["--format=litert", "--crop_size=8", "--verify"],
            "error: --verify, --crop_size must come with --format=saved_model "
            "alone: other files are the network alone. Received: "
            "--format=litert\n",
        ),
        (["--format=litert", "--crop_size=8"], "--crop_size must come"),
        (["--format=onnx", "--boxes_at_once=1"], "--boxes_at_once must come"),
        (["--format=onnx", "--max_pixels=9"], "--max_pixels must come"),
        (["--crop_size=8"], "crop_size=8 for"),
    ],
)
def test_wrong_usage_ends_with_status_2(
    model, flags, message, tmp_path, capsys
):
    assert _run(model, f"--output={tmp_path / '1'}", *flags) == 2
    assert message in capsys.readouterr().err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("form", ["litert", "onnx"])
def test_a_model_that_a_format_refuses_is_not_said_to_be_a_flag(
    form, tmp_path, capsys
):
    model = f"--model={exported.model_file(models.counting_model)}"
    output = f"--output={tmp_path / '1'}"
    assert _run(model, output, f"--format={form}") == 2
    said = capsys.readouterr().err
    assert "Received: a model named 'functional" in said
    assert "--model" not in said


def test_an_older_export_is_kept_unless_told_otherwise(model, tmp_path, capsys):
    (tmp_path / "1").mkdir()
    assert _run(model, f"--output={tmp_path / '1'}") == 2
    assert "must not exist" in capsys.readouterr().err
