"""Boxes from files of any origin, behind one small interface.

What `open_boxes` returns has `load(picture, height=, width=)`, the boxes of a
picture, `find(picture)`, the entry they come from, and `count(pictures)`,
how many of them have an entry, which also finds two that share one; see
`box_folder.BoxFolder` and `coco_boxes.CocoBoxes`.
"""

import os

from tfcolor.boxes.box_folder import BoxFolder
from tfcolor.boxes.coco_boxes import CocoBoxes


def open_boxes(path: str) -> BoxFolder | CocoBoxes:
    """Opens boxes.

    Args:
        path: str. A folder of .npz files, or a COCO annotation JSON.

    Returns:
        BoxFolder or CocoBoxes.

    Raises:
        OSError: nothing is there, or it cannot be read.
        ValueError: it is neither.
    """
    if os.path.isdir(path):
        return BoxFolder(path)
    if not os.path.exists(path):
        raise FileNotFoundError(
            "Boxes must be a folder of .npz files or a COCO annotation JSON. "
            f"Received: {path!r}, which does not exist"
        )
    return CocoBoxes(path)
