import numpy as np
import pytest

from tfcolor.evaluation import bands


@pytest.mark.parametrize("width", [1, 10, 99, 1000])
def test_bands_cover_every_row_once(monkeypatch, width):
    monkeypatch.setattr(bands, "PIXELS", 100)
    rows = np.arange(37)
    parts = [rows[band] for band in bands.bands(37, width)]
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert all(len(part) * width <= 100 or len(part) == 1 for part in parts)
