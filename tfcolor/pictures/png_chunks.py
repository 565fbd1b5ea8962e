"""Chunks of a PNG that Pillow and OpenCV do not write, or not at 16 bits."""

import struct
import zlib

from tfcolor.pictures import side_data
from tfcolor.pictures.side_data import SideData

# The signature has 8 bytes, the header chunk 25.
_AFTER_HEADER = 33
_INCH = 0.0254


def insert(
    data: bytes,
    *,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    side: SideData | None = None,
) -> bytes:
    """Adds chunks after the header of a PNG file.

    Args:
        data: bytes of a PNG file without these chunks.
        exif: bytes or None. An EXIF block.
        icc_profile: bytes or None.
        side: SideData or None.

    Returns:
        bytes of the file.

    Reference:
        PNG specification, third edition, 11.3.2.3 (iCCP), 11.3.3.2 to 4
        (texts), 11.3.4.3 (pHYs) and 11.3.4.5 (eXIf).
    """
    chunks = b""
    if icc_profile:
        name_and_method = b"ICC profile\0\0"
        chunks += _chunk(b"iCCP", name_and_method + zlib.compress(icc_profile))
    if exif:
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    if side is not None:
        chunks += _side_chunks(side)
    return data[:_AFTER_HEADER] + chunks + data[_AFTER_HEADER:]


def _side_chunks(side: SideData) -> bytes:
    chunks = b""
    if side.dpi:
        # Per metre.
        values = (min(round(value / _INCH), 2**31 - 1) for value in side.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">LLB", *values, 1))
    if side.xmp:
        chunks += _international_text(side_data.XMP_KEY, side.xmp)
    for key, text in side.texts:
        chunks += _text(key, text)
    return chunks


def _text(key: str, text: str) -> bytes:
    # A key has 1 to 79 characters of Latin-1.
    known = key.encode("latin-1", "replace")[:79].strip() or b"Comment"
    try:
        return _chunk(b"tEXt", known + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        name = known.decode("latin-1")
        data = text.encode("utf-8", "replace")
        return _international_text(name, data)


def _international_text(key: str, text: bytes) -> bytes:
    # Not compressed, without a language.
    return _chunk(b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + text)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    length = struct.pack(">I", len(content))
    return length + kind + content + struct.pack(">I", checksum)
