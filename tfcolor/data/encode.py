"""Pixels to bytes, and bytes to files that appear whole or not at all."""

import contextlib
import io
import os
import struct
import uuid
import zlib

import cv2
import numpy as np
from PIL import Image

from tfcolor.data import decode
from tfcolor.data import tiff

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
# 4:4:4: halving the colour's resolution would undo part of the work.
_JPEG_OPTIONS = {"quality": 95, "subsampling": 0}
# Always 4:2:0; 95 moves L twice as far as the JPEG above.
_WEBP_OPTIONS = {"quality": 98, "use_sharp_yuv": True, "exact": True}
# One APP1 segment, less its length field (ITU T.81, B.2.4.6).
_JPEG_MAX_EXIF = 65533


def encode_picture(
    rgb: np.ndarray,
    extension: str,
    *,
    alpha: np.ndarray | None = None,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
) -> bytes:
    """Encodes a picture.

    What a format cannot hold is left out: alpha in JPEG, EXIF and ICC in BMP.
    16 bits stay in PNG and TIFF and are rounded to 8 in the others.

    Args:
        rgb: uint8 or uint16 array [H, W, 3].
        extension: str. One of `FORMATS`, in upper or lower case.
        alpha: None or array [H, W, 1] of the dtype of `rgb`.
        exif: bytes or None. An EXIF block.
        icc_profile: bytes or None. An ICC profile of RGB colours.

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
    if kind not in ("PNG", "TIFF"):
        rgb = decode.to_8_bit(rgb)
        alpha = None if alpha is None else decode.to_8_bit(alpha)
    if alpha is None or kind == "JPEG":
        pixels = rgb
    else:
        pixels = np.concatenate([rgb, alpha], axis=-1)
    if kind == "TIFF":
        return tiff.encode_tiff(pixels, exif=exif, icc_profile=icc_profile)
    if kind == "BMP":
        # Pillow writes an alpha that no program reads.
        return _encode_cv2(pixels, ".bmp")
    if pixels.dtype == np.uint16:
        data = _encode_cv2(pixels, ".png")
        return _insert_png_chunks(data, exif=exif, icc_profile=icc_profile)
    return _encode_pillow(pixels, kind, exif=exif, icc_profile=icc_profile)


def write_atomically(path: str, data: bytes) -> None:
    """Writes a file so that nobody ever sees a part of it.

    Args:
        path: str. Folders that are missing are made; a file is replaced.
        data: bytes.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".tfcolor-{uuid.uuid4().hex}.tmp")
    try:
        os.makedirs(folder or os.curdir, exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


def _encode_pillow(
    pixels: np.ndarray,
    kind: str,
    *,
    exif: bytes | None,
    icc_profile: bytes | None,
) -> bytes:
    """Encodes 8-bit pixels as JPEG, PNG or WebP."""
    options = {"JPEG": _JPEG_OPTIONS, "WEBP": _WEBP_OPTIONS}.get(kind, {})
    if kind == "JPEG" and exif and len(exif) > _JPEG_MAX_EXIF:
        exif = None
    # Pillow takes empty bytes, not None, as "none".
    options = {**options, "exif": exif or b"", "icc_profile": icc_profile}
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


def _insert_png_chunks(
    data: bytes, *, exif: bytes | None, icc_profile: bytes | None
) -> bytes:
    """Adds iCCP and eXIf chunks after the header of a PNG file.

    Reference:
        PNG specification, third edition, 11.3.2.3 and 11.3.4.5.
    """
    chunks = b""
    if icc_profile:
        name_and_method = b"ICC profile\0\0"
        chunks += _png_chunk(
            b"iCCP", name_and_method + zlib.compress(icc_profile)
        )
    if exif:
        chunks += _png_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    # The signature has 8 bytes, the header chunk 25.
    return data[:33] + chunks + data[33:]


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    length = struct.pack(">I", len(content))
    return length + kind + content + struct.pack(">I", checksum)
