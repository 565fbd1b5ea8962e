"""Shares of pixels that got the right hue, and of those that got brown.

PSNR rewards a timid colorizer: the mean of all colors a thing may have is
never far off, and it is a brownish grey. These shares tell such colors from
right ones. They count pixels of small copies of the pictures; the share of
several pictures is the sum of their hits over the sum of their pixels, so that
a picture weighs as much as it has pixels that count.

    right               of pixels with a true chroma of 15 or more, those
                        predicted within 30 degrees of the true hue and with
                        at least half the true chroma
    green, blue, red    the same of true hues of 100..160, 230..300 and 0..45
    brown               of pixels predicted with a chroma of 6 or more, those
                        with a hue of 50..100; no aim by itself, but it should
                        be near the share of the true pictures

Chroma is the length of (a, b) in CIELAB, hue its angle in degrees.
"""

import cv2
import numpy as np

from tfcolor.evaluation.measure import Metric

SHARES = (
    Metric("right", "right", 3, "higher"),
    Metric("green", "green", 3, "higher"),
    Metric("blue", "blue", 3, "higher"),
    Metric("red", "red", 3, "higher"),
    Metric("brown", "brown", 3, "truth"),
)
# Longest side of the copy, in pixels: whether a thing has its color does not
# depend on single pixels.
SIDE = 96
# CIELAB chroma from which a true pixel has a color to find, and a predicted
# one a tint that people see.
COLORED, TINTED = 15.0, 6.0
# Degrees of hue, and the part of the true chroma.
HUE_TOLERANCE, CHROMA_KEPT = 30.0, 0.5
# Degrees; the upper end belongs to brown only.
HUES = {"green": (100.0, 160.0), "blue": (230.0, 300.0), "red": (0.0, 45.0)}
BROWN = (50.0, 100.0)


def small_copy(rgb: np.ndarray) -> np.ndarray:
    """Averages areas of a picture until its longest side is `SIDE`.

    Args:
        rgb: uint8 array [H, W, 3]. A smaller picture is enlarged, so that all
            of them count alike.

    Returns:
        uint8 array [h, w, 3], h and w from 1 to `SIDE`.
    """
    height, width = rgb.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, int(width * scale)), max(1, int(height * scale))
    return cv2.resize(
        np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA
    )


def _chroma_and_hue(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns chroma and hue, 0..360 degrees, of uint8 [h, w, 3]."""
    # OpenCV's CIELAB: these shares are defined in it. It interpolates in a
    # table, a and b are up to 0.5 off, and a share moves by about 0.001.
    encoded = (rgb / 255.0).astype(np.float32)
    _, a, b = cv2.split(cv2.cvtColor(encoded, cv2.COLOR_RGB2LAB))
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def count(
    rgb_true: np.ndarray, rgb_predicted: np.ndarray
) -> dict[str, tuple[int, int]]:
    """Counts the pixels of a predicted picture.

    Args:
        rgb_true: uint8 array [H, W, 3].
        rgb_predicted: uint8 array [H, W, 3].

    Returns:
        dict from the keys of `SHARES` to (hits, pixels that count), in pixels
        of the small copies.

    Raises:
        ValueError: the shapes differ.
    """
    if rgb_true.shape != rgb_predicted.shape:
        raise ValueError(
            "`rgb_true` and `rgb_predicted` must have one shape. Received: "
            f"{rgb_true.shape} and {rgb_predicted.shape}"
        )
    true_chroma, true_hue = _chroma_and_hue(small_copy(rgb_true))
    chroma, hue = _chroma_and_hue(small_copy(rgb_predicted))
    # The shorter way around the circle.
    away = np.abs((true_hue - hue + 180) % 360 - 180)
    right = (away <= HUE_TOLERANCE) & (chroma >= CHROMA_KEPT * true_chroma)
    colored, tinted = true_chroma >= COLORED, chroma >= TINTED
    counts = {"right": (right, colored)}
    for key, (start, end) in HUES.items():
        counts[key] = right, colored & (true_hue >= start) & (true_hue < end)
    counts["brown"] = (hue >= BROWN[0]) & (hue <= BROWN[1]), tinted
    return {
        key: (int((hit & counted).sum()), int(counted.sum()))
        for key, (hit, counted) in counts.items()
    }


def pooled(hits: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Computes the shares of sets of pictures.

    Args:
        hits: float64 array [..., N], of N pictures.
        pixels: float64 array [..., N].

    Returns:
        float64 array [...], 0..1; NaN where no pixel counts.
    """
    total = pixels.sum(axis=-1)
    return hits.sum(axis=-1) / np.where(total > 0, total, np.nan)


def pooled_difference(
    hits: np.ndarray,
    pixels: np.ndarray,
    other_hits: np.ndarray,
    other_pixels: np.ndarray,
) -> np.ndarray:
    """Computes by how much shares are above others of the same pictures.

    Args:
        hits: float64 array [..., N], of N pictures.
        pixels: float64 array [..., N].
        other_hits: float64 array [..., N].
        other_pixels: float64 array [..., N].

    Returns:
        float64 array [...], -1..1; NaN where no pixel counts.
    """
    return pooled(hits, pixels) - pooled(other_hits, other_pixels)
