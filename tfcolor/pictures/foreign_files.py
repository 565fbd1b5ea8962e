"""Reading .npz and JSON files that may come from anywhere.

Nothing is unpickled, and what the heads of arrays promise is compared with
what they hold before memory is taken.
"""

import json
import math
import os
import stat
import zipfile

import numpy as np

from tfcolor.pictures import pillow_limit

# Default limit of the bytes of all arrays together.
MAX_BYTES = 2**31
_ENDING = ".npy"
_TRIES = 8


def read_json(path: str | os.PathLike, *, max_bytes: int = MAX_BYTES):
    """Reads a JSON file.

    Args:
        path: str or path.
        max_bytes: int, of the file; a larger one is not read.

    Returns:
        What the file holds.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is not JSON in UTF-8, with or without a byte order
            mark, is too large or too deeply nested, or a pipe or device.
    """
    with open(path, "rb", opener=pillow_limit.open_at_once) as file:
        state = os.fstat(file.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise ValueError("a JSON file must be a file, not a pipe or device")
        size = state.st_size
        if size > max_bytes:
            raise ValueError(
                f"a JSON file must have at most {max_bytes} bytes. "
                f"Received: {size}"
            )
        data = file.read()
    try:
        return json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("its lists or objects are nested too deep") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from error


def read_npz(
    path: str | os.PathLike, *, max_bytes: int = MAX_BYTES
) -> dict[str, np.ndarray]:
    """Reads the arrays of an .npz file.

    Args:
        path: str or path.
        max_bytes: int. Of all arrays together; more is not read.

    Returns:
        dict from names to arrays of numbers, truth values or texts.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is not an .npz file, is damaged, or holds objects or
            more than `max_bytes`.
    """
    # NumPy leaves damaged files open that it opens itself.
    with open(path, "rb", opener=pillow_limit.open_at_once) as file:
        try:
            return _read(file, max_bytes)
        except zipfile.BadZipFile as error:
            raise ValueError(f"it is not a whole .npz file: {error}") from error
        except ValueError:
            raise
        except Exception as error:
            # Of many kinds: ends that are missing, damaged compression,
            # passwords, too little memory.
            raise ValueError(
                f"it is damaged ({type(error).__name__}: {error})"
            ) from error


def _read(file, max_bytes: int) -> dict[str, np.ndarray]:
    """Reads arrays, again where another thread came in between.

    NumPy parses the heads of arrays as Python. The parser of some versions of
    Python counts its depth for all threads together, and raises SystemError
    where one thread takes over from another at the wrong moment.

    Reference:
        https://github.com/python/cpython/issues/106905
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            file.seek(0)
            _check(file, max_bytes)
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except SystemError:
            if not tries_left:
                raise


def _check(file, max_bytes: int) -> None:
    """Compares what the arrays' heads say with the sizes of the entries."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        total = sum(entry.file_size for entry in entries)
        if total > max_bytes:
            raise ValueError(
                f"its arrays must have at most {max_bytes} bytes together. "
                f"Received: {total}"
            )
        for entry in entries:
            if not entry.filename.endswith(_ENDING):
                raise ValueError(
                    "an .npz file must hold arrays. "
                    f"Received: {entry.filename!r}"
                )
            with archive.open(entry) as stream:
                _check_array(stream, entry)


def _check_array(stream, entry: zipfile.ZipInfo) -> None:
    major, _ = np.lib.format.read_magic(stream)
    read_head = {
        1: np.lib.format.read_array_header_1_0,
        2: np.lib.format.read_array_header_2_0,
    }.get(major)
    if read_head is None:
        raise ValueError(
            "an array must be of version 1 or 2 of NumPy's format. "
            f"Received: {entry.filename!r} of version {major}"
        )
    shape, _, dtype = read_head(stream)
    if dtype.hasobject:
        raise ValueError(
            "arrays must hold numbers, not objects, which would have to be "
            f"unpickled. Received: {entry.filename!r}"
        )
    if math.prod(shape) * dtype.itemsize != entry.file_size - stream.tell():
        raise ValueError(
            f"the array {entry.filename!r} must be whole. Received: "
            f"{entry.file_size} bytes for the shape {shape} of {dtype}"
        )
