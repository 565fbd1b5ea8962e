"""Boxes drawn onto their picture, for a look."""

import cv2
import numpy as np

from tfcolor.data.picture_boxes import PictureBoxes

# Okabe and Ito's colours, which also colour-blind people tell apart.
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
        color = _COLORS[i % len(_COLORS)]
        label = int(found.classes[i])
        name = class_names.get(label, f"class {label}")
        top, left, bottom, right = found.boxes[i].astype(int).tolist()
        cv2.rectangle(
            drawn, (left, top), (right - 1, bottom - 1), color, thickness=line
        )
        _draw_label(drawn, f"{name} {found.scores[i]:.2f}", (left, top), color)
    return drawn


def _draw_label(drawn, text, corner, color) -> None:
    """Writes black on the box's colour into its upper left corner."""
    letter = max(_SMALLEST_LETTER, min(drawn.shape[:2]) * _LETTER)
    scale = letter / _FONT_HEIGHT
    thickness = max(1, round(scale))
    (width, height), below = cv2.getTextSize(text, _FONT, scale, thickness)
    left, top = corner
    left = max(0, min(left, drawn.shape[1] - width))
    cv2.rectangle(
        drawn,
        (left, top),
        (left + width, top + height + below),
        color,
        thickness=cv2.FILLED,
    )
    cv2.putText(
        drawn,
        text,
        (left, top + height),
        _FONT,
        scale,
        (0, 0, 0),
        thickness,
        cv2.LINE_AA,
    )
