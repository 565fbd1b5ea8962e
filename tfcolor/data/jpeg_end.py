"""JPEG files that lack their end marker, or some of their picture.

Cameras and broken transfers leave such files, and every viewer opens them. A
picture of which some is missing is another matter: it stays an error.
"""

import io
import re

import numpy as np
import simplejpeg
from PIL import Image

from tfcolor.data import pillow_limit

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


def damage(data: bytes) -> str | None:
    """Says that a JPEG file that ends well lacks some of its picture.

    Decoders complete such a file without a word: with grey, or with the last
    color.

    Args:
        data: bytes of a file.

    Returns:
        str, `DAMAGED` or `DOUBTFUL`, or None; None for other formats.

    Reference:
        libjpeg's warnings, as TurboJPEG passes them on.
    """
    if not data.startswith(_START):
        return None
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
