"""JPEG files that lack their end marker, or some of their picture.

Cameras and broken transfers leave such files, and every viewer opens them. A
picture of which some is missing is another matter: it stays an error.
"""

import io
import re

import numpy as np
import simplejpeg
from PIL import Image

from tfcolor.pictures import pillow_limit

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
# Compressed data that begin with other codes: where some of the picture is
# missing, one of them changes it. The decoder itself goes on with zeros.
_MORE = tuple(bytes.fromhex(text) * 256 for text in ("55", "aa", "c396", "7e"))
NOTE = "its JPEG data have no end marker; the picture is whole"


DAMAGED = (
    "its JPEG data are damaged or cut: part of the picture is not in the file, "
    "and what is there instead was made up in decoding"
)
DOUBTFUL = (
    "its JPEG data hold bytes that belong to no part of the picture: it may be "
    "damaged"
)
# How libjpeg warns of it.
_WARNINGS = ("Corrupt JPEG data", "Premature end of JPEG file")
_EXTRA = re.compile(r"(\d+) extraneous bytes")
# So many are padding.
_FEW = 16
# Of segments, which have a length, and the end; compressed data have none.
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
_PROGRESSIVE = {0xC2, 0xCA}
_SCAN, _LAST = 0xDA, 0xD9


def damage(data: bytes) -> str | None:
    """Says that a JPEG file that ends well lacks some of its picture.

    Decoders complete such a file without a word: with grey, or with the last
    color.

    Args:
        data: bytes of a file.

    Returns:
        str, `DAMAGED` or `DOUBTFUL`, or None; None for other formats.

    Reference:
        libjpeg's warnings, as TurboJPEG passes them on; it has none where
        whole scans are missing.
    """
    if not data.startswith(_START):
        return None
    if _lacks_scans(data):
        return DAMAGED
    try:
        # An eighth of the size: all codes are read, few pixels are made.
        simplejpeg.decode_jpeg(data, "GRAY", min_factor=8)
    except Exception as error:
        # Other errors are of what Pillow reads and TurboJPEG does not.
        text = str(error)
        if text.startswith(_WARNINGS):
            if (extra := _EXTRA.search(text)) is None:
                return DAMAGED
            return DOUBTFUL if int(extra[1]) > _FEW else None
    return None


def _lacks_scans(data: bytes) -> bool:
    """Tells whether some coefficients, or their last bits, have no scan.

    Args:
        data: bytes of a JPEG file.

    Returns:
        bool. False also where the frame cannot be read.

    Reference:
        ITU T.81, B.2.2 (frames), B.2.3 (scans) and G.1.1.1 (of what a scan
        of a progressive picture is).
    """
    # Coefficients to come, by component.
    missing, progressive, place = {}, False, len(_START) - 1
    while found := _MARKER.search(data, place):
        marker, place = found[1][0], found.end()
        if marker == _LAST:
            break
        size = int.from_bytes(data[place : place + 2], "big")
        segment = data[place + 2 : place + size]
        if len(segment) < size - 2:
            break
        if marker in _FRAMES and not missing:
            missing = {name: set(range(64)) for name in segment[6::3]}
            progressive = marker in _PROGRESSIVE
        if marker == _SCAN and len(segment) > 3:
            _take_scan(missing, segment, progressive)
            if not any(missing.values()):
                return False
        place += size
    return any(missing.values())


def _take_scan(missing: dict, segment: bytes, progressive: bool) -> None:
    """Strikes off what a scan, by its head, has the last bits of."""
    components, (first, last, bits) = segment[1:-3:2], segment[-3:]
    if not progressive:
        first, last, bits = 0, 63, 0
    if bits & 15 == 0:
        for name in components:
            if name in missing:
                missing[name] -= set(range(first, last + 1))


def completed(
    data: bytes, *, max_pixels: int = pillow_limit.MAX_PIXELS
) -> bytes | None:
    """Adds the end marker to a JPEG file, if that is all that is missing.

    Args:
        data: bytes of a file that could not be decoded.
        max_pixels: int. A picture of more is not decoded.

    Returns:
        bytes of a JPEG file, or None: it is of another format, or a part of
        the picture is missing or damaged.

    Reference:
        ITU T.81, B.1.1.3 and B.2.1.
    """
    if not data.startswith(_START):
        return None
    # Of the marker's two bytes the first may be there.
    cut = data[:-1] if data.endswith(b"\xff") else data
    whole = _pixels(cut + _END, max_pixels)
    if whole is None or damage(cut + _END) == DAMAGED:
        return None
    for more in _MORE:
        longer = _pixels(cut + more + _END, max_pixels)
        if longer is None or not np.array_equal(whole, longer):
            return None
    return cut + _END


def _pixels(data: bytes, max_pixels: int) -> np.ndarray | None:
    try:
        with (
            pillow_limit.at(max_pixels),
            Image.open(io.BytesIO(data), formats=("JPEG",)) as picture,
        ):
            if picture.width * picture.height > max_pixels:
                return None
            return np.asarray(picture)
    except Exception:
        # Of many kinds, on damaged files.
        return None
