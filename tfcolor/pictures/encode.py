"""Pixels to bytes, and bytes to files that appear whole or not at all."""

import io

import cv2
import numpy as np
from PIL import Image

from tfcolor.pictures import decode
from tfcolor.pictures import png_chunks
from tfcolor.pictures import print_size
from tfcolor.pictures import side_data
from tfcolor.pictures import tiff
from tfcolor.pictures.side_data import SideData

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# Those that hold 16 bits of a value.
_DEEP = ("PNG", "TIFF")
# 4:4:4: halving the color's resolution would undo part of the work.
_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}
# Always 4:2:0; 95 moves L twice as far as the JPEG above.
_WEBP_OPTIONS = {"quality": 98, "use_sharp_yuv": True, "exact": True}
# One APP1 segment, less its length field (ITU T.81, B.2.4.6).
_JPEG_MAX_EXIF = _JPEG_MAX_SEGMENT = 65533
# The same, less the name that marks it (XMP, part 3, section 1.1.3).
_JPEG_MAX_XMP = 65504


def encode_picture(
    rgb: np.ndarray,
    extension: str,
    *,
    alpha: np.ndarray | None = None,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    side: SideData | None = None,
) -> bytes:
    """Encodes a picture.

    What a format cannot hold is left out, as alpha in JPEG, EXIF and ICC in
    BMP; see `left_out`. 16 bits stay in PNG and TIFF and are rounded to 8 in
    the others.

    Args:
        rgb: uint8 or uint16 array [H, W, 3].
        extension: str. One of `FORMATS`, in upper or lower case.
        alpha: None or array [H, W, 1] of the dtype of `rgb`.
        exif: bytes or None. An EXIF block.
        icc_profile: bytes or None. An ICC profile of RGB colors.
        side: SideData or None. Print size and texts.

    Returns:
        bytes of the file.

    Raises:
        ValueError: the format is not one of `FORMATS`, or does not hold a
            picture of this size.
    """
    kind = FORMATS.get(extension.lower())
    if kind is None:
        raise ValueError(
            f"`extension` must be one of {', '.join(FORMATS)}. "
            f"Received: extension={extension!r}"
        )
    if kind not in _DEEP:
        rgb = decode.to_8_bit(rgb)
        alpha = None if alpha is None else decode.to_8_bit(alpha)
    if alpha is None or kind == "JPEG":
        pixels = rgb
    else:
        pixels = np.concatenate([rgb, alpha], axis=-1)
    side = side or SideData()
    metadata = {"exif": exif, "icc_profile": icc_profile, "side": side}
    if kind == "TIFF":
        return tiff.encode_tiff(pixels, **metadata)
    if kind == "BMP":
        # Pillow writes an alpha that no program reads.
        return print_size.in_bmp(_encode_cv2(pixels, ".bmp"), side.dpi)
    if kind == "PNG":
        if pixels.dtype == np.uint16:
            data = _encode_cv2(pixels, ".png")
        else:
            data = _encode_pillow(pixels, kind, {})
        return png_chunks.insert(data, **metadata)
    if kind == "WEBP":
        # It has no other place for it.
        exif = print_size.in_exif(exif, side.dpi)
        return _encode_pillow(
            pixels, kind, _WEBP_OPTIONS | _optional(exif, icc_profile, side.xmp)
        )
    return _encode_jpeg(pixels, **metadata)


def left_out(
    extension: str,
    *,
    exif: bytes | None,
    side: SideData,
    alpha: np.ndarray | None = None,
    bits: int = 8,
) -> list[str]:
    """Says what a file of a format does not hold.

    Args:
        extension: str. One of `FORMATS`, in upper or lower case.
        exif: bytes or None. An EXIF block.
        side: SideData.
        alpha: uint8 or uint16 array [H, W, 1], or None.
        bits: int, 8 or 16, of each value.

    Returns:
        list of at most one str.
    """
    kind = FORMATS[extension.lower()]
    missing = ["its IPTC texts"] if side.has_iptc else []
    if bits == 16 and kind not in _DEEP:
        missing.append("the lower 8 of its 16 bits")
    if kind == "JPEG" and alpha is not None:
        # Nothing is lost of an opaque one.
        if alpha.min() < np.iinfo(alpha.dtype).max:
            missing.append("its transparency (what it hid shows)")
    if kind == "BMP" and exif:
        missing.append("its EXIF data")
    if side.xmp and (
        kind == "BMP" or (kind == "JPEG" and len(side.xmp) > _JPEG_MAX_XMP)
    ):
        missing.append("its XMP data")
    if kind == "JPEG" and exif and len(exif) > _JPEG_MAX_EXIF:
        missing.append("its EXIF data")
    text = side_data.as_one_text(side.texts).encode("utf-8", "replace")
    if side.texts and (
        kind in ("BMP", "WEBP")
        or (kind == "JPEG" and len(text) > _JPEG_MAX_SEGMENT)
        or (kind == "TIFF" and tiff.has_description(exif))
    ):
        keys = ", ".join(key for key, _ in side.texts)
        missing.append(f"its texts ({keys})")
    if not missing:
        return []
    return [f"left out of the {kind} file: {', '.join(missing)}"]


def _encode_jpeg(pixels, *, exif, icc_profile, side: SideData) -> bytes:
    if exif and len(exif) > _JPEG_MAX_EXIF:
        exif = None
    xmp = side.xmp if side.xmp and len(side.xmp) <= _JPEG_MAX_XMP else None
    options = _JPEG_OPTIONS | _optional(exif, icc_profile, xmp)
    if side.dpi and max(side.dpi) < 65535:
        options["dpi"] = side.dpi
    text = side_data.as_one_text(side.texts).encode("utf-8", "replace")
    if text and len(text) <= _JPEG_MAX_SEGMENT:
        options["comment"] = text
    return _encode_pillow(pixels, "JPEG", options)


def _optional(exif, icc_profile, xmp) -> dict:
    # Pillow takes empty bytes, not None, as "none".
    options = {"exif": exif or b"", "icc_profile": icc_profile}
    return options | ({"xmp": xmp} if xmp else {})


def _encode_pillow(pixels: np.ndarray, kind: str, options: dict) -> bytes:
    """Encodes 8-bit pixels as JPEG, PNG or WebP."""
    stream = io.BytesIO()
    try:
        Image.fromarray(pixels).save(stream, kind, **options)
    except (OSError, ValueError) as error:
        height, width = pixels.shape[:2]
        raise ValueError(
            f"A {kind} file must be able to hold the picture. "
            f"Received: {width} x {height} pixels ({error})"
        ) from error
    return stream.getvalue()


def _encode_cv2(pixels: np.ndarray, extension: str) -> bytes:
    """Encodes RGB(A) pixels without loss; OpenCV wants them as BGR(A)."""
    order = [2, 1, 0, 3][: pixels.shape[-1]]
    pixels = np.ascontiguousarray(pixels[..., order])
    encoded, data = cv2.imencode(extension, pixels)
    if not encoded:
        raise ValueError(
            f"A {extension} file must be able to hold the picture. "
            f"Received: {pixels.shape[1]} x {pixels.shape[0]} pixels"
        )
    return data.tobytes()
