"""Pillow without its own limit of the size of pictures.

The limit is a global variable of Pillow, asked when a picture is opened and,
for TIFF and GIF, when it is loaded.
"""

import contextlib
import threading
from collections.abc import Iterator

from PIL import Image

_lock = threading.Lock()
# How many threads are without the limit, and what it was.
_state = {"users": 0, "limit": None}


@contextlib.contextmanager
def lifted() -> Iterator[None]:
    """Lifts the limit for a while; who calls it has a limit of their own.

    The last of several threads puts it back.
    """
    with _lock:
        if not _state["users"]:
            _state["limit"] = Image.MAX_IMAGE_PIXELS
            Image.MAX_IMAGE_PIXELS = None
        _state["users"] += 1
    try:
        yield
    finally:
        with _lock:
            _state["users"] -= 1
            if not _state["users"]:
                Image.MAX_IMAGE_PIXELS = _state["limit"]
