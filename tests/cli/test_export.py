import argparse
import os

import pytest

from tests.export import exported
from tests.inference import models
from tfcolor.cli import export
from tfcolor.export import verification


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
    printed = capsys.readouterr().out
    assert f"Exported into {output}" in printed
    assert "wants a number" in printed


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
    assert "differs: the sky is green" in capsys.readouterr().err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=none.keras"], "none.keras"),
        (["--image_size=9"], "image_size"),
        (["--saturation=-1"], "saturation"),
        (["--boxes_at_once=0"], "boxes_at_once"),
        (["--format=litert", "--verify"], "--format=saved_model"),
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


def test_an_older_export_is_kept_unless_told_otherwise(model, tmp_path, capsys):
    (tmp_path / "1").mkdir()
    assert _run(model, f"--output={tmp_path / '1'}") == 2
    assert "must not exist" in capsys.readouterr().err
