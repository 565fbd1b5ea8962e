"""Many pictures on one sheet, to be compared by eye."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

_MARGIN = 6
_LABEL_HEIGHT = 22
_PAPER = (250, 250, 250)
_INK = (40, 40, 40)


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],
    labels: Sequence[str],
    *,
    columns: int = 2,
    height: int = 160,
) -> np.ndarray:
    """Puts groups of pictures on a sheet, a label over each column.

    Args:
        rows: groups of pictures, uint8 [H, W, 3], that belong together; the
            pictures of a group are shown side by side at equal height.
        labels: str for each picture of a group.
        columns: int, groups side by side.
        height: int, pixels, of every picture.

    Returns:
        uint8 array [H, W, 3].

    Raises:
        ValueError: there is no group, or one has another number of pictures
            than there are labels.
    """
    if not rows or any(len(row) != len(labels) for row in rows):
        raise ValueError(
            "`rows` must be groups with a picture for each label. Received: "
            f"{[len(row) for row in rows]} pictures, {len(labels)} labels"
        )
    groups = [[_shrink(rgb, height) for rgb in row] for row in rows]
    # Equal cells, so that groups stand under one another.
    cell = max(picture.width for group in groups for picture in group)
    group_width = len(labels) * (cell + _MARGIN) + _MARGIN
    lines = -(-len(groups) // columns)
    sheet = Image.new(
        "RGB",
        (
            min(columns, len(groups)) * group_width + _MARGIN,
            _LABEL_HEIGHT + lines * (height + _MARGIN) + _MARGIN,
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for index, group in enumerate(groups):
        line, column = divmod(index, columns)
        for place, picture in enumerate(group):
            x = column * group_width + _MARGIN + place * (cell + _MARGIN)
            y = _LABEL_HEIGHT + line * (height + _MARGIN)
            sheet.paste(picture, (x + (cell - picture.width) // 2, y))
            if line == 0:
                draw.text(
                    (x + cell // 2, _LABEL_HEIGHT // 2),
                    labels[place],
                    fill=_INK,
                    font=font,
                    anchor="mm",
                )
    return np.asarray(sheet)


def _shrink(rgb: np.ndarray, height: int) -> Image.Image:
    picture = Image.fromarray(rgb)
    width = max(1, round(picture.width * height / picture.height))
    return picture.resize((width, height), Image.Resampling.LANCZOS)
