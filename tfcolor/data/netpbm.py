"""PGM and PPM files of 16 bits, whose colors Pillow cuts to 8."""

import re

import numpy as np

# Two letters and three numbers with spaces and comments between them, then
# one space.
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEAD = re.compile(rb"P([56])" + 3 * (_SPACE + rb"(\d+)") + rb"\s")


def is_deep(data: bytes) -> bool:
    """Tells from its head whether a file is a binary one of 16 bits."""
    head = _HEAD.match(data[:4096])
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
    head = _HEAD.match(data[:4096])
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
