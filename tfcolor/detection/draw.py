"""Boxes drawn onto their picture, for a look."""

import cv2
import numpy as np

from tfcolor.boxes.picture_boxes import PictureBoxes

# Okabe and Ito's colors, which also color-blind people tell apart.
_COLORS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
# Widths of a line and heights of a letter, as shares of the short side.
_LINE = 1 / 150
_LETTER = 1 / 30
# Height in pixels of the font's capitals at scale 1.
_FONT_HEIGHT = 21
_SMALLEST_LETTER = 8


def draw_boxes(
    rgb: np.ndarray, found: PictureBoxes, class_names: dict[int, str]
) -> np.ndarray:
    """Draws boxes with the names and scores of what they show.

    Args:
        rgb: uint8 array [H, W, 3].
        found: PictureBoxes of this picture.
        class_names: dict from class to its name.

    Returns:
        uint8 array [H, W, 3], a new picture.
    """
    drawn = np.ascontiguousarray(rgb).copy()
    line = max(1, round(min(rgb.shape[:2]) * _LINE))
    # The best box last, on top of the others.
    for i in reversed(range(len(found))):
        top, left, bottom, right = found.boxes[i].astype(int).tolist()
        cv2.rectangle(
            drawn,
            (left, top),
            (right - 1, bottom - 1),
            _COLORS[i % len(_COLORS)],
            thickness=line,
        )
    texts = []
    for label, score in zip(found.classes, found.scores, strict=True):
        name = class_names.get(int(label), f"class {label}")
        texts.append(f"{name} {score:.2f}")
    _draw_labels(drawn, texts, found.boxes.astype(int).tolist())
    return drawn


def place_labels(
    sizes: list[tuple[int, int]],
    boxes: list[tuple[int, int, int, int]],
    height: int,
    width: int,
) -> list[tuple[int, int]]:
    """Finds places for labels at their boxes where none hides another.

    Args:
        sizes: list of (height, width) of each label, the most important first.
        boxes: list of (top, left, bottom, right) of their boxes.
        height: int, of the picture.
        width: int, of the picture.

    Returns:
        list of (top, left) of each label, inside the picture as far as it
        fits: the box's upper left corner, or the place nearest to it that is
        free. Where none is left, the place where the least is hidden.
    """
    placed = np.zeros([0, 4], int)
    for size, (top, left, bottom, right) in zip(sizes, boxes, strict=True):
        last = np.maximum(0, np.array([height, width]) - size)
        corner = np.clip((top, left), 0, last)
        # Beside what is there already: above or below it, left or right.
        tops = [corner[0], top - size[0], bottom - size[0], bottom, 0, last[0]]
        tops = [*tops, *placed[:, 0] - size[0], *placed[:, 0] + placed[:, 2]]
        lefts = [corner[1], right - size[1], 0, last[1]]
        lefts = [*lefts, *placed[:, 1] - size[1], *placed[:, 1] + placed[:, 3]]
        places = np.stack(
            np.meshgrid(np.unique(tops), np.unique(lefts), indexing="ij"), -1
        ).reshape(-1, 2)
        places = places[((places >= 0) & (places <= last)).all(axis=1)]
        away = np.abs(places - corner).sum(axis=1)
        best = np.lexsort((away, _hidden(places, size, placed)))[0]
        placed = np.vstack([placed, [*places[best], *size]])
    return [(int(top), int(left)) for top, left in placed[:, :2]]


def _hidden(places: np.ndarray, size, placed: np.ndarray) -> np.ndarray:
    """Pixels that a label would hide of others, for each of its places."""
    shared = 1
    for axis in (0, 1):
        start = places[:, None, axis]
        end = placed[:, axis] + placed[:, axis + 2]
        shared = shared * np.maximum(
            0,
            np.minimum(start + size[axis], end)
            - np.maximum(start, placed[:, axis]),
        )
    return shared.sum(axis=1)


def _draw_labels(drawn, texts, boxes) -> None:
    """Writes black on each box's color, at its upper left corner."""
    letter = max(_SMALLEST_LETTER, min(drawn.shape[:2]) * _LETTER)
    scale = letter / _FONT_HEIGHT
    thickness = max(1, round(scale))
    measured = [cv2.getTextSize(t, _FONT, scale, thickness) for t in texts]
    # With the pixels of the edge, which OpenCV counts to the inside.
    sizes = [
        (height + below + 1, width + 1) for (width, height), below in measured
    ]
    places = place_labels(sizes, boxes, *drawn.shape[:2])
    for i, ((top, left), (height, width)) in enumerate(
        zip(places, sizes, strict=True)
    ):
        cv2.rectangle(
            drawn,
            (left, top),
            (left + width - 1, top + height - 1),
            _COLORS[i % len(_COLORS)],
            thickness=cv2.FILLED,
        )
        cv2.putText(
            drawn,
            texts[i],
            (left, top + measured[i][0][1]),
            _FONT,
            scale,
            (0, 0, 0),
            thickness,
            cv2.LINE_AA,
        )
