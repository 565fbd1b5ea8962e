"""Bytes to pixels: any picture file becomes upright grey or RGB.

Read are JPEG, PNG, WebP, BMP, TIFF and the first frame of GIF: grey, RGB,
palette, CMYK, 1 bit and 16 bit, with or without alpha.
"""

import contextlib
import dataclasses
import io
import threading

import cv2
import numpy as np
from PIL import Image
from PIL import ImageCms
from PIL import UnidentifiedImageError

from tfcolor.data import metadata

# Past this, coordinates no longer fit what OpenCV and TensorFlow index with.
MAX_PIXELS = 2**30

_SIXTEEN_BIT_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
_UNSUPPORTED = {
    "F": "32-bit floating point pixels",
    "I": "32-bit integer pixels",
    "LAB": "CIELAB pixels",
}
_pillow_limit_lock = threading.Lock()


@dataclasses.dataclass(frozen=True)
class Picture:
    """An upright picture with what its file says about it.

    Attributes:
        pixels: uint8 or uint16 array [H, W, 3] (sRGB) or [H, W, 1] (grey).
        alpha: array [H, W, 1] of the same dtype, or None.
        exif: bytes or None. EXIF block that fits the upright picture.
        icc_profile: bytes or None. ICC profile of an RGB picture.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None


def decode_rgb(data: bytes, *, shrink_to: int | None = None) -> np.ndarray:
    """Decodes an encoded picture to upright 8-bit RGB.

    Alpha is dropped; 16 bits are rounded to 8.

    Args:
        data: bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file.
        shrink_to: int or None. A hint that a picture whose short side is at
            least this many pixels is enough: JPEGs are then decoded at 1/2,
            1/4 or 1/8 of their size, which is several times quicker.

    Returns:
        uint8 array [H, W, 3], sRGB, EXIF orientation applied.

    Raises:
        OSError: `data` is not a picture that can be read, or truncated.
        ValueError: the kind of picture is not supported, or it is too big.
    """
    with _open(data) as picture:
        if shrink_to is not None:
            picture.draft("RGB", (shrink_to, shrink_to))
        pixels, _ = _pixels(picture, data)
    pixels = to_8_bit(pixels)
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels, 3, axis=-1)


def decode_square(data: bytes, side: int) -> np.ndarray:
    """Decodes an encoded picture and squashes it to a square.

    Args:
        data: bytes, as for `decode_rgb`.
        side: int, pixels. JPEGs are decoded no larger than that needs.

    Returns:
        uint8 array [side, side, 3], sRGB, upright, as of `squash`.

    Raises:
        OSError: `data` is not a picture that can be read, or truncated.
        ValueError: the kind of picture is not supported, or it is too big.
    """
    with _open(data) as picture:
        picture.draft("RGB", (side, side))
        plain = picture.format == "JPEG" and picture.mode in ("L", "RGB")
        if plain and metadata.orientation(picture) == 1:
            # Most pictures: nothing but the size has to change.
            square = picture.resize((side, side), Image.Resampling.BILINEAR)
            return np.asarray(square.convert("RGB"))
    return squash(decode_rgb(data, shrink_to=side), side)


def squash(rgb: np.ndarray, side: int) -> np.ndarray:
    """Resizes a picture to a square, with antialiasing.

    Args:
        rgb: uint8 array [H, W, 3].
        side: int, pixels.

    Returns:
        uint8 array [side, side, 3]: Pillow's bilinear resize, which is what
        torchvision's transforms do.
    """
    if rgb.shape[:2] == (side, side):
        return rgb
    picture = Image.fromarray(rgb)
    return np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))


def decode_picture(data: bytes) -> Picture:
    """Decodes an encoded picture with all that its colorized copy needs.

    Args:
        data: bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file.

    Returns:
        Picture: 16 bits, alpha and grey are kept, palettes are resolved and
        CMYK is converted to sRGB.

    Raises:
        OSError: `data` is not a picture that can be read, or truncated.
        ValueError: the kind of picture is not supported, or it is too big.
    """
    with _open(data) as picture:
        icc_profile = None
        if picture.mode != "CMYK":
            icc_profile = metadata.rgb_profile(picture.info.get("icc_profile"))
        orientation = metadata.orientation(picture)
        width, height = picture.size
        # Pillow gives the size of a TIFF as it is when upright.
        if orientation >= 5 and picture.format != "TIFF":
            width, height = height, width
        exif = metadata.upright_exif(picture, width=width, height=height)
        pixels, alpha = _pixels(picture, data)
    if pixels.shape[-1] == 1:
        icc_profile = None
    return Picture(pixels, alpha, exif, icc_profile)


def count_pixels(path: str) -> int:
    """Returns the size of a picture file from its head; 0 if unreadable."""
    with contextlib.suppress(Exception), _open(path) as picture:
        return picture.width * picture.height
    return 0


def is_cmyk(data: bytes) -> bool:
    """Tells from its head whether a picture has CMYK colours.

    Args:
        data: bytes of a picture file.

    Returns:
        bool; False where the head cannot be read.
    """
    with contextlib.suppress(Exception), _open(data) as picture:
        return picture.mode == "CMYK"
    return False


def to_8_bit(pixels: np.ndarray) -> np.ndarray:
    """Rounds uint16 pixels to uint8; uint8 ones are returned as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 * 257.
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _open(source: bytes | str) -> Image.Image:
    """Opens a picture, with a size limit of our own instead of Pillow's."""
    if source == b"":
        raise OSError("The file is empty.")
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with _pillow_limit_lock:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            picture = Image.open(stream)
        except UnidentifiedImageError:
            raise OSError(
                "The file is not a picture, or of a format that cannot be read."
            ) from None
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(
            f"A picture must have at most {MAX_PIXELS} pixels. "
            f"Received: {picture.width} x {picture.height}"
        )
    return picture


