import io

import numpy as np
import pytest
from PIL import Image

from tfcolor.data import decode
from tfcolor.data import jpeg_end


def _jpeg(mode="RGB", **options):
    shape = (60, 80) if mode == "L" else (60, 80, 3)
    values = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("missing", [1, 2])
def test_a_missing_end_is_added_and_said(mode, options, missing):
    whole = _jpeg(mode, **options)
    cut = whole[:-missing]
    picture = decode.decode_picture(cut)
    assert np.array_equal(picture.pixels, decode.decode_picture(whole).pixels)
    assert picture.notes == (jpeg_end.NOTE,)
    for side in (16, 60):
        small = decode.decode_rgb(cut, shrink_to=side)
        assert np.array_equal(small, decode.decode_rgb(whole, shrink_to=side))
        square = decode.decode_square(cut, side)
        expected = decode.decode_square(whole, side).astype(int)
        assert np.abs(square - expected).max() <= 16


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("missing", [3, 4, 5, 6, 7, 8, 40, 2000])
def test_a_missing_part_of_the_picture_is_an_error(options, missing):
    data = _jpeg(**options)
    with pytest.raises(OSError, match="truncated"):
        decode.decode_picture(data[:-missing])


def test_other_formats_have_no_such_end():
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    assert jpeg_end.completed(file.getvalue()[:-3]) is None
