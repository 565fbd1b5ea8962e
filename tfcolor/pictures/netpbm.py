"""What Pillow does not do with netpbm files.

It cuts the colors of PGM and PPM files of 16 bits to 8, and says nothing of
pictures that follow the first one.
"""

import re

import numpy as np

# Two letters and three numbers with spaces and comments between them, then
# one space.
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEAD = re.compile(rb"P([56])" + 3 * (_SPACE + rb"(\d+)") + rb"\s")
_BITMAP_HEAD = re.compile(rb"P4" + 2 * (_SPACE + rb"(\d+)") + rb"\s")
_NEXT = re.compile(rb"P[1-6]\s")
# A head with its comments.
_MOST_HEAD = 4096


def is_deep(data: bytes) -> bool:
    """Tells from its head whether a file is a binary one of 16 bits."""
    head = _HEAD.match(data[:_MOST_HEAD])
    return head is not None and 255 < int(head[4]) < 65536


def read(data: bytes) -> np.ndarray:
    """Reads the pixels.

    Args:
        data: bytes of a file with `is_deep`.

    Returns:
        uint16 array [H, W, 1 or 3], 0..65535 whatever the file's range.

    Raises:
        OSError: the file is truncated.

    Reference:
        https://netpbm.sourceforge.net/doc/ppm.html
    """
    head = _HEAD.match(data[:_MOST_HEAD])
    width, height, high = (int(head[n]) for n in (2, 3, 4))
    channels = 1 if head[1] == b"5" else 3
    count = width * height * channels
    if len(data) - head.end() < 2 * count:
        raise OSError("The picture is truncated.")
    values = np.frombuffer(data, ">u2", count, head.end())
    values = values.reshape(height, width, channels)
    if high == 65535:
        return values.astype(np.uint16)
    values = np.minimum(values, high).astype(np.uint64)
    return ((values * 65535 + high // 2) // high).astype(np.uint16)


def left_out_pictures(data: bytes) -> list[str]:
    """Returns a note where pictures follow the first one of a binary file.

    Args:
        data: bytes of a file of any format.

    Returns:
        list of one str, or an empty one.

    Reference:
        https://netpbm.sourceforge.net/doc/pbm.html: a file is a sequence of
        one or more pictures, with nothing between them.
    """
    end = _end_of_picture(data)
    if end is None or not _NEXT.match(data[end : end + 3]):
        return []
    return ["it has further pictures; the first one is taken"]


def _end_of_picture(data: bytes) -> int | None:
    """Returns where the first picture ends; None for other formats."""
    start = data[:_MOST_HEAD]
    if head := _BITMAP_HEAD.match(start):
        width, height = int(head[1]), int(head[2])
        return head.end() + (width + 7) // 8 * height
    if head := _HEAD.match(start):
        width, height, high = (int(head[n]) for n in (2, 3, 4))
        samples = width * height * (1 if head[1] == b"5" else 3)
        return head.end() + samples * (1 if high < 256 else 2)
    return None