def _pixels(
    picture: Image.Image, data: bytes
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns upright pixels and alpha of an opened picture."""
    if picture.mode in _UNSUPPORTED:
        raise ValueError(
            "A picture must have 8 or 16 bits a channel, grey, RGB, palette "
            f"or CMYK. Received: {_UNSUPPORTED[picture.mode]}"
        )
    # Asked before loading, which turns TIFFs upright, and only those.
    orientation = metadata.orientation(picture)
    if picture.format == "TIFF":
        orientation = 1
    deep = _is_deep_color(picture, data)
    inverted = picture.format == "TIFF" and picture.tag_v2.get(262) == 0
    try:
        # Also where OpenCV decodes: it does not notice truncated files.
        picture.load()
    except SyntaxError as error:
        raise OSError(str(error)) from error
    if deep:
        values = _decode_deep_color(data)
    elif picture.mode in _SIXTEEN_BIT_GREY:
        values = np.asarray(picture).astype(np.uint16)
        # Pillow inverts "0 is white" at 8 bits, but not at 16.
        values = 65535 - values if inverted else values
    else:
        values = np.asarray(_plain_mode(picture))
    values = _upright(values.reshape(*values.shape[:2], -1), orientation)
    channels = values.shape[-1]
    if channels in (1, 3):
        return np.ascontiguousarray(values), None
    color, alpha = values[..., : channels - 1], values[..., channels - 1 :]
    return np.ascontiguousarray(color), np.ascontiguousarray(alpha)


def _is_deep_color(picture: Image.Image, data: bytes) -> bool:
    """Tells whether a picture has 16-bit colour, which Pillow cuts to 8."""
    if picture.mode not in ("RGB", "RGBA", "LA"):
        return False
    if picture.format == "PNG":
        # The depth in the header chunk, PNG specification 11.2.2.
        return data[24] == 16
    if picture.format == "TIFF":
        return set(picture.tag_v2.get(258, (8,))) == {16}
    return False


def _decode_deep_color(data: bytes) -> np.ndarray:
    """Decodes a 16-bit picture to uint16 [H, W, 3 or 4], RGB(A)."""
    try:
        values = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED
        )
    except cv2.error as error:
        raise OSError("The 16-bit picture cannot be read.") from error
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        raise OSError("The 16-bit picture cannot be read.")
    order = [2, 1, 0, 3][: values.shape[-1]]
    return values[..., order]


def _plain_mode(picture: Image.Image) -> Image.Image:
    """Converts an 8-bit picture to mode L, LA, RGB or RGBA."""
    mode = picture.mode
    if mode == "CMYK":
        return _cmyk_to_rgb(picture)
    has_alpha = picture.has_transparency_data
    if mode in ("1", "L", "LA", "La"):
        wanted = "LA" if has_alpha else "L"
    else:
        wanted = "RGBA" if has_alpha else "RGB"
    return picture if mode == wanted else picture.convert(wanted)


def _cmyk_to_rgb(picture: Image.Image) -> Image.Image:
    """Converts by the picture's own profile, or plainly without a good one."""
    profile = picture.info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            return ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
    return picture.convert("RGB")


def _upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Applies an EXIF orientation (CIPA DC-008, tag 274) to [H, W, C]."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
