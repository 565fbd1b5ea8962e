import os

import numpy as np
import pytest

from tests.models import model_contract
from tfcolor.models.blend import siggraph_blend
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file
from tfcolor.weights import shipped
from tfcolor.weights import shipped_files

OPTIONS = {"width": 1 / 32, "initializer": "he_normal"}
INFO = model_file.ModelInfo("siggraph", 64, "a network for tests")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = str(tmp_path / "models")
    monkeypatch.setattr(shipped_files, "FOLDER", path)
    return path


def test_a_written_model_is_listed_and_loads_with_float16_kernels(folder):
    model = siggraph(**OPTIONS)
    # Variances of deep features are larger than float16 knows.
    variance = model.get_layer("block7_bn").moving_variance
    variance.assign(np.full(variance.shape, 1e6))
    shipped.write(model, INFO, name="tiny_1", options=OPTIONS, folder=folder)
    assert shipped.names() == ["tiny_1"]
    loaded, info = shipped.load("tiny_1")
    assert info == INFO
    for weight, original in zip(loaded.weights, model.weights, strict=True):
        assert weight.dtype == "float32"
        expected = original.numpy()
        if expected.ndim > 1:
            expected = expected.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(weight, expected)
    inputs = model_contract.random_inputs(16, 16)
    model_contract.assert_outputs_equal(loaded(inputs), model(inputs), 1e-2)


def test_there_are_no_names_without_a_folder(folder):
    assert shipped.names() == []


@pytest.mark.parametrize("name", ["absent", "", "../secret"])
def test_unknown_names_are_refused(folder, name):
    with pytest.raises(ValueError, match="must be one of .*Received"):
        shipped.load(name)


@pytest.mark.parametrize("name", ["Tiny", "a b", "../up", ""])
def test_names_with_other_characters_are_refused(folder, name):
    with pytest.raises(ValueError, match="Received: name="):
        shipped.write(
            siggraph(**OPTIONS), INFO, name=name, options=OPTIONS, folder=folder
        )
    assert not os.path.exists(folder)


@pytest.mark.parametrize("value", [1e6, np.nan])
def test_kernels_that_do_not_fit_into_float16_are_refused(folder, value):
    model = siggraph(**OPTIONS)
    kernel = model.get_layer("ab_out").kernel
    kernel.assign(np.full(kernel.shape, value))
    with pytest.raises(ValueError, match="not finite: .'ab_out/kernel'"):
        shipped.write(model, INFO, name="a", options=OPTIONS, folder=folder)
    assert shipped.names() == []


def test_options_that_build_another_network_are_refused(folder):
    with pytest.raises(ValueError, match="what `options` build"):
        shipped.write(
            siggraph(width=1 / 16),
            INFO,
            name="a",
            options=OPTIONS,
            folder=folder,
        )
    assert shipped.names() == []


_NATURAL = {"class_share": 0.2, "temperature": 0.7, "saturation": 1.0}
_VIVID = {"class_share": 0.8, "temperature": 0.5, "saturation": 1.4}


@pytest.fixture
def styled(folder):
    """A shipped model with styles, and its inputs."""
    options = {"width": 1 / 32} | _NATURAL
    model = siggraph_blend(**options)
    for weight in model.weights:
        if weight.path.endswith("kernel"):
            weight.assign(weight * 8)
    styles = {"natural": _NATURAL, "vivid": _VIVID}
    info = model_file.ModelInfo("siggraph_blend", 32)
    shipped.write(
        model,
        info,
        name="styled",
        options=options,
        styles=styles,
        folder=folder,
    )
    return model_contract.random_inputs(16, 16)


@pytest.mark.parametrize(
    "style, expected",
    [
        (None, _NATURAL),
        ("natural", _NATURAL),
        ("vivid", _VIVID),
        (0.5, {k: (_NATURAL[k] + _VIVID[k]) / 2 for k in _NATURAL}),
        ("1", _VIVID),
    ],
)
def test_a_style_decides_how_the_same_weights_are_decoded(
    styled, style, expected
):
    model, _ = shipped.load("styled", style=style)
    blended = siggraph_blend(width=1 / 32, **expected)
    blended.set_weights(model.get_weights())
    model_contract.assert_outputs_equal(model(styled), blended(styled), 1e-5)


@pytest.mark.parametrize("style", ["bright", -0.1, 1.5, "nan"])
def test_unknown_styles_are_refused(styled, style):
    with pytest.raises(ValueError, match="natural.*vivid.*Received: style="):
        shipped.load("styled", style=style)


def test_a_model_without_styles_says_so(folder):
    model = siggraph(**OPTIONS)
    shipped.write(model, INFO, name="plain", options=OPTIONS, folder=folder)
    with pytest.raises(ValueError, match="has styles. Received.*'plain'"):
        shipped.load("plain", style="vivid")


def test_all_that_ships_has_at_most_25_megabytes():
    sizes = [entry.stat().st_size for entry in os.scandir(shipped_files.FOLDER)]
    assert len(sizes) >= 6
    assert sum(sizes) <= 25e6
