"""PNG files whose data end too early or were changed on their way.

Pillow takes data that end well for a whole picture, whatever number of rows
they hold, and does not look at the checksums of their chunks.
"""

import io
import zlib
from collections.abc import Iterator

from PIL import Image

DAMAGED = (
    "its PNG data differ from their checksum: part of the picture may be "
    "damaged"
)
_START = b"\x89PNG\r\n\x1a\n"
# Levels that the last row has before the picture is decoded. A picture may
# have the first one there itself, but not both.
_MARKS = 91, 0


def load(picture: Image.Image, data: bytes) -> None:
    """Loads the pixels of a PNG file, which must all be there.

    Args:
        picture: PIL.Image.Image, as opened, not loaded yet.
        data: bytes of the file.

    Raises:
        OSError: the file is damaged or truncated.
    """
    if not _keeps_mark(picture, _MARKS[0]):
        return
    with Image.open(io.BytesIO(data), formats=("PNG",)) as again:
        if not _keeps_mark(again, _MARKS[1]):
            return
    raise OSError("The picture is truncated: its data end before its last row.")


def damage(data: bytes) -> str | None:
    """Says that the compressed pixels of a PNG file are not those written.

    Args:
        data: bytes of a file that could be decoded.

    Returns:
        str, `DAMAGED`, or None; None for other formats.

    Reference:
        PNG specification, third edition, 5.3: the checksum of a chunk is of
        its type and data.
    """
    if not data.startswith(_START):
        return None
    view = memoryview(data)
    for start, end in _chunks(view):
        # The end of a file may be missing, and checksums with it.
        if view[start : start + 4] == b"IDAT" and end + 4 <= len(data):
            checksum = int.from_bytes(view[end : end + 4], "big")
            if zlib.crc32(view[start:end]) != checksum:
                return DAMAGED
    return None


def is_whole(data: bytes) -> bool:
    """Tells whether decoders that look at checksums and the end take a file.

    Args:
        data: bytes of a PNG file.

    Returns:
        bool. Whether it has all of its end chunk, and right checksums of the
        compressed pixels.
    """
    view = memoryview(data)
    has_end = any(
        view[start : start + 4] == b"IEND" and end + 4 <= len(data)
        for start, end in _chunks(view)
    )
    return has_end and damage(data) is None


def _chunks(view: memoryview) -> Iterator[tuple[int, int]]:
    """Finds where the chunks of a PNG begin, with their names, and end."""
    place = len(_START)
    while place + 8 <= len(view):
        size = int.from_bytes(view[place : place + 4], "big")
        yield place + 4, place + 8 + size
        place += 12 + size


def _keeps_mark(picture: Image.Image, mark: int) -> bool:
    """Loads a picture; tells whether its last row is what it was before."""
    box = _last_pixels(picture)
    marked = Image.new(picture.mode, picture.size)
    marked.paste(mark, box)
    before = marked.crop(box).tobytes()
    # Pillow decodes into it, as it has the right mode and size.
    picture.im = marked.im
    picture.load()
    return picture.crop(box).tobytes() == before


def _last_pixels(picture: Image.Image) -> tuple[int, int, int, int]:
    """Returns the box of pixels that come last in a file.

    The last pass of an interlaced picture has every other row, from the
    second one on; that of a single row every other column.
    """
    width, height = picture.size
    top = height - 1
    if picture.info.get("interlace"):
        if height == 1:
            left = min(1, width - 1)
            return left, 0, left + 1, 1
        top -= height % 2
    return 0, top, width, top + 1
