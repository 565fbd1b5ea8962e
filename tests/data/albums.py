"""Folders of pictures with everything that shards may have."""

import pathlib

import numpy as np

from tests import drawn
from tfcolor.boxes import box_folder
from tfcolor.boxes import picture_boxes


def write(folder, count=9) -> str:
    """Colored JPEGs of 40 x 60 pixels, a grey and a broken one."""
    folder = pathlib.Path(folder)
    for i in range(count):
        rgb = drawn.colored(i, 40, 60)
        drawn.write(folder / f"{i:02}.jpg", rgb)
    drawn.write(folder / "grey.png", drawn.grey(0, 40, 60))
    (folder / "broken.jpg").write_bytes(b"not a picture")
    return str(folder)


def write_boxes(folder, count=9) -> str:
    """Boxes of all colored pictures but the first one."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    for i in range(1, count):
        found = picture_boxes.make(
            [[0, 0, 20, 30], [10, 6 + i, 40, 60]], [0.5, 0.9], [i, 80]
        )
        path = str(folder / f"{i:02}.jpg.npz")
        box_folder.write(path, found, height=40, width=60)
    return str(folder)


def write_box(path, box) -> None:
    """One box of a picture of 32 x 32 pixels."""
    found = picture_boxes.make([box])
    box_folder.write(str(path), found, height=32, width=32)


def damage(path) -> None:
    """Changes one byte in the middle of a file."""
    data = np.fromfile(path, np.uint8)
    data[len(data) // 2] ^= 255
    data.tofile(path)
