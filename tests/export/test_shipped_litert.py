import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from tfcolor.export import shipped_litert
from tfcolor.inference import network
from tfcolor.inference.litert_network import LiteRTNetwork
from tfcolor.models import siggraph_blocks
from tfcolor.weights import litert_template
from tfcolor.weights import shipped
from tfcolor.weights import shipped_files

_DTYPES = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.INT32: "<i4"}


@pytest.mark.long
@pytest.mark.parametrize("name", litert_template.names())
def test_a_filled_template_is_a_fresh_conversion(name):
    fresh = _read(shipped_litert.convert(name))
    filled = _read(litert_template.fill(name))
    assert filled[0] == fresh[0]
    for ours, values in zip(filled[1], fresh[1], strict=True):
        # Normalizations are folded in another order.
        limit = 1e-6 * np.abs(values).max(initial=0)
        np.testing.assert_allclose(ours, values, atol=limit)


def _read(content):
    """Returns the operations of a file, and its constants.

    Names and their lengths depend on what the process made before.
    """
    (graph,) = (model := schema.ModelT.InitFromPackedBuf(content)).subgraphs
    codes = [code.builtinCode for code in model.operatorCodes]
    operations = [
        (codes[o.opcodeIndex], list(o.inputs), list(o.outputs))
        for o in graph.operators
    ]
    constants = []
    for tensor in graph.tensors:
        data = model.buffers[tensor.buffer].data
        dtype = _DTYPES.get(tensor.type, np.uint8)
        constants.append(
            np.zeros(0) if data is None else np.asarray(data).view(dtype)
        )
    return operations, constants


@pytest.mark.parametrize(
    "name",
    ["lite2_unet", pytest.param("lite0_unet", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(
    "style",
    [
        None,
        pytest.param(0.5, marks=pytest.mark.slow),
        pytest.param("vivid", marks=pytest.mark.slow),
    ],
)
def test_a_filled_template_colors_as_the_model(name, style):
    model, info = shipped.load(name, style=style)
    side = info.image_size
    ramp = np.linspace(0, 100, side, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 8, (side, side))
    L = np.clip(ramp + noise, 0, 100).astype(np.float32)[None, ..., None]
    inputs = siggraph_blocks.without_hints(L)
    expected = network.network_function(model)(inputs)
    options = shipped_files.description(name, style)["options"]
    found = LiteRTNetwork(litert_template.fill(name)).predict_ab(
        L, style=litert_template.style_values(options)
    )
    assert np.ptp(expected) > 5
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_the_default_model_has_a_template():
    assert shipped_files.DEFAULT in litert_template.names()


def test_other_weights_are_refused(tmp_path, monkeypatch):
    name = shipped_files.DEFAULT
    with np.load(shipped_files.weights_file(name)) as found:
        arrays = dict(found)
    arrays["stem/kernel"] = arrays["stem/kernel"][:, :, :, :8]
    path = str(tmp_path / "other.npz")
    np.savez(path, **arrays)
    monkeypatch.setattr(shipped_files, "weights_file", lambda name: path)
    with pytest.raises(ValueError, match="must belong to its weights"):
        litert_template.fill(name)


def test_a_model_of_other_layers_has_no_template():
    with pytest.raises(ValueError, match="efficientnet_unet_blend. Received"):
        shipped_litert.convert("siggraph_small")


def test_a_new_model_removes_the_template_of_the_old_one(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped_files, "FOLDER", str(tmp_path))
    options = {"width": 1 / 32}
    model = shipped.siggraph(**options)
    info = shipped.model_file.ModelInfo("siggraph", 48)
    shipped.write(model, info, name="tiny", options=options)
    template = litert_template.file("tiny")
    with open(template, "wb") as file:
        file.write(b"old")
    assert litert_template.names() == ["tiny"]
    shipped.write(model, info, name="tiny", options=options)
    assert litert_template.names() == []
