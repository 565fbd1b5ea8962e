"""What shows of a picture with alpha: colors that are hidden do not count."""

import numpy as np

_STRIP_PIXELS = 2**20


def visible_pixels(
    pixels: np.ndarray, alpha: np.ndarray | None
) -> np.ndarray | None:
    """Fills what alpha hides with the mean of what shows.

    A network that sees the result knows nothing of the colors that are
    hidden, so that they do not change those beside them.

    Args:
        pixels: uint8 or uint16 array [H, W, 1 or 3].
        alpha: uint8 or uint16 array [H, W, 1], or None. Only pixels of 0 are
            hidden: a half transparent picture is colored as an opaque one.

    Returns:
        array of the shape and dtype of `pixels`, or None where nothing is
        hidden and the picture itself may be seen.
    """
    if alpha is None or alpha.min() > 0:
        return None
    hidden = alpha[..., 0] == 0
    result = pixels.copy()
    result[hidden] = np.round(_mean_of_visible(pixels, hidden))
    return result


def _mean_of_visible(pixels: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    total, count = np.zeros(pixels.shape[-1]), 0
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        part = slice(top, top + rows)
        shown = pixels[part][~hidden[part]]
        total += shown.sum(0, dtype=np.float64)
        count += len(shown)
    if count == 0:
        return np.full_like(total, np.iinfo(pixels.dtype).max / 2)
    return total / count
