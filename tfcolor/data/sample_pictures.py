"""Color photos that ship with the package, CC0 or public domain, and boxes."""

import csv
import os

_FOLDER = os.path.join(os.path.dirname(__file__), "samples")


def paths() -> list[str]:
    """Returns the paths of the sample pictures, sorted by name."""
    return [os.path.join(_FOLDER, row["file"]) for row in credits()]


def boxes_path() -> str:
    """Returns the path of the pictures' boxes, COCO annotations."""
    return os.path.join(_FOLDER, "boxes.json")


def credits() -> list[dict[str, str]]:
    """Returns who made each picture: `file`, `license`, `author`, `source`."""
    with open(
        os.path.join(_FOLDER, "manifest.csv"), encoding="utf-8", newline=""
    ) as f:
        return sorted(csv.DictReader(f), key=lambda row: row["file"])
