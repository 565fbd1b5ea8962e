import dataclasses
import hashlib
import os
import re

import numpy as np
import pytest
import tensorflow as tf

from tests.weights import published_states
from tests.weights import pytorch_pickles as pickles
from tfcolor.models.eccv16 import eccv16
from tfcolor.weights import download
from tfcolor.weights import listing
from tfcolor.weights import model_cache
from tfcolor.weights import published
from tfcolor.weights import pytorch
from tfcolor.weights import shipped

WIDTH = 1 / 16
_UNKNOWN = "A published model must be one of ddcolor, "
STATE = published_states.eccv16(3, WIDTH)
L = tf.random.stateless_uniform([1, 16, 24, 1], [1, 2], 0.0, 100.0)


@pytest.fixture
def net(server, tmp_path, monkeypatch):
    """A catalog whose `eccv16` is a narrow one on loopback."""
    monkeypatch.setenv("TFCOLOR_CACHE", str(tmp_path / "cache"))
    path = pickles.save(tmp_path / "net.pth", STATE)
    with open(path, "rb") as file:
        server.content = file.read()
    entry = dataclasses.replace(
        published.CATALOG["eccv16"],
        address=server.address,
        sha256=hashlib.sha256(server.content).hexdigest(),
    )
    monkeypatch.setitem(published.CATALOG, "eccv16", entry)
    return server


def _expected():
    model = eccv16(width=WIDTH)
    pytorch.load_state(model, STATE)
    return model({"L": L})["ab"]


def _check(loaded):
    model, info = loaded
    np.testing.assert_array_equal(model({"L": L})["ab"], _expected())
    assert (info.architecture, info.image_size) == ("eccv16", 256)
    assert "imported from eccv16" in info.description


def _files():
    folder = published.folder_of("eccv16")
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in found if name != ".lock")


def _offline(server):
    server.plan = 99 * [server.status(404)]
    server.ranges.clear()


def test_a_model_is_fetched_once_and_then_needs_no_network(net):
    assert published.state_of("eccv16") == "-"
    _check(published.load("eccv16"))
    assert _files() == [
        f"eccv16-{published.CATALOG['eccv16'].sha256[:8]}.tfcolor"
    ]
    assert published.state_of("eccv16") == "cached"
    _offline(net)
    _check(published.load("eccv16"))
    assert not net.ranges
    assert published.remove("eccv16") and not published.remove("eccv16")
    assert published.state_of("eccv16") == "-"


def test_nothing_is_fetched_to_list_models(net):
    assert [row.name for row in listing.rows()] == [
        # The default first.
        *sorted(shipped.names(), key=lambda name: name != shipped.DEFAULT),
        *published.names(),
    ]
    assert not net.ranges and not os.path.exists(published.cache_folder())


def test_offline_one_sentence_says_what_to_do(net):
    net.stop()
    with pytest.raises(OSError) as error:
        published.load("eccv16")
    said = str(error.value)
    assert said.startswith(f"eccv16 needs {net.address}, which could not be")
    assert f"put it at {published.fetched_path('eccv16')!r}" in said
    assert "`model=PATH.pth`. Received: " in said and "refused" in said
    assert _files() == []
    net.stop = lambda: None


def test_a_refused_file_is_said_the_same_way(net):
    _offline(net)
    with pytest.raises(OSError, match=r"put it at .*Received: HTTP 404"):
        published.load("eccv16")


def test_a_file_got_by_hand_is_taken(net):
    _offline(net)
    path = published.fetched_path("eccv16")
    assert os.path.basename(path) == "net.pth"
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(net.content[:-1])
    with pytest.raises(ValueError, match=re.escape(path)):
        published.load("eccv16")
    assert published.state_of("eccv16") == "fetched"
    with open(path, "wb") as file:
        file.write(net.content)
    _check(published.load("eccv16"))
    assert not net.ranges


def test_another_file_than_the_published_one_leaves_nothing(net):
    net.content = net.content[:-1] + b"?"
    with pytest.raises(ValueError, match="must be the published one"):
        published.load("eccv16")
    assert _files() == []


def test_a_part_of_a_file_is_shown_and_goes_on(net, monkeypatch):
    monkeypatch.setattr(download, "_FRUITLESS_TRIES", 1)
    net.plan = [net.whole(until=100_000), net.status(503)]
    with pytest.raises(OSError, match="bytes are kept"):
        published.load("eccv16")
    assert published.state_of("eccv16").startswith("partly fetched, 0 MB")
    _check(published.load("eccv16"))
    assert net.ranges[-1] is not None


