"""Bytes to pixels: any picture file becomes upright grey or RGB.

Read are JPEG, PNG, WebP, BMP, TIFF, GIF and what else `files.EXTENSIONS`
names: grey, RGB, palette, CMYK, 1 bit and 16 bit, with or without alpha; of
several pages or frames the first one. Colors become the sRGB of what the
file shows, see docs/color_management.md.
"""

import contextlib
import dataclasses
import io
import mmap
import re
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
from PIL import Image
from PIL import UnidentifiedImageError
from PIL import features

from tfcolor.pictures import icc_profile
from tfcolor.pictures import jpeg_end
from tfcolor.pictures import metadata
from tfcolor.pictures import netpbm
from tfcolor.pictures import picture_values
from tfcolor.pictures import pillow_limit
from tfcolor.pictures import png_end
from tfcolor.pictures import shown_colors
from tfcolor.pictures import side_data
from tfcolor.pictures import tiff_pages
from tfcolor.pictures.side_data import SideData

MAX_PIXELS = pillow_limit.MAX_PIXELS
_JPEG = b"\xff\xd8"
# Those that are read, whatever a file's name is. Pillow knows more: some run
# other programs (EPS), some are not pictures of pixels.
_FORMATS = (
    *("JPEG", "PNG", "BMP", "DIB", "GIF", "PPM", "TIFF", "WEBP"),
    *(("AVIF",) if features.check("avif") else ()),
    *(("JPEG2000",) if features.check("jpg_2000") else ()),
    # Last: nearly any bytes can be its first ones.
    "TGA",
)


@dataclasses.dataclass(frozen=True)
class Picture:
    """An upright picture with what its file says about it.

    Attributes:
        pixels: uint8 or uint16 array [H, W, 3] (sRGB) or [H, W, 1] (grey).
        alpha: array [H, W, 1] of the same dtype, or None.
        exif: bytes or None. EXIF block that fits the upright picture.
        icc_profile: bytes or None. ICC profile that its RGB copy should
            have: its own one if it is sRGB's, an sRGB one if colors were
            converted.
        bits: int. Of a channel in the file, 8 or 16: colors that were
            converted are uint16 in any case.
        notes: tuple of str. What was left out or ignored, a line each.
        side: SideData. Print size and texts.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    bits: int = 8
    notes: tuple[str, ...] = ()
    side: SideData = SideData()


def decode_rgb(
    data: bytes,
    *,
    shrink_to: int | None = None,
    say: Callable[[str], None] | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Decodes an encoded picture to upright 8-bit RGB.

    Alpha is dropped; 16 bits are rounded to 8.

    Args:
        data: bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file.
        shrink_to: int or None. A hint that a picture whose short side is at
            least this many pixels is enough: JPEGs are then decoded at 1/2,
            1/4 or 1/8 of their size, which is several times quicker.
        say: function of a line of text, or None. Told what was left out or
            ignored, as `Picture.notes` has it.
        max_pixels: int. A picture of more, by its head, is not decoded.

    Returns:
        uint8 array [H, W, 3], sRGB, EXIF orientation applied.

    Raises:
        OSError: `data` is not a picture that can be read, or truncated.
        ValueError: the kind of picture is not supported, or it is too big.
    """
    picture = _decode(
        data,
        shrink_to,
        max_pixels,
        has_metadata=False,
        has_frames=say is not None,
    )
    if say is not None:
        for note in picture.notes:
            say(note)
    pixels = to_8_bit(picture.pixels)
    return pixels if pixels.shape[-1] == 3 else np.repeat(pixels, 3, axis=-1)


