"""EXIF and ICC of a source picture, made fit for the upright RGB result."""

import contextlib
import struct

from PIL import ExifTags
from PIL import Image

from tfcolor.pictures import tiff_pages

_Base = ExifTags.Base

# What describes the picture and not the file: the other tags of a TIFF say
# where its pixels lie, and a thumbnail would show the picture as it was.
_KEPT_TAGS = (
    _Base.DocumentName,
    _Base.ImageDescription,
    _Base.Make,
    _Base.Model,
    _Base.XResolution,
    _Base.YResolution,
    _Base.ResolutionUnit,
    _Base.Software,
    _Base.DateTime,
    _Base.Artist,
    _Base.HostComputer,
    _Base.Copyright,
    # What the Explorer of Windows writes.
    _Base.XPTitle,
    _Base.XPComment,
    _Base.XPAuthor,
    _Base.XPKeywords,
    _Base.XPSubject,
)
_RESOLUTIONS = (_Base.XResolution, _Base.YResolution)
_KEPT_GROUPS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
# Tags whose value is the place of another directory, in the EXIF block.
_GROUPS = (*_KEPT_GROUPS, ExifTags.IFD.Interop)
_MAX_DIRECTORIES = 16
_EXIF_NAME = b"Exif\0\0"


def jpeg_exif(data) -> bytes:
    """Returns the EXIF block of a JPEG file as Pillow puts it together.

    Args:
        data: bytes of the file, or a memory map of it.

    Returns:
        bytes, empty where there is none.
    """
    found, place = b"", 2
    while data[place : place + 1] == b"\xff":
        marker = data[place + 1 : place + 2]
        if marker == b"\xff":
            place += 1
            continue
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        # Compressed data follow the start of a scan.
        if marker in (b"", b"\xda", b"\xd9") or size < 2:
            break
        if marker == b"\xe1" and data[place + 4 : place + 10] == _EXIF_NAME:
            found += data[place + 10 : place + 2 + size]
        place += 2 + size
    return found


def check_exif(exif: bytes) -> None:
    """Checks that reading an EXIF block takes no more than its own size.

    Args:
        exif: bytes.

    Raises:
        OSError: it is crafted to take more.
    """
    data = exif.removeprefix(_EXIF_NAME)
    order = {b"II": "<", b"MM": ">"}.get(data[:2], ">")
    # A block that is cut off is read as far as it goes.
    with contextlib.suppress(struct.error):
        places = list(struct.unpack_from(order + "L", data, 4))
        for number, place in enumerate(places):
            if number == _MAX_DIRECTORIES:
                break
            try:
                entries = tiff_pages.read_entries(data, place, order)
            except ValueError as error:
                raise OSError(
                    f"The EXIF data of the file are damaged: {error}."
                ) from error
            places += [value for tag, _, _, value in entries if tag in _GROUPS]


def orientation(picture: Image.Image) -> int:
    """Returns the EXIF orientation, 1..8; 1 (upright) where it is unusable."""
    # Pillow raises errors of many kinds on damaged EXIF data.
    with contextlib.suppress(Exception):
        value = picture.getexif().get(_Base.Orientation, 1)
        if value in range(1, 9):
            return value
    return 1


def exif_orientation(picture: Image.Image) -> int:
    """Returns the orientation that the EXIF block alone has; see `orientation`.

    Pillow also looks into XMP and, in a PNG, into texts.

    Args:
        picture: PIL.Image.Image, of a PNG loaded.

    Returns:
        int, 1..8.
    """
    block = picture.info.get("exif")
    with contextlib.suppress(Exception):
        exif = Image.Exif()
        exif.load(block)
        value = exif.get(_Base.Orientation, 1)
        if value in range(1, 9):
            return value
    return 1


def upright_exif(
    picture: Image.Image, *, width: int, height: int
) -> bytes | None:
    """Returns the picture's EXIF block for its upright copy.

    Camera, date, place and author stay; the orientation becomes 1 and the
    size that of the upright picture. Thumbnails are left out.

    Args:
        picture: PIL.Image.Image, as opened, its file still open.
        width: int. Pixels, of the upright picture.
        height: int. Pixels, of the upright picture.

    Returns:
        bytes starting with `Exif` and two zeros, or None where the picture
        has no EXIF data or damaged ones.
    """
    # Damaged EXIF data are no reason to lose a picture.
    with contextlib.suppress(Exception):
        source = picture.getexif()
        kept = Image.Exif()
        for tag in _KEPT_TAGS:
            if tag in source:
                kept[tag] = source[tag]
        if source.get(_Base.Orientation, 1) >= 5:
            # The sides change places, and what they measure with them.
            for tag, other in (_RESOLUTIONS, _RESOLUTIONS[::-1]):
                if other in source:
                    kept[tag] = source[other]
        for group, values in _kept_groups(source, width, height).items():
            kept.get_ifd(group).update(values)
        if len(source):
            kept[_Base.Orientation] = 1
            return kept.tobytes()
    return None


def _kept_groups(source: Image.Exif, width: int, height: int) -> dict:
    """Returns the EXIF and GPS groups that are not empty."""
    groups = {group: dict(source.get_ifd(group)) for group in _KEPT_GROUPS}
    details = groups[ExifTags.IFD.Exif]
    # A pointer into the source file.
    details.pop(ExifTags.IFD.Interop, None)
    if _Base.ExifImageWidth in details:
        details[_Base.ExifImageWidth] = width
    if _Base.ExifImageHeight in details:
        details[_Base.ExifImageHeight] = height
    return {group: values for group, values in groups.items() if values}


def left_out_frames(picture: Image.Image) -> list[str]:
    """Returns a note where a picture moves: only its first frame is taken.

    Args:
        picture: PIL.Image.Image, as opened, its file still open.

    Returns:
        list of one str, or an empty one. The further pictures of a camera's
        JPEG (previews, gain maps) are no frames; for the pages of a TIFF see
        `tiff_pages`.
    """
    if picture.format in ("TIFF", "MPO", "JPEG"):
        return []
    # Pillow looks through the file of a GIF for it, which may be damaged.
    frames = 1
    with contextlib.suppress(Exception):
        frames = getattr(picture, "n_frames", 1)
    if frames == 1:
        return []
    return [
        f"it has {frames} frames; the first one is taken, {frames - 1} left out"
    ]
