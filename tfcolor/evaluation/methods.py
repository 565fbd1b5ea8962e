"""Where the predictions of an evaluation come from."""

import collections
import dataclasses
from collections.abc import Callable

import numpy as np

from tfcolor.data import decode
from tfcolor.evaluation import baselines
from tfcolor.evaluation import geometry as geometries
from tfcolor.evaluation.predictions import PredictionFolder
from tfcolor.evaluation.truth import TruePicture
from tfcolor.inference import colorization_model
from tfcolor.inference.box_finder import Finder
from tfcolor.inference.colorizer import Colorizer


@dataclasses.dataclass(frozen=True)
class Method:
    """A named way to colorize a true picture.

    Attributes:
        name: str, shown in tables.
        predict: function of the TruePicture and its pixels (uint8 array
            [H, W, 3], already in the geometry of the evaluation) to a uint8
            array of the same shape. May raise; the picture is then left out.
    """

    name: str
    predict: Callable[[TruePicture, np.ndarray], np.ndarray]


def read_rgb(path: str) -> np.ndarray:
    """Reads a picture file: uint8 array [H, W, 3]."""
    with open(path, "rb") as file:
        return decode.decode_rgb(file.read())


def from_constant_ab(name: str, ab: np.ndarray) -> Method:
    """Makes a baseline that paints everything in one colour.

    Args:
        name: str.
        ab: float array [2], CIELAB.

    Returns:
        Method.
    """
    return Method(name, lambda _, rgb: baselines.constant_ab(rgb, ab))


def from_colorizer(
    name: str,
    colorizer: Colorizer,
    *,
    find_boxes: Finder | None = None,
    tell_class: Callable[[TruePicture], np.ndarray] | None = None,
) -> Method:
    """Makes a method of a colorizer.

    Args:
        name: str.
        colorizer: Colorizer; it sees the true picture and uses its L only.
        find_boxes: box_finder.Finder or None. Where things are, for a model
            that colors them by themselves.
        tell_class: function of a TruePicture to a float array [K], for a
            model that must be told classes; None for all others.

    Returns:
        Method.
    """
    if tell_class is not None:
        return Method(
            name,
            lambda picture, rgb: colorizer.colorize(
                rgb, classes=tell_class(picture)
            ),
        )
    if find_boxes is None or not colorizer.takes_boxes:
        return Method(name, lambda _, rgb: colorizer.colorize(rgb))

    def predict(picture, rgb):
        found = find_boxes(picture.path, rgb)
        boxes = found if colorizer.takes_box_classes else found.boxes
        return colorizer.colorize(rgb, boxes=boxes)

    return Method(name, predict)


def from_folder(
    name: str,
    folder: str,
    truth: list[TruePicture],
    *,
    geometry: str = "original",
    size: int = geometries.DEFAULT_SIZE,
) -> Method:
    """Makes a method of a folder of pictures colorized earlier.

    Args:
        name: str.
        folder: str.
        truth: list of TruePicture, all that are to be compared.
        geometry: str, one of `geometry.GEOMETRIES`.
        size: int, side of the square of the geometry.

    Returns:
        Method. A prediction may have the size of the true picture's file, and
        is then brought into the geometry like the truth, or already have the
        size of the comparison.

    Raises:
        FileNotFoundError: there is no such folder, or no picture in it.
    """
    predictions = PredictionFolder(folder, truth)

    def predict(picture, rgb):
        path = predictions.find(picture)
        predicted = read_rgb(path)
        if predicted.shape == rgb.shape:
            return predicted
        # Cropping a picture of another shape would compare different parts.
        shape = picture.read().shape
        if predicted.shape == shape:
            return geometries.fit(predicted, geometry, size)
        raise ValueError(
            f"the prediction {path} has {_pixels(predicted.shape)} pixels, "
            f"the true picture {_pixels(shape)}"
        )

    return Method(name, predict)


def _pixels(shape) -> str:
    return f"{shape[1]} x {shape[0]}"


def unique_names(paths: list[str]) -> list[str]:
    """Names methods after their paths, as shortly as stays clear.

    Args:
        paths: list of str: folders, files or names of models.

    Returns:
        list of str: the last part of each path without `.keras`, `.pth` and
        so on, the whole path where two would be equal, numbered where that is
        equal too.
    """
    taken = collections.Counter({baselines.GREY: 1, baselines.MEAN_AB: 1})
    short = [colorization_model.name_of(path) for path in paths]
    taken.update(short)
    names = []
    for path, name in zip(paths, short, strict=True):
        name = path if taken[name] > 1 else name
        same = sum(other.partition(" #")[0] == name for other in names)
        names.append(f"{name} #{same + 1}" if same else name)
    return names