def decode_square(
    data: bytes, side: int, *, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Decodes an encoded picture and squashes it to a square.

    Args:
        data: bytes, as for `decode_rgb`.
        side: int, pixels. JPEGs are decoded no larger than that needs.
        max_pixels: int. A picture of more, by its head, is not decoded.

    Returns:
        uint8 array [side, side, 3], sRGB, upright, as of `squash`.

    Raises:
        OSError: `data` is not a picture that can be read, or truncated.
        ValueError: the kind of picture is not supported, or it is too big.
    """
    if data[:2] == _JPEG:
        square = _plain_square(data, side, max_pixels)
        if square is not None:
            return square
    rgb = decode_rgb(data, shrink_to=side, max_pixels=max_pixels)
    return squash(rgb, side)


def _plain_square(data: bytes, side: int, max_pixels: int):
    """Decodes and squashes most JPEGs; None for all others."""
    with _one_kind_of_error(), _open(data, max_pixels) as picture:
        picture.draft("RGB", (side, side))
        plain = picture.format == "JPEG" and picture.mode in ("L", "RGB")
        plain = plain and not shown_colors.is_converted(picture)
        if plain and metadata.orientation(picture) == 1:
            # Nothing but the size has to change. A file that only lacks its
            # end goes the other way.
            with contextlib.suppress(OSError):
                square = picture.resize((side,) * 2, Image.Resampling.BILINEAR)
                return np.asarray(square.convert("RGB"))
    return None


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


def decode_picture(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decodes an encoded picture with all that its colorized copy needs.

    Args:
        data: bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file.
        max_pixels: int. A picture of more, by its head, is not decoded.

    Returns:
        Picture: 16 bits, alpha and grey are kept, palettes are resolved and
        CMYK is converted to sRGB.

    Raises:
        OSError: `data` is not a picture that can be read, or truncated.
        ValueError: the kind of picture is not supported, or it is too big.
    """
    return _decode(data, None, max_pixels, has_metadata=True, has_frames=True)


def upright_size(path: str) -> tuple[int, int] | None:
    """Returns the size of a picture file from its head.

    Args:
        path: str.

    Returns:
        (height, width) of the upright picture, pixels, or None where the head
        cannot be read or the picture is too large.
    """
    with contextlib.suppress(Exception), _opened_head(path) as picture:
        # Pillow looks for the EXIF data of a PNG behind its pixels as well.
        if picture.width * picture.height > MAX_PIXELS:
            return None
        width, height = _upright_size(picture)
        return height, width
    return None


def _upright_size(picture: Image.Image) -> tuple[int, int]:
    """Returns width and height of the upright picture."""
    width, height = picture.size
    # Pillow gives the size of a TIFF as it is when upright.
    if picture.format != "TIFF" and metadata.orientation(picture) >= 5:
        return height, width
    return width, height


def count_pixels(path: str) -> int:
    """Returns the size of a picture file from its head; 0 if unreadable."""
    with contextlib.suppress(Exception), _opened_head(path) as picture:
        return picture.width * picture.height
    return 0


@contextlib.contextmanager
def _opened_head(path: str) -> Iterator[Image.Image]:
    """Opens a picture of any size; only its head is read."""
    with (
        open(path, "rb", opener=pillow_limit.open_at_once) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        if tiff_pages.is_tiff(data):
            tiff_pages.read_pages(data)
        with _open(data, pillow_limit.MOST_PIXELS, file) as picture:
            yield picture


def is_plain(data: bytes, *, max_pixels: int = MAX_PIXELS) -> bool:
    """Tells whether any decoder finds the pixels of `decode_picture`.

    Args:
        data: bytes of a JPEG or PNG file.
        max_pixels: int, as of `decode_picture`.

    Returns:
        bool. False for CMYK, for colors that are not sRGB's, for a picture
        that something else than EXIF turns, for a JPEG without an end, for a
        PNG without one or of wrong checksums, for a picture of too many
        pixels and where the head cannot be read.
    """
    if data.startswith(_JPEG) and b"\xff\xd9" not in data[-1024:]:
        # Most likely something follows the end, but it may be missing.
        return False
    with contextlib.suppress(Exception), _open(data, max_pixels) as picture:
        if picture.format == "PNG":
            if not png_end.is_whole(data):
                return False
            # What turns it may come after the pixels.
            with pillow_limit.at(picture.width * picture.height):
                picture.load()
            _check_exif(picture)
        turned = metadata.orientation(picture)
        if turned != metadata.exif_orientation(picture):
            return False
        return picture.mode != "CMYK" and not shown_colors.is_converted(picture)
    return False


def to_8_bit(pixels: np.ndarray) -> np.ndarray:
    """Rounds uint16 pixels to uint8; uint8 ones are returned as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    # 65535 = 255 * 257.
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _open(data, max_pixels: int, file=None) -> Image.Image:
    """Opens a picture and checks its size; `file` has the same bytes."""
    if not len(data):
        raise OSError("The file is empty.")
    stream = io.BytesIO(data) if file is None else file
    if data[:2] == _JPEG:
        # Pillow reads it when it opens the file.
        metadata.check_exif(metadata.jpeg_exif(data))
    try:
        with pillow_limit.at(max_pixels):
            picture = Image.open(stream, formats=_FORMATS)
    except UnidentifiedImageError:
        raise OSError(
            "The file is not a picture, or of a format that cannot be read."
        ) from None
    except (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        # Its message says how many.
        size = re.search(r"\d+ pixels", str(error))
        received = size[0] if size else "more"
        raise pillow_limit.too_large(max_pixels, received) from None
    if picture.width * picture.height > max_pixels:
        received = f"{picture.width} x {picture.height}"
        raise pillow_limit.too_large(max_pixels, received)
    _check_exif(picture)
    if picture.format == "JPEG2000":
        profile = icc_profile.in_jpeg2000(data)
        if profile:
            picture.info["icc_profile"] = profile
    return picture


def _check_exif(picture: Image.Image) -> None:
    exif = picture.info.get("exif")
    if isinstance(exif, bytes):
        metadata.check_exif(exif)


@contextlib.contextmanager
def _one_kind_of_error() -> Iterator[None]:
    """Makes whatever decoders raise on damaged files an OSError."""
    try:
        yield
    except OSError as error:
        if str(error) == "Truncated File Read":
            # Pillow's words for a file that ends in its head.
            raise OSError("image file is truncated") from error
        raise
    except ValueError:
        raise
    except MemoryError as error:
        raise OSError("There is not enough memory for the picture.") from error
    except Exception as error:
        raise OSError(
            f"The file is damaged ({type(error).__name__}: {error})."
        ) from error


def _decode(data: bytes, shrink_to, max_pixels: int, **options) -> Picture:
    """Decodes a picture; of a JPEG only the end marker may be missing."""
    pillow_limit.check_option(max_pixels)
    with _one_kind_of_error():
        try:
            picture = _decode_whole(data, shrink_to, max_pixels, **options)
            if options["has_metadata"] and (
                damage := jpeg_end.damage(data) or png_end.damage(data)
            ):
                notes = (*picture.notes, damage)
                picture = dataclasses.replace(picture, notes=notes)
            return picture
        except OSError:
            completed = jpeg_end.completed(data, max_pixels=max_pixels)
            if completed is None:
                raise
        picture = _decode_whole(completed, shrink_to, max_pixels, **options)
    notes = (*picture.notes, jpeg_end.NOTE)
    return dataclasses.replace(picture, notes=notes)


def _decode_whole(
    data: bytes,
    shrink_to,
    max_pixels: int,
    *,
    has_metadata: bool,
    has_frames: bool,
) -> Picture:
    notes, found = [], {}
    data, head, page = _choose_page(data, notes, max_pixels)
    with _open(head, max_pixels) as picture:
        if shrink_to is not None:
            picture.draft("RGB", (shrink_to, shrink_to))
        if has_frames:
            notes += metadata.left_out_frames(picture)
            notes += netpbm.left_out_pictures(data)
        if picture.format == "PNG":
            # EXIF data may come after the pixels, and Pillow looks for them.
            with pillow_limit.at(picture.width * picture.height):
                png_end.load(picture, data)
            _check_exif(picture)
        if has_metadata:
            found = _read_metadata(picture)
        cmyk = picture_values.is_cmyk(picture, page)
        pixels, alpha = picture_values.stored_values(picture, data, page, notes)
        alpha = picture_values.meant_alpha(picture, data, alpha, notes)
        bits = 8 * pixels.itemsize
        if has_metadata:
            found["side"] = side_data.with_png_texts(found["side"], picture)
        if cmyk:
            found["icc_profile"] = shown_colors.srgb_profile()
        else:
            pixels, found["icc_profile"] = picture_values.shown_values(
                picture, pixels, notes
            )
    return Picture(pixels, alpha, bits=bits, notes=tuple(notes), **found)


def _read_metadata(picture: Image.Image) -> dict:
    """Reads what a file says besides, before loading changes it."""
    orientation = metadata.orientation(picture)
    width, height = _upright_size(picture)
    return {
        "exif": metadata.upright_exif(picture, width=width, height=height),
        "side": side_data.read(picture, orientation=orientation),
    }


def _choose_page(data: bytes, notes: list[str], max_pixels: int):
    """Makes the full page of a TIFF its first one.

    Returns:
        The bytes to read pixels from; those that Pillow can open; the Page,
        or None for other formats.
    """
    if not tiff_pages.is_tiff(data):
        return data, data, None
    pages, is_cut = tiff_pages.read_pages(data)
    page, note = tiff_pages.choose(pages, is_cut=is_cut)
    notes += [note] if note else []
    if page.problem():
        raise picture_values.unsupported(page.problem())
    tiff_pages.check_size(page, max_pixels)
    data = tiff_pages.with_first_page(data, page)
    if page.has_own_reader:
        return data, tiff_pages.as_plain_grey(data, page), page
    return data, data, page
