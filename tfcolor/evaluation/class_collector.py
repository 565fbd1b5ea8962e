"""What an evaluation class by class needs beside the comparison's numbers."""

import os
import zlib

import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.evaluation import bands
from tfcolor.evaluation import color_scores
from tfcolor.evaluation.color_scores import ColorScores
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.truth import TruePicture


def class_of(picture: TruePicture) -> str:
    """Returns the class of a picture: the folder of its relative name.

    Args:
        picture: TruePicture.

    Returns:
        str.

    Raises:
        ValueError: the picture is in no class folder.
    """
    label, slash, _ = picture.name.partition("/")
    if not slash:
        raise ValueError(
            "Every true picture must be in a class folder. "
            f"Received: {picture.path!r}"
        )
    return label


def tell_class(
    picture: TruePicture, class_names: tuple[str, ...], *, shuffled: bool
) -> np.ndarray:
    """Returns what a model is told that must be told classes.

    Args:
        picture: TruePicture.
        class_names: tuple of K str, those of the model.
        shuffled: bool. Whether it is told a class drawn at random, the same
            for the same name whenever it is asked.

    Returns:
        float32 array [K].

    Raises:
        ValueError: the model does not know the picture's class.
    """
    label = class_of(picture)
    if label not in class_names:
        raise ValueError(
            "The class of a picture must be one of the model's. Received: "
            f"{label!r}, not in {list(class_names)}"
        )
    place = class_names.index(label)
    if shuffled:
        rng = np.random.default_rng(zlib.crc32(os.fsencode(picture.name)))
        place = int(rng.integers(len(class_names)))
    return np.eye(len(class_names), dtype=np.float32)[place]


def _yellowness(rgb: np.ndarray) -> dict[str, float]:
    """Measures a uint8 picture [H, W, 3], in bands that fit the memory."""
    height, width = rgb.shape[:2]
    sums = dict.fromkeys(color_scores.TRUE_KEYS, 0.0)
    for rows in bands.bands(height, width):
        band = tf.cast(rgb[rows], tf.float32) / 255
        found = color_scores.yellowness(lab.rgb_to_lab(band)[..., 1:])
        for key, value in found.items():
            sums[key] += float(value) * (rows.stop - rows.start) / height
    return sums


class ClassCollector:
    """Looks at the pictures of a comparison while it is made.

    Args:
        truth: list of TruePicture.

    Raises:
        ValueError: a picture is in no class folder, or all are in one.
    """

    def __init__(self, truth: list[TruePicture]):
        self._classes = {picture.index: class_of(picture) for picture in truth}
        self._yellowness = {}
        found = set(self._classes.values())
        if len(found) < 2:
            raise ValueError(
                "The true pictures must be in at least two class folders, "
                f"right below what --truth names. Received: {sorted(found)}"
            )

    def look(self, picture: TruePicture, rgb: dict) -> None:
        """Measures a picture; of the form of `compare`'s `save_picture`."""
        self._yellowness[picture.index] = {
            name: _yellowness(pixels) for name, pixels in rgb.items()
        }

    def scores(self, comparison: Comparison) -> ColorScores:
        """Puts the numbers of the methods together.

        Args:
            comparison: Comparison.

        Returns:
            ColorScores of the methods that are no baselines.
        """
        indices = [picture.index for picture in comparison.pictures]

        def column(name, key):
            return np.array([self._yellowness[i][name][key] for i in indices])

        values = {
            name: {
                color_scores.MSE: color_scores.mse_of_rmse(
                    comparison.values[name]["ab_rmse"]
                ),
                **{key: column(name, key) for key in color_scores.TRUE_KEYS},
            }
            for name in comparison.methods()
        }
        return ColorScores(
            [picture.name for picture in comparison.pictures],
            [self._classes[i] for i in indices],
            values,
            {key: column(None, key) for key in color_scores.TRUE_KEYS},
        )
