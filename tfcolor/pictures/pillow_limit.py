"""How large a picture may be: the rule of the package, and Pillow's own.

Pillow's limit is a global variable, asked when a picture is opened and, for
some formats, before memory is taken for a frame. While pictures are read it
is what their readers ask for.
"""

import contextlib
import os
import stat
import threading
from collections.abc import Iterator

from PIL import Image

from tfcolor import atomic

# Default limit of the pixels of a picture: more than any camera has, and about
# 600 MB as RGB.
MAX_PIXELS = 200_000_000
# Past this, coordinates no longer fit what OpenCV and TensorFlow index with.
MOST_PIXELS = 2**30
# A file is not larger than its pixels, 16 bits and four channels each, and
# half as much again; and what it says besides.
_BYTES_A_PIXEL, _OTHER_BYTES = 12, 2**26

_lock = threading.Lock()
# What readers ask for at the moment, and what Pillow's limit was before.
_wanted = []
_before = []


@contextlib.contextmanager
def at(max_pixels: int) -> Iterator[None]:
    """Sets Pillow's limit for a while: the highest that any thread asks for.

    The last of several threads puts it back. Pillow warns above the limit
    and refuses twice as many pixels.

    Args:
        max_pixels: int, that the caller checks exactly.
    """
    with _lock:
        if not _wanted:
            _before[:] = [Image.MAX_IMAGE_PIXELS]
        _wanted.append(max_pixels)
        Image.MAX_IMAGE_PIXELS = max(_wanted)
    try:
        yield
    finally:
        with _lock:
            _wanted.remove(max_pixels)
            Image.MAX_IMAGE_PIXELS = max(_wanted) if _wanted else _before[0]


def check_option(max_pixels: int) -> int:
    """Checks a limit that somebody chose.

    Args:
        max_pixels: int.

    Returns:
        The same.

    Raises:
        ValueError: it is out of range.
    """
    if not 1 <= max_pixels <= MOST_PIXELS:
        raise ValueError(
            f"`max_pixels` must be in 1..{MOST_PIXELS}. "
            f"Received: max_pixels={max_pixels}"
        )
    return max_pixels


def too_large(max_pixels: int, received: str) -> ValueError:
    """Returns the error of a picture of too many pixels.

    Args:
        max_pixels: int.
        received: str, the picture's size.

    Returns:
        ValueError.
    """
    return ValueError(
        f"A picture must have at most {max_pixels} pixels (`max_pixels`). "
        f"Received: {received}"
    )


def read_file(path: str | bytes, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Reads a picture file, and nothing that only has the name of one.

    Args:
        path: str or bytes.
        max_pixels: int. A file of far more bytes than so many pixels take is
            not read.

    Returns:
        bytes.

    Raises:
        OSError: it cannot be read, or is a pipe, a socket or a device.
        ValueError: it is too large.
    """
    most = _BYTES_A_PIXEL * max_pixels + _OTHER_BYTES
    with open(path, "rb", opener=open_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(
                "A picture must be a regular file. Received: a pipe, a socket "
                "or a device"
            )
        if status.st_size > most:
            raise ValueError(
                f"The file of a picture must have at most {most} bytes "
                "(`max_pixels`). "
                f"Received: {status.st_size} bytes"
            )
        return atomic.read_unchanged(file)


def open_at_once(path, flags: int) -> int:
    """Opens a file, for `open`, without waiting for who writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
