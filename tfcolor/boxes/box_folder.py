"""A folder with one .npz file of boxes for each picture.

A file holds `bbox`, int32 [M, 4], xyxy in pixels of the upright picture, best
first, and `scores`, float32 [M], which InstColorization reads as well, and
beside them `classes`, int32 [M], and `picture_size`, int32 [2], height and
width. All but `bbox` may be missing, and `bbox` may be of any number type, in
files from elsewhere.

Files of both namings are read; see `box_naming`.
"""

import io
import os
from collections.abc import Iterable

import numpy as np

from tfcolor import atomic
from tfcolor.boxes import box_matching
from tfcolor.boxes import box_naming
from tfcolor.boxes import picture_boxes
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.pictures import decode
from tfcolor.pictures import foreign_files

# Of all arrays of a file: millions of boxes.
_MAX_BYTES = 2**26
_NUMBERS = ("bbox", "scores", "classes", "picture_size")


def write(path: str, found: PictureBoxes, *, height: int, width: int) -> None:
    """Writes the boxes of one picture; nobody ever sees a part of the file.

    Args:
        path: str. Folders that are missing are made; a file is replaced.
        found: PictureBoxes; coordinates are cut to whole pixels.
        height: int, of the upright picture, pixels.
        width: int, of the upright picture, pixels.

    Raises:
        OSError: the file cannot be written.
    """
    file = io.BytesIO()
    np.savez(
        file,
        bbox=found.boxes[:, [1, 0, 3, 2]].astype(np.int32),
        scores=found.scores,
        classes=found.classes,
        picture_size=np.array([height, width], np.int32),
    )
    atomic.write_bytes(path, file.getvalue())


class BoxFolder:
    """The boxes in a folder of .npz files.

    Args:
        path: str. The folder, searched recursively.

    Raises:
        FileNotFoundError: it holds no .npz file.
    """

    def __init__(self, path: str):
        self.path = path
        self._names = set(_list_npz(path))
        if not self._names:
            raise FileNotFoundError(
                "A folder of boxes must hold .npz files, as `tfcolor detect` "
                f"writes them. Received: {path!r}"
            )

    def find(self, picture: str) -> str | None:
        """Returns the name of the file with a picture's boxes.

        Args:
            picture: str, the picture's path.

        Returns:
            str, relative to the folder, or None.

        Raises:
            ValueError: there are several, named by different rules.
        """
        for end in box_matching.path_ends(picture):
            names = {
                box_naming.file_name(end, box_naming.BY_PATH),
                box_naming.file_name(end, box_naming.BY_STEM),
                os.path.splitext(end)[0] + box_naming.EXTENSION,
            }
            found = sorted(names & self._names)
            if len(found) > 1:
                raise ValueError(
                    f"{self.path} must have one file of boxes for "
                    f"{picture!r}. Received: {found}"
                )
            if found:
                return found[0]
        return None

    def count(self, pictures: Iterable[str]) -> int:
        """Counts the pictures with a file; see `box_matching.count_matches`."""
        return box_matching.count_matches(pictures, self.find, where=self.path)

    def load(self, picture: str, *, height: int, width: int) -> PictureBoxes:
        """Reads the boxes of a picture.

        Boxes are scaled where their file tells of a picture of another size,
        or tells nothing and the picture's own file is of another size.

        Args:
            picture: str, the picture's path.
            height: int, of the upright picture as it was decoded, pixels.
            width: int, of the upright picture as it was decoded, pixels.

        Returns:
            PictureBoxes in pixels of a picture of that size; none at all
            where there is no file.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is not one of boxes, or there are several.
        """
        name = self.find(picture)
        if name is None:
            return picture_boxes.none()
        path = os.path.join(self.path, name)
        try:
            found, size = _read(path)
            size = size or decode.upright_size(picture) or (height, width)
            return found.resized(size, height=height, width=width)
        except (ValueError, TypeError, ArithmeticError) as error:
            message = f"The boxes in {path} cannot be used: {error}"
            raise ValueError(message) from error


def _list_npz(folder: str) -> list[str]:
    found = []
    for root, _, names in os.walk(folder):
        relative = os.path.relpath(root, folder)
        found += [
            os.path.normpath(os.path.join(relative, name)).replace(os.sep, "/")
            for name in names
            if name.endswith(box_naming.EXTENSION)
        ]
    return found


def _read(path: str) -> tuple[PictureBoxes, tuple[int, int] | None]:
    """Reads a file; returns its boxes and the size they were made for."""
    arrays = foreign_files.read_npz(path, max_bytes=_MAX_BYTES)
    if "bbox" not in arrays:
        raise ValueError("there is no array `bbox`")
    for name, array in arrays.items():
        if name in _NUMBERS and array.dtype.kind not in "iuf":
            raise ValueError(f"`{name}` is of {array.dtype}, not of numbers")
    bbox = arrays["bbox"].astype(np.float64).reshape(-1, 4)
    size = arrays.get("picture_size")
    if size is not None:
        if size.shape != (2,) or (size < 1).any():
            raise ValueError(f"`picture_size` is {size.tolist()}")
        size = (int(size[0]), int(size[1]))
    found = picture_boxes.make(
        bbox[:, [1, 0, 3, 2]], arrays.get("scores"), arrays.get("classes")
    )
    return found, size
