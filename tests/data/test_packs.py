import pathlib

import numpy as np
import pytest

from tests import pictures
from tfcolor.data import packs


def _written(tmp_path):
    images = pictures.write_album(tmp_path / "images", 6, kind="jpg")
    (pathlib.Path(images) / "broken.jpg").write_bytes(b"broken")
    folder = str(tmp_path / "packs")
    return folder, packs.write(f"{images}/*.jpg", folder, size=48)


def test_packed_pictures_come_back(tmp_path, capsys):
    folder, count = _written(tmp_path)
    assert count == 6
    assert "left out" in capsys.readouterr().out
    found = packs.read(folder)
    assert found.shape == (6, 48, 48, 3) and found.dtype == np.uint8
    assert found.std() > 10


def test_a_folder_without_packs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="that --pack wrote. Received"):
        packs.read(str(tmp_path))


def test_batches_go_through_all_pictures_before_one_comes_again():
    everything = np.arange(10)[:, None]
    batches = packs.Batches(everything, batch_size=4, steps=5, seed=0)
    seen = np.concatenate([batches[i][0] for i in range(len(batches))])
    assert len(seen) == 20
    for half in (seen[:10], seen[10:]):
        assert sorted(half.ravel()) == list(range(10))
