"""Kinds of pictures as they should not be, and what must come of each."""

import dataclasses
import io

import numpy as np
from PIL import Image

# What must come of a file. A damaged one may still be a whole picture by
# chance, but then one of the size that its head says.
PICTURE, REFUSED, EITHER, LEFT_OUT = "picture", "refused", "either", "left out"
HEIGHT, WIDTH = 20, 32
TOO_LARGE = "must have at most 200000000 pixels"
DAMAGED = "damaged|truncated|cannot|not a picture|broken|bad|unexpected|"
DAMAGED += "no more|not enough|image file|decod|Premature|no page|empty"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: bytes. Of the file.
        data: bytes, or function of its path that makes it.
        expect: str, one of the four above.
        reason: str, a regular expression of the line that is said.
        shape: (height, width) of the result.
        tolerance: float, of the result's mean lightness, L*.
    """

    name: bytes
    data: object
    expect: str
    reason: str = ""
    shape: tuple = (HEIGHT, WIDTH)
    tolerance: float = 0.7


def base() -> np.ndarray:
    """The picture itself, uint8 [H, W, 3]: grey, unlike its mirror images."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    grey = (60 + 3 * x + 1.7 * y).round().astype(np.uint8)
    return np.repeat(grey[..., None], 3, -1)


def encoded(picture, kind: str = "PNG", **options) -> bytes:
    """A picture, array or of Pillow, as the bytes of a file."""
    if not isinstance(picture, Image.Image):
        picture = Image.fromarray(picture)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def good(name, data, **more) -> Kind:
    """A file that must become the picture."""
    name = name if isinstance(name, bytes) else name.encode()
    return Kind(name, data, PICTURE, **more)


def bad(name, data, reason=DAMAGED, **more) -> Kind:
    """A file that must be refused."""
    return Kind(name.encode(), data, REFUSED, reason, **more)
