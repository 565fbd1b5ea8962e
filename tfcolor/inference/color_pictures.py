"""Telling color pictures from grey and toned ones."""

import cv2
import numpy as np

from tfcolor.color import array_lab
from tfcolor.pictures import decode

# Colors are looked at in a picture of this side: noise does not count there.
_SIDE = 64
# CIELAB units: how far colors lie from the tone of their lightness, root
# mean square. Toned prints and casts of scanners stay below 3, JPEGs of grey
# pictures below 1.
_MIN_SPREAD = 4.0


def is_color(pixels: np.ndarray) -> bool:
    """Tells whether a picture has colors, and not one tone.

    A toned print, sepia for example, has one color for each lightness; the
    colors of a photo differ at the same lightness.

    Args:
        pixels: uint8 or uint16 array [H, W, 1 or 3], sRGB.

    Returns:
        bool.
    """
    return color_spread(pixels) >= _MIN_SPREAD


def color_spread(pixels: np.ndarray) -> float:
    """Measures how far colors lie from the tone of their lightness.

    Args:
        pixels: uint8 or uint16 array [H, W, 1 or 3], sRGB.

    Returns:
        float, CIELAB units, 0 for grey.
    """
    if pixels.shape[-1] == 1:
        return 0.0
    small = cv2.resize(
        decode.to_8_bit(pixels), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA
    )
    found = array_lab.rgb_to_lab(small).reshape(-1, 3).astype(np.float64)
    x = found[:, 0] / 100
    # A toned print is a curve through CIELAB: its ab is smooth in L.
    basis = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    tone, *_ = np.linalg.lstsq(basis, found[:, 1:], rcond=None)
    away = found[:, 1:] - basis @ tone
    return float(np.sqrt((away**2).sum(axis=1).mean()))
