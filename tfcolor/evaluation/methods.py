"""Where the predictions of an evaluation come from."""

import dataclasses
import functools
import os
from collections.abc import Callable

import numpy as np

from tfcolor.evaluation import baselines
from tfcolor.evaluation import geometry as geometries
from tfcolor.evaluation import truth as truth_lib
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
    say: Callable[[str, str], None] | None = None,
) -> Method:
    """Makes a method of a folder of pictures colorized earlier.

    Args:
        name: str.
        folder: str.
        truth: list of TruePicture, all that are to be compared.
        geometry: str, one of `geometry.GEOMETRIES`.
        size: int, side of the square of the geometry.
        say: function of a path and a line of text, or None. Told what was
            left out or ignored of a prediction's file.

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
        predicted = truth_lib.read_rgb(
            path,
            say=say and functools.partial(say, path),
            max_pixels=picture.max_pixels,
        )
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
        list of str: the last part of each path without `.keras`; where two
        would be equal, the folders before it that tell them apart, as in
        `first/model` and `second/model`, with `…` for those between that all
        of them have; numbered where whole paths are equal.
    """
    taken = {baselines.GREY, baselines.MEAN_AB}
    parts = [_parts(path) for path in paths]
    groups = {}
    for own in parts:
        groups.setdefault(own[-1], set()).add(own)
    names = []
    for own in parts:
        group = groups[own[-1]]
        name = _apart(own, group) if len(group) > 1 else own[-1]
        if name in taken and len(own) > 1:
            name = "/".join(own[-2:])
        same = sum(other.partition(" #")[0] == name for other in names)
        same += name in taken
        names.append(f"{name} #{same + 1}" if same else name)
    return names


def _parts(path: str) -> tuple[str, ...]:
    folder, _ = os.path.split(os.path.normpath(path))
    name = colorization_model.name_of(path)
    return (*(part for part in folder.split(os.sep) if part), name)


def _apart(own: tuple[str, ...], group: set[tuple[str, ...]]) -> str:
    """Names a path of a group whose last parts are equal."""
    depth = 1
    while len({parts[-depth:] for parts in group}) < len(group):
        depth += 1
    shown = []
    for place, part in enumerate(own[-depth:], -len(own[-depth:])):
        same = all(
            len(other) >= -place and other[place] == part for other in group
        )
        if not same or place == -1:
            shown.append(part)
        elif shown and shown[-1] != "…":
            shown.append("…")
    return "/".join(shown)
