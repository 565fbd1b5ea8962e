"""One function for all formats; each has its own tests."""

import os

import pytest

from tests.export import exported
from tests.inference import models
from tfcolor.export import export_litert
from tfcolor.export import export_model
from tfcolor.export import export_onnx


@pytest.fixture
def calls(monkeypatch):
    """What the functions of the other formats are called with."""
    found = []

    def replace(module, name, made):
        def run(*args, **options):
            found.append((name, *args, options))
            return made

        monkeypatch.setattr(module, name, run)

    replace(export_litert, "export_litert", ["| 1 |"])
    replace(export_onnx, "export_onnx", 2e-6)
    return found


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("litert", ([], ["| 1 |"])),
        ("onnx", (["onnxruntime equals Keras within 2.0e-06"], [])),
    ],
)
def test_other_formats_get_what_is_of_the_network(calls, form, said):
    found = export_model.export(
        "a.keras",
        "out",
        format=form,
        image_size=64,
        # Defaults say nothing.
        verify=False,
        saturation=1.0,
        crop_size=None,
    )
    assert tuple(found) == said
    options = {"image_size": 64, "style": None, "overwrite": False}
    assert calls == [(f"export_{form}", "a.keras", "out", options)]


def test_a_saved_model_is_what_is_written_unless_told_otherwise(tmp_path):
    source = exported.model_file(models.lightness_model)
    found = export_model.export(
        source, str(tmp_path / "latest"), crop_size=None
    )
    assert (tmp_path / "latest" / "saved_model.pb").is_file()
    assert found.notes[-1].startswith("TensorFlow Serving wants a number")
    assert found.table == []


@pytest.mark.parametrize("form", ["litert", "onnx"])
def test_options_that_a_format_does_not_take_are_refused(calls, form, tmp_path):
    with pytest.raises(ValueError, match="^`saturation`, `verify` must") as e:
        export_model.export(
            None,
            str(tmp_path / "out"),
            format=form,
            saturation=0.5,
            boxes_at_once=2,
            verify=True,
        )
    assert str(e.value).endswith(f"Received: format={form}")
    assert not calls and not os.listdir(tmp_path)


@pytest.mark.parametrize("form", ["saved_model", "litert", "onnx"])
def test_names_that_are_no_options_are_mistakes_of_the_program(form, tmp_path):
    with pytest.raises(TypeError, match="saturaton"):
        export_model.export(
            None, str(tmp_path / "out"), format=form, saturaton=1.0
        )
    assert not os.listdir(tmp_path)


def test_the_format_must_be_known():
    with pytest.raises(ValueError, match="`format` must be .* format='tfjs'"):
        export_model.export(None, "out", format="tfjs")
