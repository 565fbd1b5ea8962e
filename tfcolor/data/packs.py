"""Pictures packed into few files, to be read into memory whole.

For training where no TensorFlow reads them: `trainers.train_on_arrays`.
"""

import glob
import io
import os
import re
from collections.abc import Iterator
from concurrent import futures

import numpy as np
from PIL import Image

from tfcolor import atomic
from tfcolor.data import files as files_lib
from tfcolor.pictures import foreign_files
from tfcolor.pictures import pillow_limit

_FILE_BYTES = 55 * 2**20
# A third less than JPEG at the same loss of color.
_FORMAT, _QUALITY = "WEBP", 80
_READABLE = ["WEBP", "JPEG"]
_NAME = r"(\d{3,})\.npz"


def write(pictures: str, folder: str, *, size: int) -> int:
    """Packs pictures, squashed to squares.

    Args:
        pictures: str, folders and globs, with commas between them.
        folder: str, to write NNN.npz to, each with `bytes`, uint8 [N], all
            pictures in a row, as WebP, and `ends`, int64 [K], where each ends.
            What an earlier call wrote there goes.
        size: int, side of the squares in pixels.

    Returns:
        int, how many were packed. What cannot be read is named and left
        out.

    Raises:
        FileNotFoundError: a folder or glob has no pictures.
        OSError: a file cannot be written.
        ValueError: none of the pictures can be read.
    """
    paths = files_lib.list_pictures(*files_lib.split_list(pictures))
    if not paths:
        raise _no_pictures(pictures)
    np.random.default_rng(0).shuffle(paths)
    os.makedirs(folder, exist_ok=True)
    files, waiting, length, count = 0, [], 0, 0
    for data in _squares(paths, size):
        if waiting and length + len(data) > _FILE_BYTES:
            _write_file(folder, files, waiting)
            files, waiting, length = files + 1, [], 0
        waiting.append(data)
        length, count = length + len(data), count + 1
    if not count:
        raise _no_pictures(pictures)
    _write_file(folder, files, waiting)
    # Of an earlier call that packed more.
    for name in os.listdir(folder):
        found = re.fullmatch(_NAME, name)
        if found and int(found[1]) > files:
            os.remove(os.path.join(folder, name))
    return count


def _no_pictures(pictures: str) -> ValueError:
    return ValueError(
        "`pictures` must be folders or globs with pictures that can be read. "
        f"Received: pictures={pictures!r}"
    )


def _squares(paths: list[str], size: int) -> Iterator[bytes]:
    """Reads pictures and makes files of them; names those left out."""
    # Needs OpenCV, which reading packs does without.
    from tfcolor.pictures import decode

    for path in paths:
        try:
            rgb = decode.decode_rgb(pillow_limit.read_file(path))
        except (OSError, ValueError) as error:
            name = files_lib.shown_name(path)
            print(f"left out: {name}: {files_lib.one_line(error, path=False)}")
            continue
        square = Image.fromarray(rgb).resize((size,) * 2, Image.Resampling.BOX)
        stream = io.BytesIO()
        square.save(stream, _FORMAT, quality=_QUALITY)
        yield stream.getvalue()


def _write_file(folder: str, number: int, encoded: list[bytes]) -> None:
    path = os.path.join(folder, f"{number:03d}.npz")
    with atomic.replacing(path, extension=".npz") as new:
        np.savez(
            new,
            bytes=np.frombuffer(b"".join(encoded), np.uint8),
            ends=np.cumsum([len(data) for data in encoded]),
        )


def read(folder: str) -> np.ndarray:
    """Reads packed pictures, on all processors.

    Args:
        folder: str, that `write` filled.

    Returns:
        uint8 array [N, S, S, 3].

    Raises:
        FileNotFoundError: the folder holds none of its files.
        ValueError: one of them is damaged.
    """
    paths = sorted(glob.glob(os.path.join(glob.escape(folder), "*.npz")))
    encoded = []
    for path in paths:
        try:
            encoded += [(path, data) for data in _pictures_of(path)]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, error) from error
    if not encoded:
        raise FileNotFoundError(
            "`folder` must be a folder that `write` wrote. "
            f"Received: {folder!r}"
        )
    pictures = np.empty([len(encoded), *_decoded(*encoded[0]).shape], np.uint8)

    def fill(index):
        path, data = encoded[index]
        rgb = _decoded(path, data)
        if rgb.shape != pictures.shape[1:]:
            raise _damaged(path, "its pictures are not all of one size")
        pictures[index] = rgb

    with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for _ in pool.map(fill, range(len(encoded))):
                pass
        except ValueError:
            pool.shutdown(cancel_futures=True)
            raise
    return pictures


def _pictures_of(path: str) -> Iterator[bytes]:
    """Takes the pictures of a file apart."""
    arrays = foreign_files.read_npz(path)
    data, ends = arrays["bytes"].tobytes(), arrays["ends"].tolist()
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield data[start:end]


def _decoded(path: str, data: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(data), formats=_READABLE) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise _damaged(path, error) from error


def _damaged(path: str, reason) -> ValueError:
    return ValueError(
        "`folder` must be a folder that `write` wrote. "
        f"Received: {path!r} ({reason})"
    )


def batches(count: int, *, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Draws batches without end.

    No picture comes again before all others came. Batch n is a function of
    the seed.

    Args:
        count: int, N, of all pictures.
        batch_size: int, B.
        seed: int.

    Yields:
        int array [B], places of pictures, 0..N - 1.
    """
    rng = np.random.default_rng(seed)
    waiting = rng.permutation(count)
    while True:
        while len(waiting) < batch_size:
            waiting = np.concatenate([waiting, rng.permutation(count)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]
