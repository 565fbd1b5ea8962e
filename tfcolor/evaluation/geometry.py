"""The size at which pictures are compared.

Published numbers depend on it, so every report names it.
"""

import numpy as np
from PIL import Image

GEOMETRIES = ("original", "squash", "center_crop")
DEFAULT_SIZE = 256


def describe(geometry: str, size: int) -> str:
    """Names a geometry for people, for example "squash to 256 x 256"."""
    if geometry == "original":
        return "original size"
    verb = {"squash": "squash to", "center_crop": "center crop of"}[geometry]
    return f"{verb} {size} x {size}"


def _resize(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    if rgb.shape[:2] == (height, width):
        return rgb
    # Pillow's bilinear filter is antialiased, and the one the published
    # numbers were made with.
    picture = Image.fromarray(rgb)
    return np.asarray(
        picture.resize((width, height), Image.Resampling.BILINEAR)
    )


def fit(rgb: np.ndarray, geometry: str, size: int) -> np.ndarray:
    """Brings a picture to the size at which it is compared.

    Args:
        rgb: uint8 array [H, W, 3].
        geometry: str. "original" leaves it; "squash" resizes it to a square,
            whatever its shape (InstColorization, DDColor); "center_crop"
            resizes its short side and cuts the middle out (ColTran, L-CAD).
        size: int. Side of the square in pixels; "original" ignores it.

    Returns:
        uint8 array, [H, W, 3] or [size, size, 3].

    Raises:
        ValueError: an unknown geometry, or a size below 1.
    """
    if geometry not in GEOMETRIES:
        raise ValueError(
            f"`geometry` must be one of {GEOMETRIES}. "
            f"Received: geometry={geometry!r}"
        )
    if size < 1:
        raise ValueError(f"`size` must be at least 1. Received: size={size}")
    if geometry == "original":
        return rgb
    if geometry == "squash":
        return _resize(rgb, size, size)
    height, width = rgb.shape[:2]
    scale = size / min(height, width)
    rgb = _resize(
        rgb, max(size, round(width * scale)), max(size, round(height * scale))
    )
    top = (rgb.shape[0] - size) // 2
    left = (rgb.shape[1] - size) // 2
    return rgb[top : top + size, left : left + size]
