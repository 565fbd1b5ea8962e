"""Boxes of any number: those of the sample pictures, also mirrored."""

import json
import random

from tfcolor.data import sample_pictures


def boxes(
    count: int, *, height: int, width: int, scale: float = 1.0, seed: int = 0
) -> list[list[int]]:
    """Lays boxes of the sample pictures on a picture of another size.

    Args:
        count: int, at most four times the boxes of the sample pictures.
        height: int, of the picture, pixels.
        width: int, of the picture, pixels.
        scale: float in 0..1, factor on the sides.
        seed: int, of the choice.

    Returns:
        list of `count` lists of 4 int, yxyx, each of a pixel at least.

    Raises:
        ValueError: there are not so many.
    """
    pool = _pool()
    if not 0 < count <= len(pool):
        raise ValueError(
            f"The number of boxes must be in 1..{len(pool)}. "
            f"Received: count={count}"
        )
    random.Random(seed).shuffle(pool)
    return [_place(box, height, width, scale) for box in pool[:count]]


def _pool() -> list[tuple[float, ...]]:
    """Returns all boxes, as center and half the sides in parts of a picture."""
    with open(sample_pictures.boxes_path(), encoding="utf-8") as file:
        annotations = json.load(file)
    sizes = {
        picture["id"]: (picture["height"], picture["width"])
        for picture in annotations["images"]
    }
    pool = []
    for annotation in annotations["annotations"]:
        height, width = sizes[annotation["image_id"]]
        x, y, across, down = annotation["bbox"]
        half = (down / height / 2, across / width / 2)
        center = (y / height + half[0], x / width + half[1])
        for vertical in (center[0], 1 - center[0]):
            for horizontal in (center[1], 1 - center[1]):
                pool.append((vertical, horizontal, *half))
    return pool


def _place(box, height, width, scale) -> list[int]:
    y, x, half_y, half_x = box
    top = max(0, int((y - half_y * scale) * height))
    left = max(0, int((x - half_x * scale) * width))
    bottom = min(height, int((y + half_y * scale) * height))
    right = min(width, int((x + half_x * scale) * width))
    return [top, left, max(bottom, top + 1), max(right, left + 1)]
