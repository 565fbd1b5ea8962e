"""Color points to the two maps a network takes: hints and mask."""

import numpy as np

from tfcolor.color import lab
from tfcolor.inference import defaults
from tfcolor.inference import hint_points


def color_to_ab(color: str) -> np.ndarray:
    """Returns the ab of an sRGB color.

    Args:
        color: str, `#rrggbb`.

    Returns:
        float32 array [2], CIELAB.
    """
    rgb = np.frombuffer(bytes.fromhex(color[1:]), np.uint8)
    return lab.rgb_to_lab(rgb.astype(np.float32) / 255).numpy()[1:]


def draw_hints(
    points: list[hint_points.HintPoint],
    *,
    width: int,
    height: int,
    image_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws points onto the grid of the network.

    A point colors the grid's pixels whose centers lie within its radius,
    and always the one it falls on. Where points overlap, their mean counts.

    Args:
        points: list of HintPoint, in pixels of the picture.
        width: int. Of the picture.
        height: int. Of the picture.
        image_size: int. Side of the grid, onto which the picture is squashed.

    Returns:
        hints, float32 array [image_size, image_size, 2], CIELAB, 0 where
        there is none; mask, float32 array [image_size, image_size, 1].

    Raises:
        ValueError: a point lies out of the picture.
    """
    hint_points.check_inside(points, width=width, height=height)
    total = np.zeros((image_size, image_size, 2), np.float32)
    count = np.zeros((image_size, image_size, 1), np.float32)
    # Centers of the grid's pixels in pixels of the picture.
    centers = (np.arange(image_size) + 0.5) / image_size
    columns, rows = centers * width - 0.5, centers[:, None] * height - 0.5
    for point in points:
        radius = point.radius
        if radius is None:
            radius = defaults.HINT_RADIUS * min(width, height)
        distance = np.hypot(columns - point.x, rows - point.y)
        covered = distance <= radius
        column = _cell(point.x, width, image_size)
        row = _cell(point.y, height, image_size)
        covered[row, column] = True
        total[covered] += color_to_ab(point.color)
        count[covered] += 1
    return total / np.maximum(count, 1), np.minimum(count, 1)


def _cell(position: float, length: int, image_size: int) -> int:
    """Returns the grid's row or column that a picture's pixel falls on."""
    return min(int((position + 0.5) / length * image_size), image_size - 1)
