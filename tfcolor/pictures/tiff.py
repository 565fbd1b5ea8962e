"""TIFF bytes of 8 and 16-bit RGB, which Pillow cannot write at 16 bits."""

import io
import zlib

import numpy as np
from PIL import ExifTags
from PIL import Image
from PIL import TiffImagePlugin

from tfcolor.pictures import side_data
from tfcolor.pictures.side_data import SideData

_Base = ExifTags.Base

# TIFF 6.0, sections 7, 14, 18 and Adobe's Technical Note of 2002.
_ADOBE_DEFLATE = 8
_RGB = 2
_UNASSOCIATED_ALPHA = 2
_HORIZONTAL_PREDICTOR = 2
_STRIP_BYTES = 2**20
_INCHES = 2
_XMP = 700
_BYTES, _ASCII = 1, 2


def encode_tiff(
    pixels: np.ndarray,
    *,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    side: SideData | None = None,
) -> bytes:
    """Encodes a picture as a baseline TIFF, deflated without loss.

    Args:
        pixels: uint8 or uint16 array [H, W, 3], or [H, W, 4] with alpha.
        exif: bytes or None. An EXIF block.
        icc_profile: bytes or None.
        side: SideData or None. Print size and texts.

    Returns:
        bytes of a TIFF file.
    """
    height, width, channels = pixels.shape
    rows = max(1, _STRIP_BYTES // (width * channels * pixels.itemsize))
    strips = [_deflate(pixels[y : y + rows]) for y in range(0, height, rows)]
    sizes = [len(strip) for strip in strips]
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if exif:
        _add_exif(tags, exif)
    if side is not None:
        _add_side_data(tags, side)
    tags[_Base.ImageWidth] = width
    tags[_Base.ImageLength] = height
    tags[_Base.BitsPerSample] = (8 * pixels.itemsize,) * channels
    tags[_Base.Compression] = _ADOBE_DEFLATE
    tags[_Base.PhotometricInterpretation] = _RGB
    tags[_Base.SamplesPerPixel] = channels
    tags[_Base.RowsPerStrip] = rows
    # Pillow adds the length of what it writes before the strips.
    tags[_Base.StripOffsets] = tuple(np.cumsum([0, *sizes[:-1]]).tolist())
    tags[_Base.StripByteCounts] = tuple(sizes)
    tags[_Base.Predictor] = _HORIZONTAL_PREDICTOR
    if channels == 4:
        tags[_Base.ExtraSamples] = _UNASSOCIATED_ALPHA
    if icc_profile:
        tags[_Base.InterColorProfile] = icc_profile
    # Offsets are 32-bit numbers even where the first ones are small.
    tags.tagtype[_Base.StripOffsets] = 4
    tags.tagtype[_Base.StripByteCounts] = 4
    stream = io.BytesIO()
    tags.save(stream)
    stream.writelines(strips)
    return stream.getvalue()


def has_description(exif: bytes | None) -> bool:
    """Tells whether an EXIF block takes the one place that texts have.

    Args:
        exif: bytes or None. An EXIF block.

    Returns:
        bool.
    """
    source = Image.Exif()
    source.load(exif or b"")
    return _Base.ImageDescription in source


def _deflate(strip: np.ndarray) -> bytes:
    """Compresses differences between neighbors, TIFF 6.0, section 14."""
    differences = strip.astype(strip.dtype.newbyteorder("<"), copy=True)
    differences[:, 1:] -= strip[:, :-1]
    return zlib.compress(differences.tobytes())


def _add_side_data(tags, side: SideData) -> None:
    """Adds print size, XMP and, where there is no other, a description."""
    if side.dpi:
        tags[_Base.XResolution], tags[_Base.YResolution] = side.dpi
        tags[_Base.ResolutionUnit] = _INCHES
    if side.xmp:
        tags.tagtype[_XMP] = _BYTES
        tags[_XMP] = side.xmp
    if side.texts and _Base.ImageDescription not in tags:
        text = side_data.as_one_text(side.texts)
        tags.tagtype[_Base.ImageDescription] = _ASCII
        tags[_Base.ImageDescription] = text.encode("utf-8", "replace")


def _add_exif(tags: TiffImagePlugin.ImageFileDirectory_v2, exif: bytes):
    """Adds the tags of an EXIF block; its groups become sub-directories."""
    source = Image.Exif()
    source.load(exif)
    groups = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
    for tag, value in source.items():
        tags[tag] = source.get_ifd(tag) if tag in groups else value
