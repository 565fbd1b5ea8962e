"""Flat frames around a photo: a scanner's bed, a mount, black bars.

A network that sees them takes them for a part of the scene: it paints them,
and the colors of the photo change.
"""

from typing import NamedTuple

import cv2
import numpy as np

from tfcolor.pictures import decode

# Levels of 8 bits by which a frame may vary: the noise of scanners and JPEG.
_TOLERANCE = 6
# Dust and scratches take the rest.
_FLAT_SHARE = 0.98
# A frame has this share of a side, on two sides at least.
_MIN_SHARE, _MIN_PIXELS, _MIN_SIDES = 0.01, 2, 2
# What is inside is a photo: of some size, not flat, with straight edges that
# stand out from the frame. A thing before an even backdrop has none.
_MIN_INNER, _MIN_INNER_SHARE = 16, 0.05
_MAX_FLAT_INSIDE, _MIN_EDGE = 0.7, 0.5
# Pixels from the edge inwards where it is blurred.
_BLUR = 2
# A mount on a scanner's bed is two.
_MAX_FRAMES = 3


class Inner(NamedTuple):
    """The part of a picture inside its frame, in pixels.

    Attributes:
        top: int. First row.
        bottom: int. Row after the last one.
        left: int. First column.
        right: int. Column after the last one.
    """

    top: int
    bottom: int
    left: int
    right: int

    def part(self, inner: "Inner") -> "Inner":
        """Returns a part of this part, in pixels of the whole picture."""
        return Inner(
            self.top + inner.top,
            self.top + inner.bottom,
            self.left + inner.left,
            self.left + inner.right,
        )

    def cut(self, array: np.ndarray | None) -> np.ndarray | None:
        """Returns the part of an array [H, W, ...]; None of None."""
        if array is None:
            return None
        return array[self.top : self.bottom, self.left : self.right]


def find_inner(pixels: np.ndarray) -> Inner | None:
    """Finds the photo inside a flat frame.

    Args:
        pixels: uint8 or uint16 array [H, W, 1 or 3].

    Returns:
        Inner, or None where the picture has no flat frame on at least two
        sides.
    """
    values = decode.to_8_bit(pixels)
    found = None
    for _ in range(_MAX_FRAMES):
        inner = _inside_one(values if found is None else found.cut(values))
        if inner is None:
            break
        found = inner if found is None else found.part(inner)
    return found


def _inside_one(values: np.ndarray) -> Inner | None:
    """Finds what the outermost frame leaves."""
    best, most = None, 0
    for color in _edge_colors(values):
        # Nearly every picture ends here, before all of it is looked at.
        if not _may_frame(values, color):
            continue
        inner, flat = _inside(values, color)
        frame = flat.size - (inner.bottom - inner.top) * (
            inner.right - inner.left
        )
        if frame > most and _is_photo(values, inner, flat):
            best, most = inner, frame
    return best


def _edge_colors(values: np.ndarray) -> list[np.ndarray]:
    """Returns the colors that most of an edge has, each once."""
    edges = (values[0], values[-1], values[:, 0], values[:, -1])
    colors = [np.median(edge, axis=0).astype(np.int16) for edge in edges]
    kept = []
    for color in colors:
        if all(np.abs(color - other).max() > _TOLERANCE // 2 for other in kept):
            kept.append(color)
    return kept


def _may_frame(values: np.ndarray, color: np.ndarray) -> bool:
    """Tells whether enough sides begin with lines of a color."""
    sides = (
        *(values[:_MIN_PIXELS], values[: -_MIN_PIXELS - 1 : -1]),
        *(values[:, :_MIN_PIXELS], values[:, : -_MIN_PIXELS - 1 : -1]),
    )
    begun = 0
    for i, side in enumerate(sides):
        shares = _flat(side, color).mean(axis=1 - i // 2)
        begun += _first_uneven(shares) == _MIN_PIXELS
    return begun >= _MIN_SIDES


def _flat(values: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Returns which pixels have a color, nearly: bool [H, W]."""
    low, high = (
        tuple(np.clip(color + change, 0, 255).tolist())
        for change in (-_TOLERANCE, _TOLERANCE)
    )
    return cv2.inRange(np.ascontiguousarray(values), low, high) > 0


def _inside(values: np.ndarray, color: np.ndarray) -> tuple[Inner, np.ndarray]:
    """Returns what a frame of a color leaves; bool [H, W], what is flat."""
    flat = _flat(values, color)
    rows, columns = flat.mean(axis=1), flat.mean(axis=0)
    top, bottom = _first_uneven(rows), _first_uneven(rows[::-1])
    left, right = _first_uneven(columns), _first_uneven(columns[::-1])
    height, width = flat.shape
    return Inner(top, height - bottom, left, width - right), flat


def _flat_share(values: np.ndarray) -> float:
    """Returns how much of a picture has its commonest lightness."""
    grey = values.mean(axis=-1)
    return float((np.abs(grey - np.median(grey)) <= _TOLERANCE).mean())


def _first_uneven(shares: np.ndarray) -> int:
    uneven = shares < _FLAT_SHARE
    return int(np.argmax(uneven)) if uneven.any() else len(shares)


def _is_photo(values: np.ndarray, inner: Inner, flat: np.ndarray) -> bool:
    height, width = flat.shape
    inner_height, inner_width = (
        inner.bottom - inner.top,
        inner.right - inner.left,
    )
    if min(inner_height, inner_width) < _MIN_INNER:
        return False
    if inner_height * inner_width < _MIN_INNER_SHARE * flat.size:
        return False
    inside = inner.cut(flat)
    if max(inside.mean(), _flat_share(inner.cut(values))) > _MAX_FLAT_INSIDE:
        return False
    margins = (
        (inner.top, height, inside[_BLUR]),
        (height - inner.bottom, height, inside[-1 - _BLUR]),
        (inner.left, width, inside[:, _BLUR]),
        (width - inner.right, width, inside[:, -1 - _BLUR]),
    )
    edges = [
        1 - edge.mean()
        for margin, side, edge in margins
        if margin >= max(_MIN_PIXELS, _MIN_SHARE * side)
    ]
    return len(edges) >= _MIN_SIDES and float(np.mean(edges)) >= _MIN_EDGE
