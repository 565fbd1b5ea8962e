"""The pictures that an export is checked with.

A sample picture at odd sizes and in the kinds that people send.
"""

import io

import numpy as np
from PIL import ExifTags
from PIL import Image

from tfcolor.data import sample_pictures

# Width and height, none a multiple of 8 in both directions.
SIZES = ((1, 1), (200, 7), (7, 200), (33, 21), (250, 188))
# What an error says of a request whose second picture is one of `broken`.
SECOND_IS_BAD = "Picture 1 of the request"
# The camera was turned clockwise.
_TURNED = 6


def photo(size: tuple[int, int]) -> Image.Image:
    """Returns a sample picture.

    Args:
        size: (width, height) in pixels.

    Returns:
        PIL.Image.Image of mode RGB.
    """
    with Image.open(sample_pictures.paths()[0]) as picture:
        return picture.convert("RGB").resize(size)


def encode(picture: Image.Image, kind: str, **options) -> bytes:
    """Returns the bytes of a picture file.

    Args:
        picture: PIL.Image.Image.
        kind: str, Pillow's name of the format.
        **options: of Pillow for this format.
    """
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def pictures() -> dict[str, bytes]:
    """Returns encoded pictures by what is special about them."""
    found = {
        f"JPEG {size[0]} x {size[1]}": encode(photo(size), "JPEG")
        for size in SIZES
    }
    picture = photo(SIZES[-1])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = _TURNED
    deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    return found | {
        "turned JPEG": encode(picture, "JPEG", exif=exif.tobytes()),
        "grey JPEG": encode(picture.convert("L"), "JPEG"),
        "PNG": encode(picture, "PNG"),
        "palette PNG": encode(picture.quantize(32), "PNG"),
        "16-bit PNG": encode(Image.fromarray(deep), "PNG"),
        "WebP": encode(picture, "WEBP"),
    }


def broken() -> dict[str, bytes]:
    """Returns bytes that are no picture, by what is wrong with them."""
    png = encode(photo((40, 30)), "PNG")
    return {
        "text instead of a picture": b"not a picture",
        "no bytes": b"",
        "half a PNG": png[: len(png) // 2],
        "half a JPEG": encode(photo(SIZES[-1]), "JPEG")[:2000],
    }
