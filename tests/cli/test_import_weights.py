import argparse
import importlib.util
import os
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tests.weights import published_states
from tests.weights import pytorch_pickles as pickles
from tests.weights import torchvision_states
from tfcolor.cli import import_weights
from tfcolor.cli import main
from tfcolor.weights import import_checkpoint
from tfcolor.weights import model_file
from tfcolor.weights import pytorch_models

WIDTH = 1 / 16
FULL = published_states.full(5, WIDTH)


def _run(*arguments):
    parser = argparse.ArgumentParser()
    import_weights.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["import-weights", *map(str, arguments)])
    return args.run(args)


@pytest.fixture
def without_torch(monkeypatch):
    """As on a machine that has no PyTorch."""
    find_spec = importlib.util.find_spec
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "torch" else find_spec(name, *rest),
    )


@pytest.fixture
def golden():
    return golden_files.load("instance_aware_narrow_32px")


def _folder(path, seed):
    path.mkdir()
    for name, state in (
        ("latest_net_GComp", published_states.full(seed, WIDTH)),
        ("latest_net_G", published_states.full(seed + 1, WIDTH)),
        ("latest_net_GF", published_states.fusion(seed + 2, WIDTH)),
    ):
        np.savez(path / f"{name}.npz", **state)
    return path


def test_a_single_network_becomes_a_model_file(
    tmp_path, capsys, without_torch, golden
):
    source, output = tmp_path / "net.npz", tmp_path / "net.keras"
    np.savez(source, **published_states.full(int(golden["seed"]), WIDTH))
    status = _run(source, "--architecture=full", f"--output={output}")
    assert status == 0
    said = capsys.readouterr().out
    assert "full: 98 arrays used; ignored: 9 num_batches_tracked" in said
    assert "not compared, PyTorch is missing" in said
    model, info = model_file.load(str(output))
    assert (info.architecture, info.image_size) == ("siggraph", 256)
    assert info.description == "full weights imported from net.npz"
    picture, _ = golden_files.inputs(golden)
    np.testing.assert_allclose(
        model(picture)["ab"][:, ::2, ::2], golden["full_ab"], atol=1e-2
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["instcolorization", "mmagic"])
def test_three_networks_become_one_model(
    kind, tmp_path, capsys, without_torch, golden
):
    seed, output = int(golden["seed"]), tmp_path / "whole.keras"
    if kind == "mmagic":
        source = tmp_path / "mmagic.npz"
        np.savez(source, **published_states.mmagic(seed, WIDTH))
    else:
        source = _folder(tmp_path / "released", seed)
    status = _run(source, f"--architecture={kind}", f"--output={output}")
    assert status == 0
    said = capsys.readouterr().out
    assert "ignored: model_class, weight_layerout, 9 num_batches" in said
    model, info = model_file.load(str(output))
    assert info.architecture == "instance_colorizer"
    picture, crops = golden_files.inputs(golden)
    inputs = picture | golden_files.box_inputs(golden)
    inputs["crops"] = crops[None, ...]
    np.testing.assert_allclose(
        model(inputs)["ab"], golden["fusion_ab"], rtol=0, atol=1e-2
    )


@pytest.mark.slow
def test_siggraph17_takes_the_mask_as_it_is(tmp_path, without_torch):
    np.savez(tmp_path / "net.npz", **FULL)
    outputs = {}
    for kind in ("full", "siggraph17"):
        output = tmp_path / f"{kind}.keras"
        _run(
            tmp_path / "net.npz", f"--architecture={kind}", f"--output={output}"
        )
        model, _ = model_file.load(str(output))
        plane = tf.fill([1, 16, 16, 1], 0.5 if kind == "full" else 0.0)
        inputs = {
            "L": tf.fill([1, 16, 16, 1], 40.0),
            "hints": tf.zeros([1, 16, 16, 2]),
            "mask": plane,
        }
        outputs[kind] = model(inputs)["ab"]
    np.testing.assert_allclose(
        outputs["full"], outputs["siggraph17"], atol=1e-4
    )


@pytest.mark.parametrize("kind", ["full", "instcolorization"])
def test_weights_that_do_not_fit_write_nothing(kind, tmp_path, capsys):
    source = _folder(tmp_path / "released", 1)
    path = source / "latest_net_GComp.npz"
    state = published_states.full(1, WIDTH)
    state["model3.2.weights"] = state.pop("model3.2.weight")
    np.savez(path, **state)
    if kind == "instcolorization":
        other = published_states.fusion(3, WIDTH)
        del other["weight_layer7.simple_bg_conv.4.bias"]
        np.savez(source / "latest_net_GF.npz", **other)
    status = _run(
        path if kind == "full" else source,
        f"--architecture={kind}",
        f"--output={tmp_path / 'net.keras'}",
    )
    said = capsys.readouterr().err
    assert status == 2
    assert not (tmp_path / "net.keras").exists()
    assert said.startswith("tfcolor import-weights: error: ")
    # Each on a line of its own.
    assert "\n  missing: model3.2.weight (16, 16, 3, 3)\n" in said
    assert "unexpected: model3.2.weights (16, 16, 3, 3)" in said
    names_fusion = "missing: weight_layer7.simple_bg_conv.4.bias" in said
    assert names_fusion == (kind == "instcolorization")


