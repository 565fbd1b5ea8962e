"""What a file says beside pixels, EXIF and profile: print size and texts."""

import dataclasses
import math
import re

from PIL import ExifTags
from PIL import Image

_Base = ExifTags.Base
_CENTIMETRES = 3
COMMENT = "Comment"
XMP_KEY = "XML:com.adobe.xmp"
# Other programs' copies of EXIF, XMP and IPTC inside a PNG.
_PROFILE_KEY = "Raw profile type"
_IPTC_RESOURCE, _IPTC_TAG = 0x0404, 33723
# XMP, part 2, section 3.1: as an attribute and as an element.
_ORIENTATION = re.compile(
    rb"(tiff:Orientation\s*(?:=\s*[\"']|>\s*))[2-8](?=\s*[\"'<])"
)


@dataclasses.dataclass(frozen=True)
class SideData:
    """What a file says beside its pixels.

    Attributes:
        dpi: tuple of two floats or None. Dots per inch across and down the
            upright picture.
        xmp: bytes or None. An XMP packet; its orientation is upright.
        texts: tuple of (key, text), str. Comments and the texts of a PNG.
        has_iptc: bool. Whether there are IPTC texts, which are not read.
    """

    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    has_iptc: bool = False


def read(picture: Image.Image, *, orientation: int) -> SideData:
    """Reads what a file says beside its pixels.

    Args:
        picture: PIL.Image.Image, as opened: loading changes what it says.
        orientation: int, the EXIF orientation.

    Returns:
        SideData without `texts` of a PNG, which may come after the pixels;
        see `with_png_texts`.
    """
    dpi = _dpi(picture)
    if dpi is not None and orientation >= 5:
        dpi = dpi[::-1]
    xmp = picture.info.get("xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    if not isinstance(xmp, bytes) or not xmp.strip(b"\0 "):
        xmp = None
    else:
        xmp = _ORIENTATION.sub(rb"\g<1>1", xmp)
    comment = picture.info.get("comment")
    texts = ((COMMENT, _decoded(comment)),) if comment else ()
    return SideData(dpi, xmp, texts, _has_iptc(picture))


def with_png_texts(side: SideData, picture: Image.Image) -> SideData:
    """Adds the texts of a PNG.

    Args:
        side: SideData.
        picture: PIL.Image.Image, loaded.

    Returns:
        SideData; `side` itself for other formats.
    """
    texts = getattr(picture, "text", None)
    if picture.format != "PNG" or not texts:
        return side
    kept = tuple(
        (str(key), str(text))
        for key, text in texts.items()
        if key != XMP_KEY and not key.startswith(_PROFILE_KEY)
    )
    return dataclasses.replace(side, texts=kept)


def as_one_text(texts: tuple[tuple[str, str], ...]) -> str:
    """Returns texts as one, for formats that hold one comment."""
    if len(texts) == 1 and texts[0][0] == COMMENT:
        return texts[0][1]
    return "\n".join(f"{key}: {text}" for key, text in texts)


def _dpi(picture: Image.Image) -> tuple[float, float] | None:
    """Returns the print size a file has; Pillow makes up one for JPEGs."""
    dpi = None
    if picture.format not in ("JPEG", "MPO") or (
        picture.info.get("jfif_unit") in (1, 2)
    ):
        dpi = picture.info.get("dpi")
    if dpi is None and picture.format != "TIFF":
        try:
            exif = picture.getexif()
            dpi = exif.get(_Base.XResolution), exif.get(_Base.YResolution)
            if exif.get(_Base.ResolutionUnit) == _CENTIMETRES:
                dpi = tuple(2.54 * float(value) for value in dpi)
        except Exception:
            # Pillow raises errors of many kinds on damaged EXIF data.
            return None
    try:
        dpi = tuple(map(float, dpi))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    fit = len(dpi) == 2 and all(math.isfinite(v) and 0 < v < 1e5 for v in dpi)
    return dpi if fit else None


def _decoded(comment) -> str:
    if isinstance(comment, str):
        return comment
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")


def _has_iptc(picture: Image.Image) -> bool:
    resources = picture.info.get("photoshop") or {}
    if isinstance(resources, dict) and _IPTC_RESOURCE in resources:
        return True
    return _IPTC_TAG in getattr(picture, "tag_v2", {})
