"""An opened picture to upright numbers: as stored, or sRGB as it shows.

Palettes are resolved and CMYK is converted; 16 bits are kept.
"""

import contextlib
import io

import cv2
import numpy as np
from PIL import Image
from PIL import ImageCms
from PIL import ImagePalette

from tfcolor.pictures import metadata
from tfcolor.pictures import netpbm
from tfcolor.pictures import pillow_limit
from tfcolor.pictures import shown_colors
from tfcolor.pictures import tiff_samples
from tfcolor.pictures.tiff_pages import Page

_COLOR_MAP = 320
_SIXTEEN_BIT_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
_UNSUPPORTED = {
    "F": "32-bit floating point pixels",
    "I": "32-bit integer pixels",
    "LAB": "CIELAB pixels",
}


def stored_values(
    picture: Image.Image, data: bytes, page: Page | None, notes: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns upright pixels and alpha as the file has them.

    Args:
        picture: PIL.Image.Image, as opened.
        data: bytes of the file.
        page: Page of a TIFF, or None.
        notes: list of str, to which notes are added.

    Returns:
        uint8 or uint16 [H, W, 1 or 3]; alpha [H, W, 1] or None.

    Raises:
        OSError: the file is damaged or truncated.
        ValueError: the kind of picture is not supported.
    """
    # Asked before loading, which turns TIFFs upright, and only those.
    orientation = metadata.orientation(picture)
    if page is not None and page.has_own_reader:
        values = tiff_samples.read_samples(data, page)
        color, alpha = tiff_samples.color_and_alpha(values, page)
        if page.colors == 4:
            color = _cmyk_values(color, picture.info, notes)
        return tuple(
            None if x is None else upright(x, orientation)
            for x in (color, alpha)
        )
    if picture.format == "PPM" and netpbm.is_deep(data):
        return netpbm.read(data), None
    # Pillow has texts of more than 8 bits as 0..65535 in 32.
    text = picture.format == "PPM" and picture.mode == "I"
    if picture.mode in _UNSUPPORTED and not text:
        raise unsupported(_UNSUPPORTED[picture.mode])
    if picture.format == "TIFF":
        orientation = 1
        _mend_palette(picture)
    deep = _is_deep_png(picture, data)
    try:
        # Also where OpenCV decodes: it does not notice truncated files.
        with pillow_limit.at(picture.width * picture.height):
            picture.load()
    except (SyntaxError, OverflowError) as error:
        raise OSError(str(error)) from error
    level = _transparent_level(picture, data)
    if level is not None:
        picture.info["transparency"] = level
    if deep:
        values = _decode_deep_png(data)
    elif picture.mode in _SIXTEEN_BIT_GREY or text:
        values = np.asarray(picture).astype(np.uint16)
        if page is not None and page.bits[0] == 12:
            values = _from_12_bits(values, page)
        if level is not None:
            alpha = np.where(values == level, 0, 65535).astype(np.uint16)
            values = np.stack([values, alpha], axis=-1)
    else:
        values = np.asarray(_plain_mode(picture, notes))
    values = upright(values.reshape(*values.shape[:2], -1), orientation)
    channels = values.shape[-1]
    if channels in (1, 3):
        return values, None
    color, alpha = values[..., : channels - 1], values[..., channels - 1 :]
    return np.ascontiguousarray(color), np.ascontiguousarray(alpha)


def meant_alpha(
    picture: Image.Image,
    data: bytes,
    alpha: np.ndarray | None,
    notes: list[str],
) -> np.ndarray | None:
    """Leaves out an alpha that its file does not mean as one.

    Args:
        picture: PIL.Image.Image, as opened.
        data: bytes of the file.
        alpha: uint8 or uint16 array [H, W, 1], or None.
        notes: list of str, to which notes are added.

    Returns:
        `alpha`, or None: by the head of a TGA its further bits are no alpha,
        or nothing of the picture would show.

    Reference:
        Truevision TGA 2.0, field 5.6: bits 3-0 count those of alpha.
    """
    if alpha is None:
        return None
    if picture.format == "TGA" and not data[17] & 15:
        if alpha.min() < alpha.max():
            notes.append(
                "its fourth channel is left out: by its head it is no alpha"
            )
        return None
    if alpha.max() == 0:
        notes.append("its alpha is left out: it hides all of the picture")
        return None
    return alpha


def is_cmyk(picture: Image.Image, page: Page | None) -> bool:
    """Tells whether a picture's colors are CMYK, before conversion."""
    return picture.mode == "CMYK" or (page is not None and page.colors == 4)


def shown_values(
    picture: Image.Image, pixels: np.ndarray, notes: list[str]
) -> tuple[np.ndarray, bytes | None]:
    """Brings pixels to sRGB, by the profile or chunks of their file.

    Args:
        picture: PIL.Image.Image, as opened, not of CMYK.
        pixels: uint8 or uint16 array [H, W, 1 or 3], as of `stored_values`.
        notes: list of str, to which notes are added.

    Returns:
        `pixels` where they are sRGB already, else a uint16 array
        [H, W, 1 or 3]; and the ICC profile of an RGB copy, or None.
    """
    channels = pixels.shape[-1]
    profile = picture.info.get("icc_profile")
    if channels == 3 and shown_colors.is_grey_profile(profile):
        first = pixels[..., :1]
        if np.array_equal(pixels[..., 1:], np.repeat(first, 2, axis=-1)):
            pixels, channels = first, 1
    convert, note = shown_colors.conversion(picture, channels)
    notes += [note] if note else []
    if convert is not None:
        return convert(pixels), shown_colors.srgb_profile()
    if note is not None or channels == 1:
        return pixels, None
    return pixels, profile or None


def unsupported(kind: str) -> ValueError:
    """Returns the error that names a kind of picture that is not read."""
    return ValueError(
        "A picture must have 8 or 16 bits a channel, grey, RGB, palette "
        f"or CMYK. Received: {kind}"
    )


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Applies an EXIF orientation (CIPA DC-008, tag 274) to [H, W, C]."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return np.ascontiguousarray(values)


def _is_deep_png(picture: Image.Image, data: bytes) -> bool:
    """Tells whether a picture has 16-bit color, which Pillow cuts to 8."""
    # The depth in the header chunk, PNG specification 11.2.2.
    deep = picture.format == "PNG" and data[24] == 16
    return deep and picture.mode in ("RGB", "RGBA", "LA")


def _transparent_level(picture: Image.Image, data: bytes) -> int | None:
    """Returns the level of a grey PNG that is transparent, or None.

    Pillow has it as in the file, of 2 and 4 bits too, which are spread over
    0..255 in its pixels. PNG specification, 11.3.1.1.
    """
    level = picture.info.get("transparency")
    # One of 1 bit is right.
    if picture.format != "PNG" or picture.mode not in ("L", "I;16"):
        return None
    if not isinstance(level, int):
        return None
    highest = 2 ** data[24] - 1
    # More than the depth has does not count.
    scale = (65535 if picture.mode == "I;16" else 255) // highest
    return (level & highest) * scale


def _decode_deep_png(data: bytes) -> np.ndarray:
    """Decodes a 16-bit PNG to uint16 [H, W, 3 or 4], RGB(A)."""
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


def _from_12_bits(values: np.ndarray, page: Page) -> np.ndarray:
    """Spreads 0..4095 over 0..65535."""
    values = (values.astype(np.uint32) * 65535 + 2047) // 4095
    values = values.astype(np.uint16)
    return 65535 - values if page.photometric == 0 else values


def _mend_palette(picture: Image.Image) -> None:
    """Sets a palette of 0..255, which Pillow takes for one of 0..65535."""
    if picture.mode not in ("P", "PA"):
        return
    values = picture.tag_v2[_COLOR_MAP]
    # As libtiff has it: no palette of 16 bits is that dark.
    if values and 0 <= min(values) and max(values) < 256:
        picture.palette = ImagePalette.raw("RGB;L", bytes(values))


def _plain_mode(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Converts an 8-bit picture to mode L, LA, RGB or RGBA."""
    mode = picture.mode
    if mode == "CMYK":
        return _cmyk_to_rgb(picture, picture.info, notes)
    has_alpha = picture.has_transparency_data
    if mode in ("1", "L", "LA", "La"):
        wanted = "LA" if has_alpha else "L"
    else:
        wanted = "RGBA" if has_alpha else "RGB"
    return picture if mode == wanted else picture.convert(wanted)


def _cmyk_values(values: np.ndarray, info: dict, notes) -> np.ndarray:
    if values.dtype == np.uint16:
        values = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    size = values.shape[1::-1]
    picture = Image.frombytes("CMYK", size, values.tobytes())
    return np.asarray(_cmyk_to_rgb(picture, info, notes))


def _cmyk_to_rgb(picture: Image.Image, info: dict, notes) -> Image.Image:
    """Converts by the picture's own profile, or plainly without a good one."""
    profile = info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            return ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        notes.append(
            "its ICC profile is ignored: it is damaged, or not one of CMYK"
        )
    return picture.convert("RGB")
