"""The samples of a TIFF page, for kinds that Pillow or OpenCV read wrongly.

Each strip or tile is given to libtiff (through Pillow) as a small grey TIFF
of its own, `samples` times as wide where the samples lie side by side. So
every lossless compression that libtiff knows is read, at full depth, and
which plane and which pixel a value belongs to is decided here.

Reference:
    TIFF 6.0, sections 3, 14, 15 and 18.
"""

import io
import struct

import numpy as np
from PIL import Image

from tfcolor.pictures import pillow_limit
from tfcolor.pictures.tiff_pages import Page

_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_COUNTS = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 322, 323, 324, 325
_NO_COMPRESSION = 1
# LZW, both numbers of deflate, LZMA and Zstandard.
_WITH_PREDICTOR = (5, 8, 32946, 34925, 50000)
# Pixels: a tile may be larger than a small picture.
_SMALL_TILE = 2**22
_ASSOCIATED, _UNASSOCIATED = 1, 2
# What Pillow and the packing of a tile's sides raise.
_DAMAGE = (SyntaxError, ValueError, KeyError, OverflowError, struct.error)
# Corel Draw 10 writes it for alpha.
_COREL_ALPHA = 999


def read_samples(data: bytes, page: Page) -> np.ndarray:
    """Reads all samples of a page as they are stored.

    Args:
        data: bytes of a TIFF file.
        page: Page of it, with `has_own_reader`.

    Returns:
        uint8 or uint16 array [H, W, samples].

    Raises:
        OSError: the file is damaged or truncated.
        ValueError: the way the pixels are stored is not supported.
    """
    if page.compression in _WITH_PREDICTOR and page.predictor not in (1, 2):
        raise ValueError(
            "The predictor of a TIFF must be none or horizontal differences. "
            f"Received: predictor {page.predictor}"
        )
    width, height = page.tags[256], page.tags[257]
    dtype = np.uint16 if page.bits[0] == 16 else np.uint8
    values = np.zeros((height, width, page.samples), dtype)
    per_segment = 1 if page.planar else page.samples
    segments = _segments(data, page)
    for plane in range(page.samples if page.planar else 1):
        target = values[..., plane : plane + per_segment]
        for top, left, rows, columns in _places(page):
            segment = next(segments)
            if segment is None:
                continue
            part = _decode(segment, page, rows, columns, per_segment)
            place = target[top : top + rows, left : left + columns]
            place[...] = part[: place.shape[0], : place.shape[1]]
    return values


def color_and_alpha(
    values: np.ndarray, page: Page
) -> tuple[np.ndarray, np.ndarray | None]:
    """Separates color and alpha, and leaves other samples out.

    A sample of unspecified meaning, as a scanner's infrared channel, is not
    alpha; colors that were multiplied by alpha are divided by it.

    Args:
        values: uint8 or uint16 array [H, W, samples].
        page: Page.

    Returns:
        color [H, W, 1, 3 or 4 (CMYK)]; alpha [H, W, 1] or None.
    """
    colors = page.colors
    color = values[..., :colors]
    if page.photometric == 0:
        color = np.iinfo(values.dtype).max - color
    count = page.samples - colors
    # Some programs forget to say what a single further sample is.
    extra = page.extra or ((_UNASSOCIATED,) if count == 1 else ())
    meant = (_ASSOCIATED, _UNASSOCIATED, _COREL_ALPHA)
    found = [i for i, kind in enumerate(extra[:count]) if kind in meant]
    if not found or colors == 4:
        return color, None
    alpha = values[..., colors + found[0], None]
    if extra[found[0]] == _ASSOCIATED:
        color = _divided(color, alpha)
    return color, alpha


