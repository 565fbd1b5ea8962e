"""Pictures packed into few files, to be read into memory whole.

For training where no TensorFlow reads them: `trainers.train_on_arrays`.
"""

import glob
import io
import os

import keras
import numpy as np
from PIL import Image

from tfcolor import atomic
from tfcolor.data import decode
from tfcolor.data import files as files_lib
from tfcolor.data import foreign_files
from tfcolor.data import pillow_limit

_FILE_BYTES = 55 * 2**20
_JPEG_QUALITY = 90


def write(pattern: str, folder: str, *, size: int) -> int:
    """Packs pictures, squashed to squares.

    Args:
        pattern: str, a glob; `**` is any folder.
        folder: str, to write NNN.npz to, each with `bytes`, uint8 [N], all
            JPEGs in a row, and `ends`, int64 [K], where each ends.
        size: int, side of the squares in pixels.

    Returns:
        int, how many were packed. What cannot be read is named and left
        out.
    """
    os.makedirs(folder, exist_ok=True)
    paths = sorted(glob.glob(pattern, recursive=True))
    np.random.default_rng(0).shuffle(paths)
    files, waiting, length, count = 0, [], 0, 0

    def write_file():
        nonlocal files, waiting, length
        if waiting:
            ends = np.cumsum([len(data) for data in waiting])
            joined = np.frombuffer(b"".join(waiting), np.uint8)
            path = os.path.join(folder, f"{files:03d}.npz")
            with atomic.replacing(path, extension=".npz") as new:
                np.savez(new, bytes=joined, ends=ends)
        files, waiting, length = files + 1, [], 0

    for path in paths:
        try:
            rgb = decode.decode_rgb(pillow_limit.read_file(path))
        except (OSError, ValueError) as error:
            name = files_lib.shown_name(path)
            print(f"left out: {name}: {files_lib.reason(error)}")
            continue
        square = Image.fromarray(rgb).resize((size,) * 2, Image.Resampling.BOX)
        stream = io.BytesIO()
        square.save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        if length + stream.tell() > _FILE_BYTES:
            write_file()
        waiting.append(stream.getvalue())
        length, count = length + stream.tell(), count + 1
    write_file()
    return count


def read(folder: str) -> np.ndarray:
    """Reads packed pictures.

    Args:
        folder: str, that `write` filled.

    Returns:
        uint8 array [N, S, S, 3].

    Raises:
        FileNotFoundError: the folder holds none of its files.
        ValueError: one of them is damaged.
    """
    pictures = []
    for path in sorted(glob.glob(os.path.join(folder, "*.npz"))):
        try:
            arrays = foreign_files.read_npz(path)
            data, ends = arrays["bytes"].tobytes(), arrays["ends"].tolist()
            for start, end in zip([0, *ends[:-1]], ends, strict=True):
                pictures.append(decode.decode_rgb(data[start:end]))
            if len({picture.shape for picture in pictures}) > 1:
                raise ValueError("its pictures are not all of one size")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                "--packs must be a folder that --pack wrote. "
                f"Received: {path!r} ({error})"
            ) from error
    if not pictures:
        raise FileNotFoundError(
            f"--packs must be a folder that --pack wrote. Received: {folder!r}"
        )
    return np.stack(pictures)


class Batches(keras.utils.PyDataset):
    """Random batches of packed pictures; batch n is a function of the seed."""

    def __init__(self, pictures, *, batch_size, steps, seed):
        super().__init__()
        rng = np.random.default_rng(seed)
        rounds = -(-batch_size * steps // len(pictures))
        order = [rng.permutation(len(pictures)) for _ in range(rounds)]
        self._order = np.concatenate(order)
        self._pictures = pictures
        self._batch_size, self._steps = batch_size, steps

    def __len__(self):
        return self._steps

    def __getitem__(self, index):
        start = index * self._batch_size
        chosen = self._order[start : start + self._batch_size]
        # A target that nothing reads: losses are computed in the model.
        return self._pictures[chosen], np.zeros(len(chosen), np.float32)
