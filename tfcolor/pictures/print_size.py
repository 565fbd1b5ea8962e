"""Dots per inch in formats that Pillow does not write them to."""

import struct

from PIL import ExifTags
from PIL import Image

_Base = ExifTags.Base
_INCH = 0.0254
_INCHES = 2
# Of the information header: pixels per metre, across and down.
_BMP_PLACE = 38


def in_bmp(data: bytes, dpi: tuple[float, float] | None) -> bytes:
    """Writes dots per inch into a BMP file.

    Args:
        data: bytes of a BMP file.
        dpi: tuple of two floats or None. Across and down.

    Returns:
        bytes.

    Reference:
        Microsoft, BITMAPINFOHEADER: biXPelsPerMeter, biYPelsPerMeter.
    """
    if dpi is None:
        return data
    values = struct.pack("<2l", *(round(value / _INCH) for value in dpi))
    return data[:_BMP_PLACE] + values + data[_BMP_PLACE + len(values) :]


def in_exif(exif: bytes | None, dpi: tuple[float, float] | None):
    """Adds dots per inch to an EXIF block.

    Args:
        exif: bytes or None.
        dpi: tuple of two floats or None. Across and down.

    Returns:
        bytes or None.
    """
    if dpi is None:
        return exif
    changed = Image.Exif()
    if exif:
        changed.load(exif)
    changed[_Base.XResolution], changed[_Base.YResolution] = dpi
    changed[_Base.ResolutionUnit] = _INCHES
    return changed.tobytes()