def _divided(color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Undoes the multiplication by alpha, in strips of rows."""
    high = np.iinfo(color.dtype).max
    result = np.empty_like(color)
    for top in range(0, len(color), 256):
        rows = slice(top, top + 256)
        a = np.maximum(alpha[rows], 1).astype(np.uint64)
        c = (color[rows].astype(np.uint64) * high + a // 2) // a
        result[rows] = np.minimum(c, high)
    return result


def _segments(data: bytes, page: Page):
    """Yields the bytes of each strip or tile; None of one that is all zero."""
    tiled = _TILE_WIDTH in page.tags
    offsets = page.tags.get(_TILE_OFFSETS if tiled else _STRIP_OFFSETS, ())
    counts = page.tags.get(_TILE_COUNTS if tiled else _STRIP_COUNTS, ())
    offsets = offsets if isinstance(offsets, tuple) else (offsets,)
    counts = counts if isinstance(counts, tuple) else (counts,)
    rows, columns = _segment_size(page)
    wanted = -(-page.tags[257] // rows) * -(-page.tags[256] // columns)
    wanted *= page.samples if page.planar else 1
    if not counts and len(offsets) == wanted == 1:
        counts = (len(data) - offsets[0],)
    if min(len(offsets), len(counts)) < wanted:
        raise OSError("The TIFF file is damaged: strips or tiles are missing.")
    for offset, count in zip(offsets[:wanted], counts[:wanted], strict=True):
        if not offset and not count:
            yield None
            continue
        if not count:
            count = _missing_count(page, len(data) - offset)
        if count < 1 or offset + count > len(data):
            raise OSError("The TIFF file is truncated.")
        yield data[offset : offset + count]


def _missing_count(page: Page, most: int) -> int:
    """Returns the bytes of a strip or tile whose number is given as 0."""
    if page.compression != _NO_COMPRESSION:
        raise OSError(
            "The TIFF file is damaged: a compressed strip or tile must have "
            "a size. Received: 0 bytes"
        )
    rows, columns = _segment_size(page)
    samples = 1 if page.planar else page.samples
    # The last strip may have fewer rows.
    return min(rows * columns * samples * page.bits[0] // 8, most)


def _segment_size(page: Page) -> tuple[int, int]:
    """Returns rows and columns of a strip or tile."""
    width, height = page.tags[256], page.tags[257]
    if _TILE_WIDTH in page.tags:
        rows, columns = page.tags.get(_TILE_HEIGHT, 0), page.tags[_TILE_WIDTH]
    else:
        rows = min(page.tags.get(_ROWS_PER_STRIP, height), height)
        columns = width
    most = max(4 * width * height, _SMALL_TILE)
    if min(columns, rows) < 1 or columns * rows > most:
        raise OSError("The TIFF file is damaged: strips or tiles have no size.")
    return rows, columns


def _places(page: Page):
    """Yields top, left, rows and columns of each segment of a plane."""
    width, height = page.tags[256], page.tags[257]
    rows, columns = _segment_size(page)
    tiled = _TILE_WIDTH in page.tags
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield top, left, rows if tiled else min(rows, height - top), columns


def _decode(segment, page, rows, columns, samples) -> np.ndarray:
    """Decodes a strip or tile to [rows, columns, samples]."""
    bits = page.bits[0]
    stored = np.dtype(f"{page.order}u{bits // 8}")
    wide = columns * samples
    plain_order = page.tags.get(266, 1) == 1
    if page.compression == _NO_COMPRESSION and plain_order:
        if len(segment) < rows * wide * stored.itemsize:
            raise OSError("The TIFF file is truncated.")
        values = np.frombuffer(segment, stored, rows * wide)
    else:
        try:
            file = io.BytesIO(_small_tiff(segment, page, rows, wide))
            with (
                pillow_limit.at(rows * wide),
                Image.open(file, formats=("TIFF",)) as picture,
            ):
                values = np.asarray(picture)
        except _DAMAGE as error:
            raise OSError("The TIFF file is damaged or truncated.") from error
    values = values.reshape(rows, columns, samples)
    values = values.astype(stored.newbyteorder("="), copy=False)
    if page.compression in _WITH_PREDICTOR and page.predictor == 2:
        values = np.cumsum(values, axis=1, dtype=values.dtype)
    return values


def _small_tiff(segment, page, rows, wide) -> bytes:
    """Makes a grey TIFF of one strip, without a predictor."""
    entries = [
        (256, wide),
        (257, rows),
        (258, page.bits[0]),
        (259, page.compression),
        (262, 1),
        (266, page.tags.get(266, 1)),
        (_STRIP_OFFSETS, 0),
        (277, 1),
        (_ROWS_PER_STRIP, rows),
        (_STRIP_COUNTS, len(segment)),
    ]
    start = 8 + 2 + 12 * len(entries) + 4
    packed = b"".join(
        # Type 4 is a number of 32 bits, type 3 one of 16, left in its field.
        struct.pack(page.order + "HHLL", tag, 4, 1, value or start)
        if tag in (256, 257, 273, 278, 279)
        else struct.pack(page.order + "HHLHH", tag, 3, 1, value, 0)
        for tag, value in entries
    )
    magic = b"II*\0" if page.order == "<" else b"MM\0*"
    head = magic + struct.pack(page.order + "LH", 8, len(entries))
    return head + packed + bytes(4) + segment
