"""Synthetic pictures, made on the fly."""

import io
import os

import numpy as np
from PIL import Image


def colored(seed: int, height: int = 32, width: int = 32) -> np.ndarray:
    """A smooth uint8 picture [H, W, 3] between four random colors."""
    corners = np.random.default_rng(seed).uniform(0, 255, [2, 2, 3])
    corners[0, 0] = [250, 40, 30]
    y = np.linspace(0, 1, height)[:, None, None]
    x = np.linspace(0, 1, width)[None, :, None]
    top = corners[0, 0] * (1 - x) + corners[0, 1] * x
    bottom = corners[1, 0] * (1 - x) + corners[1, 1] * x
    return np.round(top * (1 - y) + bottom * y).astype(np.uint8)


def grey(seed: int, height: int = 32, width: int = 32) -> np.ndarray:
    """A uint8 picture [H, W, 3] without color."""
    values = np.random.default_rng(seed).integers(0, 256, [height, width, 1])
    return np.repeat(values.astype(np.uint8), 3, axis=-1)


def encode(rgb: np.ndarray, kind: str = "PNG") -> bytes:
    """A picture as the bytes of a file."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind)
    return file.getvalue()


def write(path, rgb: np.ndarray) -> str:
    """Writes a picture in the format of its name; returns the path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Image.fromarray(rgb).save(path)
    return str(path)


def write_album(folder, count: int, *, side: int = 32, kind="png") -> str:
    """Writes `count` colored pictures 000, 001, ...; returns the folder."""
    for i in range(count):
        write(os.path.join(folder, f"{i:03}.{kind}"), colored(i, side, side))
    return str(folder)


def write_animation(path, frames: int) -> str:
    """Writes a GIF of some frames; returns the path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    first, *others = (Image.fromarray(colored(i)) for i in range(frames))
    first.save(path, save_all=True, append_images=others)
    return str(path)
