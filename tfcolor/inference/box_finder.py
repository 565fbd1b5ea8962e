"""The boxes of picture files that are colorized: from files or a detector."""

import os
import threading
from collections.abc import Iterable

import numpy as np

from tfcolor.boxes import box_files
from tfcolor.boxes.picture_boxes import Finder
from tfcolor.detection import defaults
from tfcolor.detection import signatures
from tfcolor.detection.detector import Detector
from tfcolor.pictures import decode


def open_finder(
    path: str,
    *,
    max_boxes: int = defaults.MAX_BOXES,
    pictures: Iterable[str] = (),
) -> Finder:
    """Opens boxes of any origin.

    Args:
        path: str. A folder of .npz files, a COCO annotation JSON, or a
            detector's SavedModel, which then looks at each picture.
        max_boxes: int. The boxes of highest score that a picture keeps.
        pictures: paths of the pictures that are to be colorized, to find two
            that share one entry before any work is done.

    Returns:
        Finder.

    Raises:
        OSError: nothing is there, or it cannot be read.
        ValueError: it is none of these, `max_boxes` is below 1, or two
            pictures share an entry.
    """
    if max_boxes < 1:
        raise ValueError(
            f"`max_boxes` must be at least 1. Received: max_boxes={max_boxes}"
        )
    if os.path.isdir(path) and signatures.find_saved_model(path):
        return _detecting(Detector(path, max_boxes=max_boxes))
    boxes = box_files.open_boxes(path)
    boxes.count(pictures)

    def find(picture, pixels):
        height, width = pixels.shape[:2]
        found = boxes.load(picture, height=height, width=width)
        return found.best(height=height, width=width, max_boxes=max_boxes)

    return find


def open_for(
    colorizer,
    path: str,
    *,
    max_boxes: int = defaults.MAX_BOXES,
    pictures: Iterable[str] = (),
) -> Finder:
    """Opens boxes that a colorizer is to be given.

    Args:
        colorizer: `Colorizer`.
        path: see `open_finder`, as are the others.
        max_boxes: int.
        pictures: paths.

    Returns:
        Finder.

    Raises:
        OSError: see `open_finder`.
        ValueError: see `open_finder`, or the model takes no boxes.
    """
    if not colorizer.takes_boxes:
        raise ValueError(
            "`boxes` need a model that takes boxes. Received: boxes="
            f"{os.fspath(path)!r} with a model that colors whole pictures"
        )
    return open_finder(path, max_boxes=max_boxes, pictures=pictures)


def _detecting(detector: Detector) -> Finder:
    # Pictures are read in several threads, and a detector takes much memory.
    lock = threading.Lock()

    def find(picture, pixels):
        del picture
        rgb = decode.to_8_bit(pixels)
        if rgb.shape[-1] == 1:
            rgb = np.repeat(rgb, 3, axis=-1)
        with lock:
            return detector.detect(rgb)

    return find
