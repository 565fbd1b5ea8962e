"""The small pictures of a report."""

import os

import numpy as np
from PIL import Image

from tfcolor.evaluation import baselines
from tfcolor.evaluation.truth import TruePicture

FOLDER = "pictures"
# Longest side, in pixels.
_SIZE = 320
_QUALITY = 85


class ReportPictures:
    """Writes and names one small JPEG for each picture and column."""

    def __init__(self, folder: str, methods: list[str]):
        """Makes the folder.

        Args:
            folder: str, that of the report.
            methods: list of str, names of the methods that are not baselines.
        """
        self._folder = folder
        # Names of methods may hold characters that file names cannot.
        self._columns = {baselines.GREY: "grey", None: "true"}
        for i, name in enumerate(methods, start=1):
            self._columns[name] = f"method{i}"
        os.makedirs(os.path.join(folder, FOLDER), exist_ok=True)

    def columns(self) -> list[str | None]:
        """Returns grey, each method and None for the truth, in order."""
        grey, true, *methods = self._columns
        return [grey, *methods, true]

    def source(self, picture: TruePicture, column: str | None) -> str:
        """Returns the path of a small picture, relative to the report."""
        return f"{FOLDER}/{picture.index + 1:05d}_{self._columns[column]}.jpg"

    def save(
        self, picture: TruePicture, rgb: dict[str | None, np.ndarray]
    ) -> None:
        """Writes the small pictures of a true picture.

        Args:
            picture: TruePicture.
            rgb: dict from each of `columns` to a uint8 array [H, W, 3].
        """
        for column, pixels in rgb.items():
            small = Image.fromarray(pixels)
            small.thumbnail((_SIZE, _SIZE))
            path = os.path.join(self._folder, self.source(picture, column))
            small.save(path, quality=_QUALITY)
