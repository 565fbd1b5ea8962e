"""Shards and manifests that somebody changed."""

import hashlib
import json
import os
import shutil

import pytest
import tensorflow as tf

from tests import drawn
from tests import hostile_corpus
from tests.data import shard_folders
from tfcolor.data import manifest
from tfcolor.data import records
from tfcolor.data import sources


@pytest.fixture
def shards(made, tmp_path):
    """A folder of shards that a test may change."""
    return shutil.copytree(made / "records", tmp_path / "records")


def _change(folder, change, *, file="manifest.json"):
    """Changes what a JSON file holds, and the checksum of an index."""
    with open(folder / file) as stream:
        values = json.load(stream)
    values = change(values) or values
    (folder / file).write_text(json.dumps(values))
    if file != "manifest.json":

        def same_sum(values):
            digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
            values["shards"][0]["index_sha256"] = digest

        _change(folder, same_sum)


def _set(*path, value):
    def change(values):
        for key in path[:-1]:
            values = values[key]
        values[path[-1]] = value

    return change


MANIFESTS = {
    "a list": lambda values: [values],
    "no settings": lambda values: values.pop("settings") and None,
    "other settings": _set("settings", "more", value=1),
    "settings of texts": _set("settings", "size", value="large"),
    "no shards": lambda values: values.pop("shards") and None,
    "shards of texts": _set("shards", value=["00000.tfrecord"]),
    "another version": _set("version", value=[2]),
    "classes": _set("classes", value=[1, 2]),
    "no classes": _set("classes", value=None),
    "a shard above": _set("shards", 0, "file", value="../00000.tfrecord"),
    "a shard elsewhere": _set("shards", 0, "file", value="/etc/passwd"),
    "a shard of no name": _set("shards", 0, "file", value=""),
    "a shard with an end": _set("shards", 0, "file", value="a\0b"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_hostile_manifests_are_one_sentence_that_names_the_file(shards, name):
    _change(shards, MANIFESTS[name])
    with pytest.raises(ValueError, match=r"manifest.*manifest\.json"):
        sources.open_source(str(shards))


@pytest.mark.parametrize("data", [b"", b"[" * 10**5, bytes(99), b"{}", b"\xff"])
def test_a_damaged_manifest_is_named(shards, data):
    (shards / "manifest.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"manifest.*manifest\.json"):
        sources.open_source(str(shards))


INDEXES = {
    "a list": lambda values: [values],
    "another file": _set("file", value="../00000.tfrecord"),
    "a file elsewhere": _set("file", value="00001.tfrecord"),
    "names of numbers": _set("names", value=[1, 2]),
    "one name": _set("names", value=["a"]),
    "labels of texts": _set("labels", value=["a"]),
    "no ranges": _set("color_ranges", value=[]),
    "ranges of texts": _set("color_ranges", value=["a", "b"]),
    "bytes of a text": _set("bytes", value="many"),
    "more": _set("more", value=1),
}


@pytest.mark.parametrize("name", INDEXES)
def test_hostile_indexes_are_one_sentence_that_names_the_file(shards, name):
    _change(shards, INDEXES[name], file="00000.json")
    with pytest.raises(ValueError, match=r"shard.*00000\.json"):
        sources.open_source(str(shards))


def test_no_shard_is_read_outside_of_its_folder(shards):
    os.rename(shards / "00000.tfrecord", shards.parent / "00000.tfrecord")
    os.rename(shards / "00000.json", shards.parent / "00000.json")
    _change(shards, MANIFESTS["a shard above"])
    with pytest.raises(ValueError, match="must lie beside the manifest"):
        manifest.read(str(shards))


def _replace_pictures(folder, encoded):
    """Gives a shard other pictures, and says so everywhere."""
    path = folder / "00000.tfrecord"
    with open(folder / "00000.json") as stream:
        names = json.load(stream)["names"]
    records.write_shard(str(path), [(name, encoded) for name in names])
    data = path.read_bytes()

    def change(values):
        values["bytes"] = len(data)
        values["sha256"] = hashlib.sha256(data).hexdigest()

    _change(folder, change, file="00000.json")


@pytest.mark.parametrize("name", ["bomb.png", "bomb_deep.png", "bomb.jpg"])
def test_a_bomb_in_a_shard_is_refused_by_its_head(shards, name):
    _replace_pictures(shards, hostile_corpus.bombs()[name])
    with pytest.raises(tf.errors.InvalidArgumentError):
        shard_folders.examples(sources.open_source(str(shards)))


def test_a_picture_of_another_size_in_a_shard_is_refused(shards):
    _replace_pictures(shards, drawn.encode(drawn.grey(0, 25, 24)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="24"):
        shard_folders.examples(sources.open_source(str(shards)))


def _foreign(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    rgb = drawn.colored(0)
    records.write_shard(path, [("a", drawn.encode(rgb))] * 3)
    with open(path, "rb") as file:
        return path, file.read()


@pytest.mark.parametrize("keep", [3, 20, 200, -3])
def test_a_cut_shard_of_others_is_named(tmp_path, keep):
    path, data = _foreign(tmp_path)
    with open(path, "wb") as file:
        file.write(data[:keep])
    with pytest.raises(ValueError, match=r"whole TFRecord .*a\.tfrecord"):
        len(sources.open_source(path))


@pytest.mark.parametrize(
    "data", [b"not a shard at all", bytes(100), b"\xff" * 100]
)
def test_what_is_no_shard_is_named(tmp_path, data):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"whole TFRecord .*a\.tfrecord"):
        len(sources.open_source(str(path)))


def test_a_shard_of_something_else_is_named(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(b"these are no pictures")
    with pytest.raises(ValueError, match=r"whole TFRecord .*a\.tfrecord"):
        len(sources.open_source(path))


def test_lengths_that_are_too_large_end_a_shard():
    with pytest.raises(ValueError, match="middle of an example"):
        records.split(b"\xff" * 8 + bytes(100))
    with pytest.raises(ValueError, match="middle of an example"):
        records.split(bytes(5))
    assert records.split(b"") == []


@pytest.mark.parametrize("side", [None, 8])
def test_hostile_pictures_of_a_data_set_are_dropped(tmp_path, side):
    bombs = hostile_corpus.bombs()
    album = tmp_path / "album"
    drawn.write_album(album, 1)
    for name, data in bombs.items():
        (album / name).write_bytes(data)
    source = sources.open_source(str(album))
    found = shard_folders.examples(source, side=side)
    assert len(found) == 1 and found[0]["rgb"].ndim == 3
    assert source.drop_log.count(sources.UNREADABLE) == len(bombs)
    assert "at most 200000000 pixels" in source.drop_log.summary()


def test_a_source_has_a_limit_of_its_own(tmp_path):
    album = drawn.write_album(tmp_path / "album", 2)
    source = sources.open_source(album, max_pixels=32 * 32 - 1)
    assert not shard_folders.examples(source)
    assert "must have at most 1023 pixels" in source.drop_log.summary()
    source = sources.open_source(album, max_pixels=32 * 32)
    assert len(shard_folders.examples(source)) == 2
    with pytest.raises(ValueError, match="Received: max_pixels=0"):
        sources.open_source(album, max_pixels=0)
