"""What shows of a picture with alpha: colours that are hidden do not count."""

import numpy as np

_STRIP_PIXELS = 2**20


def visible_pixels(
    pixels: np.ndarray, alpha: np.ndarray | None
) -> np.ndarray | None:
    """Lays a picture over its own mean colour, as far as it is transparent.

    A network that sees the result knows nothing of what alpha hides, so that
    hidden colours do not change those beside them.

    Args:
        pixels: uint8 or uint16 array [H, W, 1 or 3].
        alpha: uint8 or uint16 array [H, W, 1], or None.

    Returns:
        array of the shape and dtype of `pixels`, or None where nothing is
        transparent and the picture itself may be seen.
    """
    if alpha is None or alpha.min() == np.iinfo(alpha.dtype).max:
        return None
    mean = _mean_of_visible(pixels, alpha)
    result = np.empty_like(pixels)
    for rows, shown in _strips(pixels, alpha):
        strip = mean + shown * (pixels[rows] - mean)
        result[rows] = np.round(strip)
    return result


def _mean_of_visible(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    total, weight = np.zeros(pixels.shape[-1]), 0.0
    for rows, shown in _strips(pixels, alpha):
        total += (shown * pixels[rows]).sum((0, 1), dtype=np.float64)
        weight += shown.sum(dtype=np.float64)
    if weight == 0:
        return np.full_like(total, np.iinfo(pixels.dtype).max / 2)
    return np.float32(total / weight)


def _strips(pixels, alpha):
    """Yields slices of rows and float32 alpha, 0..1, of each."""
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    high = np.float32(np.iinfo(alpha.dtype).max)
    for top in range(0, len(pixels), rows):
        part = slice(top, top + rows)
        yield part, alpha[part].astype(np.float32) / high
