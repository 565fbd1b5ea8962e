"""Dark pictures with one bright rectangle, whose box is thus known."""

import os

import numpy as np
from PIL import Image


def picture(height, width, box=None) -> np.ndarray:
    """uint8 [height, width, 3]; `box` is yxyx pixels."""
    rgb = np.zeros([height, width, 3], np.uint8)
    rgb[...] = [40, 20, 60]
    if box is not None:
        top, left, bottom, right = box
        rgb[top:bottom, left:right] = [250, 240, 255]
    return rgb


def write(path, rgb, *, orientation=1) -> str:
    """Writes the picture so that it is upright with its EXIF orientation."""
    stored = {1: rgb, 3: rgb[::-1, ::-1], 6: np.rot90(rgb), 8: np.rot90(rgb, 3)}
    exif = Image.Exif()
    exif[274] = orientation
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Image.fromarray(np.ascontiguousarray(stored[orientation])).save(
        path, exif=exif, quality=95
    )
    return str(path)
