import os

import numpy as np
import pytest

from tests.export import exported
from tests.inference import models
from tests.weights import ddcolor_states
from tests.weights import published_states
from tests.weights import pytorch_pickles
from tfcolor.export import export_litert
from tfcolor.export import export_model
from tfcolor.export import litert
from tfcolor.export import litert_figures
from tfcolor.inference import litert_network
from tfcolor.inference import network
from tfcolor.models import siggraph_blocks
from tfcolor.models.blend import siggraph_blend
from tfcolor.weights import ddcolor_keys
from tfcolor.weights import pytorch_models

SIZE = 32


@pytest.mark.long
def test_files_are_small_and_close_to_keras(tmp_path):
    model = siggraph_blend(width=1 / 8)
    for weight in model.weights:
        if "kernel" in weight.path:
            fan_in = np.prod(weight.shape[:-1])
            noise = np.random.default_rng(len(weight.path)).normal(
                0, (2 / fan_in) ** 0.5, weight.shape
            )
            weight.assign(noise)
    path = models.save(model, tmp_path / "tiny.keras", SIZE)
    output = tmp_path / "out"
    table = export_litert.export_litert(path, str(output))
    names = ["tiny_float16.tflite", "tiny_int8.tflite"]
    assert sorted(os.listdir(output)) == ["model_card.md", *names]
    card = (output / "model_card.md").read_text()
    assert "\n".join(table) in card
    assert [row.split(" | ")[0][2:] for row in table[2:]] == [
        litert_figures.KERAS,
        *names,
    ]
    sizes = [os.path.getsize(output / name) for name in names]
    whole = sum(w.numpy().nbytes for w in model.weights)
    assert sizes[1] < sizes[0] < whole
    L = np.random.default_rng(0).uniform(0, 100, [1, SIZE, SIZE, 1])
    L = L.astype(np.float32)
    right = network.network_function(model)(
        siggraph_blocks.without_hints(L)
    ).numpy()
    assert right.std() > 1
    for name, tolerance in zip(names, (0.01, 0.2), strict=True):
        found = litert_network.LiteRTNetwork((output / name).read_bytes())
        error = found.predict_ab(L) - right
        assert error.std() < tolerance * right.std()


@pytest.mark.long
def test_ddcolor_becomes_a_file_of_operators_that_litert_has():
    state = ddcolor_states.state("tiny", 11)
    model, _ = ddcolor_keys.build(state)
    content = litert.convert(model, image_size=SIZE, kind=litert.FLOAT16)
    L = np.random.default_rng(0).uniform(0, 100, [1, SIZE, SIZE, 1])
    L = L.astype(np.float32)
    right = model({"L": L})["ab"].numpy()
    error = litert_network.LiteRTNetwork(content).predict_ab(L) - right
    assert error.std() < 0.01 * right.std()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["eccv16", "siggraph17"])
def test_published_networks_become_files_close_to_keras(kind, tmp_path):
    make = {"eccv16": published_states.eccv16}.get(kind, published_states.full)
    path = pytorch_pickles.save(tmp_path / f"{kind}.pth", make(5, 1 / 8))
    output = tmp_path / "out"
    table = export_litert.export_litert(path, str(output), image_size=2 * SIZE)
    names = [f"{kind}_float16.tflite", f"{kind}_int8.tflite"]
    assert sorted(os.listdir(output)) == sorted([*names, "model_card.md"])
    assert len(table) == 5
    model, _ = pytorch_models.load(path)
    L = np.random.default_rng(0).uniform(0, 100, [1, 2 * SIZE, 2 * SIZE, 1])
    L = L.astype(np.float32)
    right = network.network_function(model)(
        siggraph_blocks.without_hints(L)
    ).numpy()
    assert right.std() > 1
    for name, tolerance in zip(names, (0.01, 0.2), strict=True):
        found = litert_network.LiteRTNetwork((output / name).read_bytes())
        error = found.predict_ab(L) - right
        assert error.std() < tolerance * right.std()


def test_models_with_boxes_are_refused(tmp_path):
    path = exported.model_file(models.counting_model)
    with pytest.raises(ValueError, match="which takes .*box_valid"):
        export_litert.export_litert(path, str(tmp_path / "out"))
    assert not os.listdir(tmp_path)


def test_other_kinds_are_refused():
    with pytest.raises(ValueError, match="Received: kind='int4'"):
        litert.convert(models.plain_model(), image_size=16, kind="int4")


@pytest.mark.parametrize(
    ("model", "style", "stem", "made_with"),
    [
        ("lite0_unet:vivid", None, "lite0_unet_vivid", ", style vivid"),
        ("lite0_unet", "0.50", "lite0_unet_0.5", ", style 0.5"),
        ("lite0_unet", None, "lite0_unet", ""),
    ],
)
def test_the_style_is_in_names_and_card(
    model, style, stem, made_with, tmp_path, monkeypatch
):
    monkeypatch.setattr(litert, "convert", lambda *_, **__: b"network")
    monkeypatch.setattr(litert_figures, "measure", lambda *_, **__: [])
    output = tmp_path / "out"
    export_litert.export_litert(model, str(output), style=style, image_size=64)
    names = [f"{stem}_float16.tflite", f"{stem}_int8.tflite", "model_card.md"]
    assert sorted(os.listdir(output)) == sorted(names)
    card = (output / "model_card.md").read_text()
    assert card.startswith("# lite0_unet\n")
    assert f"- made with: image_size 64{made_with}\n" in card


def test_paths_with_a_colon_have_no_style():
    assert export_model.name_of("runs/a:b.keras") == "a:b"
    assert export_model.style_option("runs/a:b.keras", None) == {}