@pytest.mark.parametrize(
    "damage",
    [
        "cut",
        pytest.param("changed", marks=pytest.mark.slow),
        pytest.param("emptied", marks=pytest.mark.slow),
    ],
)
def test_a_broken_cache_is_made_again(net, damage, capsys):
    published.load("eccv16")
    path = published.converted_path("eccv16")
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[len(content) // 2] ^= 1
    broken = {"cut": content[:-9000], "changed": content, "emptied": b""}
    with open(path, "wb") as file:
        file.write(broken[damage])
    net.ranges.clear()
    _check(published.load("eccv16"))
    assert len(net.ranges) == 1
    assert "it is made again" in capsys.readouterr().err
    net.ranges.clear()
    _check(published.load("eccv16"))
    assert not net.ranges


def test_a_cache_that_this_version_cannot_use_is_no_loss_offline(
    net, monkeypatch
):
    published.load("eccv16")
    _offline(net)

    def fail(*args, **options):
        raise RuntimeError("Dst tensor is not initialized")

    with monkeypatch.context() as patch:
        patch.setattr(model_cache.keras.models, "model_from_json", fail)
        with pytest.raises(OSError, match="could not be fetched"):
            published.load("eccv16")
    _check(published.load("eccv16"))


@pytest.mark.parametrize("error", [MemoryError(), PermissionError("no")])
def test_a_cache_that_cannot_be_read_now_is_kept(net, monkeypatch, error):
    published.load("eccv16")
    path = published.converted_path("eccv16")

    def fail(*args, **options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(model_cache.zipfile, "ZipFile", fail)
        with pytest.raises(type(error)):
            published.load("eccv16")
    assert os.path.isfile(path)


def test_an_interrupted_conversion_goes_on_without_a_network(net, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model_cache.np.lib.format, "write_array", interrupt)
        with pytest.raises(KeyboardInterrupt):
            published.load("eccv16")
    assert _files() == ["net.pth"]
    assert published.state_of("eccv16") == "fetched"
    _offline(net)
    _check(published.load("eccv16"))


@pytest.mark.slow
def test_old_files_of_the_catalog_are_read(net, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    path = tmp_path / "old.pth"
    tensors = {key: torch.from_numpy(v) for key, v in STATE.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)
    net.content = path.read_bytes()
    digest = hashlib.sha256(net.content).hexdigest()
    for sha256 in (digest[:8], ""):
        entry = published.CATALOG["eccv16"]
        entry = dataclasses.replace(entry, sha256=sha256)
        monkeypatch.setitem(published.CATALOG, "eccv16", entry)
        _check(published.load("eccv16"))


def test_a_cache_that_cannot_be_written_is_named(net, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TFCOLOR_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match="TFCOLOR_CACHE names another"):
        published.load("eccv16")
    assert not net.ranges


def test_the_cache_lies_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("TFCOLOR_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert published.cache_folder() == "/home/ada/.cache/tfcolor"
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert published.cache_folder() == "/home/ada/.cache/tfcolor"
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert published.cache_folder() == "/caches/tfcolor"
    monkeypatch.setenv("TFCOLOR_CACHE", "~/models")
    assert published.cache_folder() == "/home/ada/models"
    assert published.fetched_path("ddcolor") == (
        "/home/ada/models/published/ddcolor/pytorch_model.bin"
    )


def test_the_catalog_is_complete():
    assert published.names() == [
        *("ddcolor", "ddcolor_artistic", "ddcolor_paper", "ddcolor_tiny"),
        *("eccv16", "siggraph17", "instcolorization"),
    ]
    from tfcolor.weights import pytorch_models

    for entry in published.CATALOG.values():
        assert entry.address.startswith("https://")
        assert re.fullmatch(r"([0-9a-f]{8}|[0-9a-f]{64})?", entry.sha256)
        assert entry.kind in pytorch_models.KINDS
        assert entry.size or entry.about
        pinned = re.search(r"/resolve/([0-9a-f]{40})/", entry.address)
        named = re.search(r"-([0-9a-f]{8})\.pth$", entry.address)
        assert pinned or named or entry.name == "ddcolor_paper"
        if named:
            assert entry.sha256.startswith(named.group(1))
    with pytest.raises(ValueError, match=f"^{_UNKNOWN}.*d: 'ddcolour'$"):
        published.load("ddcolour")


@pytest.mark.parametrize(
    "act", [published.fetch_models, published.remove_models]
)
def test_names_that_are_none_are_all_said_before_anything_is_done(
    act, tmp_path, monkeypatch
):
    monkeypatch.setenv("TFCOLOR_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match=f"^{_UNKNOWN}"):
        act(iter(["eccv16", "x", "y"]))
    with pytest.raises(ValueError, match=r"Received: 'x', 'y'$"):
        act(["x", "eccv16", "y"])
    assert not list(tmp_path.iterdir())
