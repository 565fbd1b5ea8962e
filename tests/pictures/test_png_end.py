import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from tests import hostile_corpus
from tfcolor.pictures import decode
from tfcolor.pictures import png_end

_SIZES = ((8, 6), (8, 5), (1, 1), (1, 6), (2, 1), (9, 1))


def _scan(values, depth):
    """Scanlines without a filter, of [H, W, C]."""
    if depth == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    bits = np.unpackbits(values.astype(np.uint8)[..., None], axis=-1)
    rows = [row[..., 8 - depth :].ravel() for row in bits]
    return b"".join(b"\0" + np.packbits(row).tobytes() for row in rows)


def _file(width, height, depth, color, chunks, interlaced=0):
    head = struct.pack(
        ">LLBBBBB", width, height, depth, color, 0, 0, interlaced
    )
    data = b"\x89PNG\r\n\x1a\n" + hostile_corpus.png_chunk(b"IHDR", head)
    if color == 3:
        data += hostile_corpus.png_chunk(b"PLTE", bytes(range(48)))
    for chunk in chunks:
        data += hostile_corpus.png_chunk(b"IDAT", chunk)
    return data + hostile_corpus.png_chunk(b"IEND", b"")


@pytest.mark.parametrize("level", [0, 5, 91, 255])
@pytest.mark.parametrize(
    ("depth", "color", "channels"),
    [
        *((depth, 0, 1) for depth in (1, 2, 4, 8, 16)),
        *((depth, 3, 1) for depth in (1, 2, 4)),
        *((depth, 2, 3) for depth in (8, 16)),
        *((depth, 4, 2) for depth in (8, 16)),
        *((depth, 6, 4) for depth in (8, 16)),
    ],
)
def test_data_that_end_before_the_last_row_are_an_error(
    level, depth, color, channels
):
    values = np.full([6, 8, channels], level % 2 ** min(depth, 8))
    for rows in (6, 5, 3, 0):
        scan = _scan(values[:rows], depth)
        data = _file(8, 6, depth, color, [zlib.compress(scan)])
        for read in (decode.decode_picture, decode.decode_rgb):
            if rows == 6:
                read(data)
                continue
            with pytest.raises(OSError, match="truncated"):
                read(data)
        with pytest.raises(OSError, match="truncated"):
            decode.decode_square(_file(8, 6, depth, color, [b""]), 8)


def _passes(values):
    """The scanlines of the seven passes, PNG specification, 8.1."""
    starts = ((0, 0), (0, 4), (4, 0), (0, 2), (2, 0), (0, 1), (1, 0))
    steps = ((8, 8), (8, 8), (8, 4), (4, 4), (4, 2), (2, 2), (2, 1))
    for (y, x), (down, right) in zip(starts, steps, strict=True):
        part = values[y::down, x::right]
        if part.size:
            yield from (b"\0" + row.tobytes() for row in part)


@pytest.mark.parametrize(("width", "height"), _SIZES)
def test_interlaced_data_must_have_all_passes(width, height):
    values = np.random.default_rng(0).integers(1, 90, [height, width], np.uint8)
    scan = list(_passes(values))

    def file(rows):
        idat = zlib.compress(b"".join(scan[:rows]))
        return _file(width, height, 8, 0, [idat], interlaced=1)

    picture = decode.decode_picture(file(len(scan)))
    assert np.array_equal(picture.pixels[..., 0], values)
    with pytest.raises(OSError, match="truncated"):
        decode.decode_picture(file(len(scan) - 1))


@pytest.mark.parametrize("depth", [8, 16])
def test_pixels_that_differ_from_their_checksum_are_said(depth):
    values = np.random.default_rng(0).integers(0, 99, [6, 8, 1], np.uint8)
    packed = zlib.compress(_scan(values, depth), 0)
    # The checksum of all rows lies in a chunk of its own: it is not read.
    data = _file(8, 6, depth, 0, [packed[:-4], packed[-4:]])
    whole = decode.decode_picture(data)
    assert whole.notes == ()
    changed = bytearray(data)
    changed[data.index(b"IDAT") + 16] ^= 64
    picture = decode.decode_picture(bytes(changed))
    assert not np.array_equal(picture.pixels, whole.pixels)
    assert picture.notes == (png_end.DAMAGED,)


def test_flipped_bits_never_go_unsaid():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, [20, 32, 3], np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    deep = cv2.imencode(".png", values.astype(np.uint16) * 257)[1].tobytes()
    for data in (file.getvalue(), deep):
        start, end = data.index(b"IDAT") + 4, data.index(b"IEND") - 8
        for place in rng.integers(start, end, 50):
            changed = bytearray(data)
            changed[place] ^= 1 << rng.integers(8)
            try:
                notes = decode.decode_picture(bytes(changed)).notes
            except OSError:
                continue
            assert notes == (png_end.DAMAGED,)


def test_a_file_may_lack_what_follows_its_pixels():
    values = np.random.default_rng(0).integers(0, 256, [20, 32, 3], np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    data = file.getvalue()
    for missing in range(12):
        picture = decode.decode_picture(data[: len(data) - missing])
        assert np.array_equal(picture.pixels, values)
        assert picture.notes == ()
    assert png_end.damage(b"\xff\xd8\xff") is None
