import csv

import numpy as np
import pytest

from docs import make_gallery
from tests import drawn


class _Colorizer:
    """Paints all pictures alike, hinted ones differently."""

    def __init__(self, *, style):
        self.style = style

    def colorize(self, rgb, *, hints=None):
        colored = np.asarray(rgb).copy()
        colored[..., 0] = 250 if hints else 100
        return colored


@pytest.fixture
def samples(tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    rows = []
    for i in range(17):
        name = f"photo_{i}.jpg"
        drawn.write(folder / name, drawn.colored(i, 40, 60))
        rows.append((name, "CC0", f"author {i}", "somewhere"))
    with open(folder / "manifest.csv", "w", newline="") as f:
        csv.writer(f).writerows(
            [("file", "license", "author", "source"), *rows]
        )
    return folder


def test_a_seed_chooses_and_one_command_makes_page_and_pictures(
    samples, tmp_path, monkeypatch
):
    docs = tmp_path / "docs"
    (docs / "images").mkdir(parents=True)
    monkeypatch.setattr(make_gallery, "DOCS", docs)
    monkeypatch.setattr(make_gallery, "Colorizer", _Colorizer)
    pages = []
    for seed in ("0", "0", "1"):
        monkeypatch.setattr(
            "sys.argv",
            ["make_gallery", f"--samples={samples}", f"--seed={seed}"],
        )
        make_gallery.main()
        page = (docs / "gallery.md").read_text()
        names = {p.name for p in (docs / "images" / "gallery").iterdir()}
        assert len(names) == 12 + 3 + 3
        assert all(f"images/gallery/{name}" in page for name in names)
        pages.append(page)
    assert pages[0] == pages[1] != pages[2]
    assert "| CC0 | author" in pages[0]
