import io

import numpy as np
import pytest
from PIL import Image

from tfcolor.pictures import decode
from tfcolor.pictures import jpeg_end


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


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("rest", [b"", b"\0" * 3000])
def test_a_picture_that_is_cut_but_ends_well_is_said(progressive, rest):
    file = io.BytesIO()
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    Image.fromarray(rgb).save(file, "JPEG", progressive=progressive)
    whole = file.getvalue()
    assert decode.decode_picture(whole).notes == ()
    cut = whole[: len(whole) * 7 // 10] + rest + b"\xff\xd9"
    # So many zeros are a picture too, and more than it needs; but no scans.
    doubtful = rest and not progressive
    said = jpeg_end.DOUBTFUL if doubtful else jpeg_end.DAMAGED
    assert decode.decode_picture(cut).notes == (said,)


def test_a_picture_without_its_last_scans_is_not_whole():
    whole = _jpeg(progressive=True)
    # Within the tables of a scan: nothing but details is missing.
    scan = whole.rindex(b"\xff\xc4")
    with pytest.raises(OSError):
        decode.decode_picture(whole[: scan + 6] + b"\xff\xd9")


def _cuts_between_scans(whole):
    """The file up to where a scan after the first one begins."""
    # A scan's tables come before it; the last ones may have none.
    place = whole.index(b"\xff\xda") + 2
    while (place := whole.find(b"\xff", place) + 1) > 0:
        if whole[place] in b"\xc4\xda":
            yield whole[: place - 1]
            place = whole.index(b"\xff\xda", place - 1) + 2


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_that_is_cut_between_scans_is_not_whole(mode):
    whole = _jpeg(mode, progressive=True)
    cuts = list(_cuts_between_scans(whole))
    assert len(cuts) == {"L": 5, "RGB": 9}[mode]
    for cut in cuts:
        assert decode.decode_picture(cut + b"\xff\xd9").notes == (
            jpeg_end.DAMAGED,
        )
        with pytest.raises(OSError, match="truncated"):
            decode.decode_picture(cut)


def test_scans_of_a_component_each_are_counted():
    rgb = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    ycc = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    files = []
    for channel in range(3):
        file = io.BytesIO()
        Image.fromarray(ycc[..., channel]).save(file, "JPEG")
        files.append(file.getvalue())
    first = files[0]
    frame, scan = first.index(b"\xff\xc0"), first.index(b"\xff\xda")
    sizes = first[frame + 5 : frame + 9]
    components = b"".join(bytes([name, 0x11, 0]) for name in (1, 2, 3))
    head = b"\xff\xc0\0\x11\x08" + sizes + b"\x03" + components
    head = first[:frame] + head + first[frame + 13 : scan]
    scans = []
    for name, data in enumerate(files, 1):
        place = data.index(b"\xff\xda")
        scans.append(
            b"\xff\xda\0\x08\x01" + bytes([name]) + data[place + 6 : -2]
        )
    end = b"\xff\xd9"
    assert decode.decode_picture(head + b"".join(scans) + end).notes == ()
    part = decode.decode_picture(head + b"".join(scans[:2]) + end)
    assert part.notes == (jpeg_end.DAMAGED,)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_whole_pictures_of_other_kinds_are_not_taken_for_damaged(
    mode, progressive
):
    file = io.BytesIO()
    Image.new(mode, (40, 30)).save(file, "JPEG", progressive=progressive)
    assert not jpeg_end.damage(file.getvalue())
    assert not jpeg_end.damage(file.getvalue() + b"more")
    assert not jpeg_end.damage(b"\x89PNG")
