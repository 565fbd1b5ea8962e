import numpy as np
from absl.testing import flagsaver
from PIL import Image

from benchmarks import upsampling

CELLS = 32


def _two_colors(height=256, width=384):
    """A light red and a dark blue half, which meet within a cell."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:, : width // 2 - 3] = 230, 150, 140
    rgb[:, width // 2 - 3 :] = 20, 30, 110
    return rgb


def _small(ab):
    """Means over cells."""
    height, width = ab.shape[:2]
    size = CELLS, height // CELLS, CELLS, width // CELLS, 2
    return ab.reshape(size).mean(axis=(1, 3))


def test_the_band_is_a_cell_on_both_sides_of_an_edge():
    band = upsampling.edge_band(_two_colors(), CELLS)
    assert band.shape == (4 * CELLS, 4 * CELLS)
    columns = np.flatnonzero(band[0])
    assert (band == band[0]).all()
    assert (np.diff(columns) == 1).all()
    assert columns[0] <= 2 * CELLS - 5 and columns[-1] >= 2 * CELLS + 2
    assert len(columns) <= 2 * 4 + 4
    flat = np.full((40, 60, 3), 90, np.uint8)
    assert not upsampling.edge_band(flat, CELLS).any()


def test_guided_ab_is_truer_where_color_and_lightness_change_together():
    rgb = _two_colors()
    ab, band = upsampling.true_ab(rgb), upsampling.edge_band(rgb, CELLS)
    bilinear, guided = (
        upsampling.measure(rgb, ab, band, _small(ab), name)
        for name in ("bilinear", "guided")
    )
    assert guided["ab RMSE at edges"] < 0.5 * bilinear["ab RMSE at edges"]
    assert guided["PSNR, dB"] > bilinear["PSNR, dB"] + 3
    assert bilinear["ab RMSE elsewhere"] < 1


def test_full_size_ab_has_no_error():
    rgb = _two_colors()
    ab, band = upsampling.true_ab(rgb), upsampling.edge_band(rgb, CELLS)
    values = upsampling.measure(rgb, ab, band, ab, "bilinear")
    assert values["PSNR, dB"] > 50 and values["ab RMSE at edges"] < 0.5
    none = np.zeros_like(band)
    values = upsampling.measure(rgb, ab, none, ab, "bilinear")
    assert np.isnan(values["ab RMSE at edges"])


def test_pictures_are_made_smaller_and_never_larger():
    rgb = _two_colors()
    assert upsampling.resized(rgb, 0.01).shape == (82, 122, 3)
    assert upsampling.resized(rgb, 0.1) is None


def test_the_program_prints_a_table_for_each_size(tmp_path, capsys):
    Image.fromarray(_two_colors()).save(tmp_path / "large.png")
    Image.fromarray(_two_colors(64, 96)).save(tmp_path / "small.png")
    options = {"images": str(tmp_path), "megapixels": "0.004,0.02,1"}
    with flagsaver.as_parsed(**options):
        upsampling.main([])
    out = capsys.readouterr().out
    assert "0.004 megapixels, 2 pictures" in out
    assert "0.02 megapixels, 1 pictures" in out
    assert "1 megapixels: no picture is as large." in out
    rows = [line for line in out.splitlines() if line.startswith("| true |")]
    assert len(rows) == 2 * 4
    psnr = rows[0].strip("| ").split(" | ")
    assert psnr[1] == "PSNR, dB" and float(psnr[2]) > 10
    # An interval takes two pictures.
    assert "[" in psnr[4] and "[" not in rows[4]
