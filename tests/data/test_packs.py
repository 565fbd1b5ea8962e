import itertools
import os
import pathlib
import re

import numpy as np
import pytest

from tests import drawn
from tfcolor.data import packs


def _written(tmp_path, count=6):
    images = drawn.write_album(tmp_path / f"images{count}", count, kind="jpg")
    (pathlib.Path(images) / "broken.jpg").write_bytes(b"broken")
    folder = str(tmp_path / "packs")
    return folder, packs.write(images, folder, size=48)


def test_packed_pictures_come_back(tmp_path, capsys):
    folder, count = _written(tmp_path)
    assert count == 6
    assert "left out" in capsys.readouterr().out
    found = packs.read(folder)
    assert found.shape == (6, 48, 48, 3) and found.dtype == np.uint8
    # All of them, each once.
    means = found[..., 1:].mean(axis=(1, 2)).round()
    assert found.std() > 10 and len(np.unique(means, axis=0)) == 6


def test_a_glob_finds_the_same_pictures(tmp_path):
    folder, _ = _written(tmp_path)
    other = str(tmp_path / "others")
    packs.write(f"{tmp_path}/images6/*.jpg", other, size=48)
    np.testing.assert_array_equal(packs.read(folder), packs.read(other))


def test_fewer_pictures_leave_nothing_of_more(tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "_FILE_BYTES", 1)
    folder, _ = _written(tmp_path)
    assert len(os.listdir(folder)) == 6
    (pathlib.Path(folder) / "notes.npz.txt").write_text("stays")
    _written(tmp_path, 2)
    assert sorted(os.listdir(folder)) == ["000.npz", "001.npz", "notes.npz.txt"]
    assert len(packs.read(folder)) == 2


@pytest.mark.parametrize("name", ["none", "none/*.jpg", "empty", ""])
def test_no_pictures_are_refused(tmp_path, name):
    (tmp_path / "empty").mkdir()
    given = name and f"{tmp_path}/{name}"
    with pytest.raises((ValueError, FileNotFoundError), match="Received"):
        packs.write(given, str(tmp_path / "packs"), size=48)
    assert not (tmp_path / "packs").exists()


def test_pictures_that_cannot_be_read_replace_nothing(tmp_path):
    folder, _ = _written(tmp_path)
    broken = str(tmp_path / "images6" / "broken.jpg")
    with pytest.raises(ValueError, match="that can be read. Received"):
        packs.write(broken, folder, size=48)
    assert len(packs.read(folder)) == 6


def test_a_folder_without_packs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="that `write` wrote. Received"):
        packs.read(str(tmp_path))


@pytest.mark.parametrize("kind", ["jpeg", "size", "file"])
def test_damaged_packs_are_refused(tmp_path, kind):
    folder, _ = _written(tmp_path)
    path = os.path.join(folder, "001.npz")
    if kind == "file":
        pathlib.Path(path).write_bytes(b"no archive")
    else:
        picture = drawn.encode(drawn.colored(0, 40, 40), "JPEG")
        data = b"broken" if kind == "jpeg" else picture
        packs._write_file(folder, 1, [data])
    with pytest.raises(ValueError, match=re.escape(path)):
        packs.read(folder)


@pytest.mark.parametrize("batch_size", [4, 25])
def test_batches_go_through_all_pictures_before_one_comes_again(batch_size):
    found = packs.batches(10, batch_size=batch_size, seed=0)
    seen = np.concatenate(list(itertools.islice(found, 10)))
    assert len(seen) == 10 * batch_size
    for start in range(0, len(seen), 10):
        assert sorted(seen[start : start + 10]) == list(range(10))


def test_equal_seeds_draw_equal_batches():
    drawn = [
        next(packs.batches(1000, batch_size=9, seed=seed)).tolist()
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