def test_a_pth_file_is_read_without_pytorch(tmp_path, capsys, without_torch):
    source, output = tmp_path / "net.pth", tmp_path / "net.keras"
    arguments = (source, "--architecture=full", f"--output={output}")
    source.write_bytes(b"anything")
    assert _run(*arguments) == 2
    assert "net.pth" in capsys.readouterr().err
    pickles.save(source, FULL)
    assert _run(*arguments) == 0
    kernel = model_file.load(str(output))[0].get_layer("block3_conv2").kernel
    np.testing.assert_array_equal(
        np.asarray(kernel).transpose(3, 2, 0, 1), FULL["model3.2.weight"]
    )


def test_wrong_paths_are_named(tmp_path, capsys):
    np.savez(tmp_path / "net.npz", **FULL)
    good, output = tmp_path / "net.npz", tmp_path / "net.keras"
    for source, target, said in (
        (tmp_path / "no.npz", output, "no.npz"),
        (good, tmp_path / "net.h5", "must end in '.keras'"),
        (good, tmp_path / "no" / "net.keras", "folder that exists"),
    ):
        status = _run(source, "--architecture=full", f"--output={target}")
        assert status == 2
        assert said in capsys.readouterr().err
    status = _run(
        tmp_path, "--architecture=instcolorization", f"--output={output}"
    )
    assert status == 2
    assert "must hold latest_net_G" in capsys.readouterr().err


def test_an_earlier_file_is_kept_unless_overwrite_is_given(
    tmp_path, capsys, without_torch
):
    np.savez(tmp_path / "net.npz", **FULL)
    output = tmp_path / "net.keras"
    output.write_text("mine")
    arguments = (
        tmp_path / "net.npz",
        "--architecture=full",
        f"--output={output}",
    )
    assert _run(*arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert _run(*arguments, "--overwrite") == 0
    model_file.load(str(output))


def test_a_model_that_equals_pytorch_says_how_much(
    tmp_path, capsys, monkeypatch
):
    pytest.importorskip("torch")
    check = pytest.importorskip("tfcolor.weights.pytorch_check")
    monkeypatch.setattr(check, "largest_difference", lambda *_: 2e-5)
    np.savez(tmp_path / "net.npz", **FULL)
    output = tmp_path / "net.keras"
    arguments = (tmp_path / "net.npz", "--architecture=full")
    assert _run(*arguments, f"--output={output}") == 0
    assert capsys.readouterr().out.splitlines() == [
        "full: 98 arrays used; ignored: 9 num_batches_tracked",
        f"{output}: written; largest difference to PyTorch's layers 2.0e-05",
    ]


def test_what_pytorch_does_not_compute_is_read_again(
    tmp_path, capsys, monkeypatch
):
    # DDColor's, which are large, are never compared.
    monkeypatch.setattr(import_checkpoint, "_ONLY_READ", ("full",))
    np.savez(tmp_path / "net.npz", **FULL)
    output = tmp_path / "net.keras"
    arguments = (tmp_path / "net.npz", "--architecture=full")
    assert _run(*arguments, f"--output={output}") == 0
    assert capsys.readouterr().out.endswith(f"{output}: written; read again\n")


@pytest.mark.parametrize(
    ("difference", "said"), [(0.5, "5.0e-01"), (np.nan, "nan")]
)
def test_a_model_that_differs_from_pytorch_leaves_the_earlier_file(
    difference, said, tmp_path, capsys, monkeypatch
):
    check = pytest.importorskip("tfcolor.weights.pytorch_check")
    pytest.importorskip("torch")
    monkeypatch.setattr(check, "largest_difference", lambda *_: difference)
    np.savez(tmp_path / "net.npz", **FULL)
    (tmp_path / "net.keras").write_text("mine")
    status = _run(
        *(tmp_path / "net.npz", "--architecture=full", "--overwrite"),
        f"--output={tmp_path / 'net.keras'}",
    )
    assert status == 1
    assert capsys.readouterr().err == (
        "tfcolor import-weights: error: the model differs from PyTorch's "
        f"layers by {said} and was not written\n"
    )
    assert (tmp_path / "net.keras").read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["net.keras", "net.npz"]


@pytest.mark.parametrize(
    "kind", ["alexnet", pytest.param("resnet18", marks=pytest.mark.slow)]
)
def test_torchvisions_networks_become_model_files(
    kind, tmp_path, capsys, without_torch
):
    source, output = tmp_path / "net.npz", tmp_path / "net.keras"
    state = getattr(torchvision_states, kind)(5, WIDTH, classes=7)
    np.savez(source, **state)
    status = _run(source, f"--architecture={kind}", f"--output={output}")
    assert status == 0
    said = capsys.readouterr().out
    used = {"alexnet": "16 arrays used\n", "resnet18": "100 arrays used; ig"}
    assert f"{kind}: {used[kind]}" in said
    if kind == "resnet18":
        assert "ignored: fc, 20 num_batches_tracked" in said
    model, info = model_file.load(str(output))
    assert (info.architecture, info.image_size) == (kind, 224)
    assert set(model.input) == {"L"}


def test_the_help_tells_the_kinds_apart_in_their_order(capsys):
    with pytest.raises(SystemExit):
        main.run(["import-weights", "--help"])
    text = capsys.readouterr().out.partition("architectures:")[2]
    lines = text.partition("Reads")[0].splitlines()
    told = [line.split()[0] for line in lines if line[2:3].strip()]
    assert tuple(told) == pytorch_models.KINDS
