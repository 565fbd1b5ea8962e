"""The true pictures of an evaluation."""

import collections
import dataclasses
import glob
import os
import re
from collections.abc import Callable

import numpy as np

from tfcolor.data import decode
from tfcolor.data import files
from tfcolor.data import pillow_limit
from tfcolor.inference.box_finder import Finder


def read_rgb(
    path: str,
    *,
    say: Callable[[str], None] | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> np.ndarray:
    """Reads a picture file: uint8 array [H, W, 3].

    Args:
        path: str.
        say: function of a line of text, or None; see `decode.decode_rgb`.
        max_pixels: int. A picture of more is not decoded.
    """
    data = pillow_limit.read_file(path, max_pixels=max_pixels)
    return decode.decode_rgb(data, say=say, max_pixels=max_pixels)


@dataclasses.dataclass(frozen=True)
class TruePicture:
    """A colour picture that predictions are compared with.

    Attributes:
        index: int. Position in the evaluation, from 0.
        path: str. Where it is.
        name: str. Path relative to the folder it was found in, with `/`.
        box: tuple of 4 int or None. The part of the file that it is, yxyx in
            pixels; None for the whole.
        max_pixels: int. A file of more is not decoded.
    """

    index: int
    path: str
    name: str
    box: tuple[int, int, int, int] | None = None
    max_pixels: int = pillow_limit.MAX_PIXELS

    def read(self, say: Callable[[str], None] | None = None) -> np.ndarray:
        """Reads the picture: uint8 array [H, W, 3].

        Args:
            say: function of a line of text, or None; see `decode.decode_rgb`.

        Raises:
            OSError: the file cannot be read.
            ValueError: the kind of picture is not supported, or it is too
                large.
        """
        rgb = read_rgb(self.path, say=say, max_pixels=self.max_pixels)
        if self.box is None:
            return rgb
        top, left, bottom, right = self.box
        return rgb[top:bottom, left:right]


def _root(pattern: str) -> str:
    """Returns the folder that names of a pattern's pictures start from."""
    if os.path.isdir(pattern):
        return pattern
    if os.path.exists(pattern) or not glob.has_magic(pattern):
        return os.path.dirname(pattern)
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    return os.path.dirname(fixed)


def _inside(path: str, folder: str | None) -> bool:
    if folder is None:
        return False
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path.startswith(os.path.join(folder, ""))


def list_truth(
    *patterns: str,
    limit: int | None = None,
    outside: str | None = None,
    say: Callable[[str], None] | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> list[TruePicture]:
    """Lists the true pictures: sorted within each pattern, each once.

    Args:
        *patterns: folders (searched recursively), globs or files.
        limit: int or None. Keeps the first that many.
        outside: str or None. A folder whose pictures do not count: the
            report's own.
        say: function of a line of text, or None. Told what is left out.
        max_pixels: int. A file of more is not decoded.

    Returns:
        list of TruePicture, not empty.

    Raises:
        FileNotFoundError: a pattern finds no picture.
        ValueError: `limit` is below 1, or `max_pixels` out of range.
    """
    pillow_limit.check_option(max_pixels)
    if limit is not None and limit < 1:
        raise ValueError(f"`limit` must be at least 1. Received: limit={limit}")
    names = {}
    for pattern in patterns:
        found = [
            path for path, _ in files.list_named_pictures(pattern, say=say)
        ]
        found = [path for path in found if not _inside(path, outside)]
        if not found:
            raise FileNotFoundError(
                "The true pictures must lie outside the report. "
                f"Received: {pattern!r}"
            )
        root = _root(pattern) or os.curdir
        for path in found:
            name = os.path.relpath(path, root).replace(os.sep, "/")
            names.setdefault(os.path.realpath(path), (path, name))
    chosen = list(names.values())[:limit]
    return [
        TruePicture(i, *pair, max_pixels=max_pixels)
        for i, pair in enumerate(chosen)
    ]


def shown_names(pictures: list[TruePicture]) -> list[str]:
    """Names pictures for people, each unlike the others.

    Args:
        pictures: list of TruePicture.

    Returns:
        list of str: their names, and the whole paths of those of several
        folders that have the same name.
    """
    counts = collections.Counter(picture.name for picture in pictures)
    return [p.name if counts[p.name] == 1 else p.path for p in pictures]


def crops(truth: list[TruePicture], find_boxes: Finder) -> list[TruePicture]:
    """Makes a picture of each box of the true pictures.

    Args:
        truth: list of TruePicture.
        find_boxes: box_finder.Finder.

    Returns:
        list of TruePicture, not empty. Pictures that cannot be read stay
        whole, to be named later on.

    Raises:
        ValueError: there is no box.
    """
    parts = []
    for picture in truth:
        try:
            found = find_boxes(picture.path, picture.read())
        except (OSError, ValueError):
            parts.append((picture, None))
            continue
        parts += [(picture, tuple(map(int, box))) for box in found.boxes]
    if not parts:
        raise ValueError(
            f"A picture must have boxes. Received: {len(truth)} without any"
        )
    return [
        TruePicture(
            index,
            picture.path,
            picture.name if box is None else f"{picture.name} {box}",
            box,
            picture.max_pixels,
        )
        for index, (picture, box) in enumerate(parts)
    ]
