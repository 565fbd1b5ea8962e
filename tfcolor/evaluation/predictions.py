"""Pictures that somebody else colorized, paired with the truth by name."""

import collections
import os

from tfcolor.data import files
from tfcolor.evaluation.truth import TruePicture


def _stem(name: str) -> str:
    """Returns a relative name without its last extension."""
    return os.path.splitext(name)[0]


class PredictionFolder:
    """Finds the prediction of a true picture in a folder.

    A prediction has the relative name of its true picture; the extension may
    differ (`sub/a.jpg` is predicted by `sub/a.png`). The same extension wins
    where several pictures share a stem; several without it are ambiguous.
    """

    def __init__(self, folder: str, truth: list[TruePicture]):
        """Lists a folder.

        Args:
            folder: str, searched recursively.
            truth: list of TruePicture, all that are to be compared.

        Raises:
            FileNotFoundError: there is no such folder, or no picture in it.
        """
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f"Predictions must be a folder. Received: {folder!r}"
            )
        self._folder = folder
        self._names = collections.defaultdict(list)
        for path in files.list_pictures(folder):
            name = os.path.relpath(path, folder).replace(os.sep, "/")
            self._names[_stem(name)].append(name)
        self._truth_stems = collections.Counter(
            _stem(picture.name) for picture in truth
        )
        self._truth_names = collections.Counter(
            picture.name for picture in truth
        )

    def find(self, picture: TruePicture) -> str:
        """Returns the path of a picture's prediction.

        Args:
            picture: TruePicture.

        Returns:
            str.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is not clear which one it is.
        """
        stem = _stem(picture.name)
        names = self._names.get(stem, [])
        if not names:
            raise FileNotFoundError(f"no prediction {stem}.* in {self._folder}")
        if self._truth_names[picture.name] > 1:
            raise ValueError(
                f"several true pictures have the relative name {picture.name}"
            )
        if picture.name in names:
            return os.path.join(self._folder, picture.name)
        if len(names) > 1:
            raise ValueError(
                f"several predictions in {self._folder} share its stem: "
                + ", ".join(names)
            )
        if self._truth_stems[stem] > 1:
            raise ValueError(
                f"several true pictures have the stem of the prediction "
                f"{names[0]} in {self._folder}"
            )
        return os.path.join(self._folder, names[0])
