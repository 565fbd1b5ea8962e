"""Model files, checkpoints and SavedModels that somebody changed."""

import io
import json
import os
import pickle
import struct
import zipfile

import keras
import numpy as np
import pytest

from tests.detection import tiny_detectors
from tests.inference import models
from tests.training.tiny_run import TinyRun
from tfcolor import Colorizer
from tfcolor.cli import main
from tfcolor.detection import signatures
from tfcolor.evaluation import perceptual
from tfcolor.training import run_folder
from tfcolor.weights import model_file
from tfcolor.weights import pytorch_files


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The entries of a model file."""
    path = tmp_path_factory.mktemp("good") / "model.keras"
    models.save(models.plain_model(), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _write(path, entries, compression=zipfile.ZIP_STORED) -> str:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return str(path)


def _with_layer(entries, **part) -> dict:
    """The model with another last layer in its configuration."""
    config = json.loads(entries["config.json"])
    config["config"]["layers"][-1] |= part
    return entries | {"config.json": json.dumps(config).encode()}


def _lambda(entries):
    # What Keras makes of a function: code that is run when it is loaded.
    code = {"class_name": "__lambda__", "config": {"code": "4wAAAAA="}}
    return _with_layer(
        entries,
        module="keras.layers",
        class_name="Lambda",
        registered_name=None,
        config={"name": "owned", "function": code},
    )


def _layer(module, name, registered=None, config=None):
    return lambda entries: _with_layer(
        entries,
        module=module,
        class_name=name,
        registered_name=registered,
        config=config or {"name": "owned"},
    )


def _info(**values):
    return lambda entries: (
        entries | {"tfcolor.json": json.dumps(values).encode()}
    )


HOSTILE = {
    "a Lambda": (_lambda, "must not have layers that run code.*Lambda"),
    "a layer of others": (
        _layer("mine", "Layer", "mine>Layer"),
        "layers of Keras and tfcolor, and of no others.*mine>Layer",
    ),
    "a layer that says it is ours": (
        _layer("mine", "Layer", "tfcolor>Layer"),
        "and of no others.*tfcolor>Layer",
    ),
    "a class of Python": (_layer("subprocess", "Popen"), "no others.*Popen"),
    "a function of Keras": (
        _layer("keras.utils", "function", config="get_file"),
        "no others.*get_file",
    ),
    "a class of Keras' utilities": (
        _layer("keras.src.utils.file_utils", "get_file"),
        "no others.*get_file",
    ),
    "a SavedModel as layer": (
        _layer("keras.layers", "TFSMLayer", config={"filepath": "/x"}),
        "run code or read files.*TFSMLayer",
    ),
    "a layer of PyTorch": (
        _layer("keras.layers", "TorchModuleWrapper"),
        "run code or read files",
    ),
    "a layer that reads a file": (
        _layer("keras.layers", "StringLookup", config={"vocabulary": "/x"}),
        "run code or read files.*StringLookup",
    ),
    "no JSON": (lambda e: e | {"config.json": b"{"}, "JSON"),
    "deep JSON": (lambda e: e | {"config.json": b"[" * 10**5}, "too deep"),
    "a list": (lambda e: e | {"config.json": b"[]"}, "can be read"),
    "no weights": (
        lambda e: {k: v for k, v in e.items() if "weights" not in k},
        "can be read",
    ),
    "no info": (_info(architecture=5), "must be a text"),
    "more info": (_info(more=5), "unexpected"),
    "info of a list": (
        lambda e: e | {"tfcolor.json": b"[1]"},
        "tfcolor.json",
    ),
    "a huge size": (_info(image_size=10**9), "in 1..8192"),
    "a size of a text": (_info(image_size="16"), "in 1..8192"),
    "names of numbers": (_info(class_names=[1]), "must be texts"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_model_files_are_one_sentence(good, tmp_path, name):
    change, reason = HOSTILE[name]
    path = _write(tmp_path / "model.keras", change(good))
    with pytest.raises(ValueError, match=reason) as error:
        model_file.load(path)
    assert str(error.value).startswith("A model file must hold a Keras model")
    assert path in str(error.value)


def test_the_model_itself_is_read(good, tmp_path):
    path = _write(tmp_path / "model.keras", good)
    assert Colorizer(path).colorize(np.zeros([4, 4, 3], np.uint8)).any()


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(good, tmp_path):
    bomb = good | {"model.weights.h5": bytes(10**8)}
    path = _write(tmp_path / "a.keras", bomb, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="compressed to"):
        model_file.load(path)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.95, 0.999])
def test_a_cut_model_file_is_refused(good, tmp_path, share):
    path = tmp_path / "model.keras"
    _write(path, good)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=r"Received: .*model\.keras"):
        model_file.load(str(path))


def test_flipped_bits_of_a_model_file_are_refused_or_harmless(good, tmp_path):
    path = tmp_path / "model.keras"
    _write(path, good)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(20):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 4):
            changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            model, _ = model_file.load(str(path))
        except ValueError as error:
            assert str(path) in str(error)
        else:
            assert isinstance(model, keras.Model)


@pytest.mark.parametrize(
    ("place", "value"), [(6, 236), (8, 1), (10, 99), (42, 255)]
)
def test_odd_archives_are_refused(good, tmp_path, place, value):
    # A version, a password, a compression and a place that are not;
    # the first was found by the fuzzer.
    path = tmp_path / "model.keras"
    _write(path, good)
    data = bytearray(path.read_bytes())
    # The entry in the directory at the end; a name follows 46 bytes.
    data[data.rindex(b"config.json") - 46 + place] = value
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"Received: .*model\.keras"):
        model_file.load(str(path))


def test_the_command_says_what_is_wrong_with_a_model(good, tmp_path, capsys):
    path = _write(tmp_path / "model.keras", _lambda(good))
    (tmp_path / "a.png").write_bytes(b"")
    status = main.run(
        [
            *("colorize", str(tmp_path / "a.png"), f"--model={path}"),
            f"--output={tmp_path}/out/",
        ]
    )
    assert status == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "Lambda" in error
    assert not os.listdir(tmp_path / "out")


class _Owned:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def _pickled(folder) -> dict[str, bytes]:
    owned = _Owned(f"{folder}/owned")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": owned}))
        archive.writestr("archive/version", "3\n")
    above = io.BytesIO()
    with zipfile.ZipFile(above, "w") as archive:
        archive.writestr("../owned/data.pkl", pickle.dumps({"a": owned}))
    deep = pickle.PROTO + b"\x02" + b"(" * 10**5 + b"."
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    return {
        "empty": b"",
        "text": b"state_dict\n",
        "noise": np.random.default_rng(0).bytes(2000),
        "a pickle": pickle.dumps(owned),
        "a pickled dict": pickle.dumps({"a": owned}, 2),
        "a zipped pickle": zipped.getvalue(),
        "a path above": above.getvalue(),
        "deep": deep,
        "memo": pickle.PROTO + b"\x02j\xff\xff\xff\x7f.",
        "long": pickle.PROTO + b"\x02T" + struct.pack("<L", 2**31 - 1) + b".",
        "old": magic + pickle.dumps(1001, 2) + pickle.dumps({}, 2),
        "eval": b"c__builtin__\neval\n(S'1'\ntR.",
        "system": b"cposix\nsystem\n(S'touch owned'\ntR.",
    }


PICKLED = list(_pickled("unused"))


@pytest.mark.parametrize("name", PICKLED)
def test_hostile_checkpoints_are_refused_and_run_nothing(
    tmp_path, monkeypatch, name
):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pth"
    path.write_bytes(_pickled(tmp_path)[name])
    with pytest.raises(ValueError, match=r"weights\.pth"):
        pytorch_files.read_state(str(path))
    assert os.listdir(tmp_path) == ["weights.pth"]


def test_parameters_of_a_network_are_read_as_tensors(tmp_path):
    # Found by the fuzzer.
    torch = pytest.importorskip("torch")
    path = str(tmp_path / "weights.pth")
    torch.save({"a": torch.nn.Parameter(torch.ones(2, 3))}, path)
    np.testing.assert_array_equal(
        pytorch_files.read_state(path)["a"], np.ones([2, 3], np.float32)
    )


def test_tensors_that_numpy_does_not_know_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    path = str(tmp_path / "weights.pth")
    torch.save({"a": torch.eye(3).to_sparse()}, path)
    with pytest.raises(ValueError, match=r"weights\.pth"):
        pytorch_files.read_state(path)


@pytest.mark.parametrize("data", [b"", b"words", b"PK\x05\x06" + bytes(5)])
def test_hostile_weights_of_lpips_are_named(tmp_path, data):
    path = tmp_path / "lpips.npz"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"archive of arrays.*lpips\.npz"):
        perceptual.load_lpips(str(path))


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.95])
def test_a_damaged_saved_model_is_named(tmp_path, keep):
    folder = str(tmp_path / "detector")
    tiny_detectors.object_detection_api(folder)
    path = tmp_path / "detector" / "saved_model.pb"
    data = path.read_bytes()
    keep = int(keep * len(data)) if isinstance(keep, float) else keep
    path.write_bytes(data[:keep])
    with pytest.raises(ValueError, match="detector"):
        signatures.recognize(signatures.load_signature(folder)[1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    TinyRun(epochs=1).start(folder)
    return folder


@pytest.fixture
def run(trained, tmp_path):
    import shutil

    return shutil.copytree(trained, tmp_path / "run")


def _checkpoint(run, ending):
    folder = run / "checkpoints" / "latest"
    (name,) = [n for n in os.listdir(folder) if ending in n]
    return folder / name


@pytest.mark.parametrize("ending", [".index", ".data-"])
@pytest.mark.parametrize("damage", ["empty", "cut", "flipped"])
def test_a_damaged_checkpoint_is_named(run, ending, damage):
    path = _checkpoint(run, ending)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    changed = {"empty": b"", "cut": data[: len(data) // 2], "flipped": data}
    path.write_bytes(changed[damage])
    with pytest.raises(ValueError, match=r"checkpoints.*run"):
        TinyRun(epochs=2).start(run)


def test_a_run_does_not_begin_anew_beside_its_checkpoints(run):
    (run / "checkpoints/latest/checkpoint").write_bytes(b"\xff\xfe damaged")
    with pytest.raises(ValueError, match=r"checkpoints.*run"):
        TinyRun(epochs=2).start(run)
    (run / "checkpoints/latest/checkpoint").write_bytes(b"")
    with pytest.raises(ValueError, match=r"checkpoints.*run"):
        TinyRun(epochs=2).start(run)


def test_a_first_checkpoint_that_was_not_named_is_gone_on_from(run, capsys):
    os.remove(run / "checkpoints/latest/checkpoint")
    TinyRun(epochs=2).start(run)
    assert "going on at step" in (run / "train.log").read_text()


def test_no_checkpoint_is_read_outside_of_the_run(run, trained):
    other = trained / "checkpoints/latest"
    name = _checkpoint(run, ".index").name.removesuffix(".index")
    (run / "checkpoints/latest/checkpoint").write_text(
        f'model_checkpoint_path: "{other}/{name}"\n'
    )
    with pytest.raises(ValueError, match="in its folder"):
        TinyRun(epochs=2).start(run)


@pytest.mark.parametrize("text", ["step,loss\n1,x\n", "loss\n1\n", "step\n\0"])
def test_a_damaged_table_of_a_run_is_named(tmp_path, text):
    (tmp_path / "metrics.csv").write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.csv.*Received"):
        run_folder.read_metrics(str(tmp_path))
