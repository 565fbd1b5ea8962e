"""Small labelled data sets, made on the fly."""

import os
import pathlib

import numpy as np

from tests import drawn

CLASSES = ("bright", "dark", "striped")
GROUPS = {"bright": "plain", "dark": "plain", "striped": "other"}


def picture(label: str, seed: int, side: int = 32) -> np.ndarray:
    """A uint8 picture [side, side, 3] whose lightness tells its class."""
    rng = np.random.default_rng([seed, CLASSES.index(label)])
    rgb = rng.uniform(0, 60, [side, side, 3])
    if label == "bright":
        rgb += 180
    elif label == "striped":
        rgb[:, (np.arange(side) // 4) % 2 == 1] += 180
    return rgb.astype(np.uint8)


def write(folder, count: int, *, classes=CLASSES, start: int = 0) -> str:
    """Writes `count` pictures of each class; returns the folder."""
    for label in classes:
        for i in range(start, start + count):
            path = os.path.join(folder, label, f"{i:03}.png")
            drawn.write(path, picture(label, i))
    return str(folder)


def write_parts(folder, *, train=6, val=2, test=3) -> str:
    """Writes train, val and test; returns the folder."""
    folder, start = pathlib.Path(folder), 0
    for part, count in (("train", train), ("val", val), ("test", test)):
        write(folder / part, count, start=start)
        start += count
    return str(folder)
