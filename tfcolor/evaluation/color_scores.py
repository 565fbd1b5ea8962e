"""How well labelled pictures are colorized, picture by picture.

The loss is that of the study of ensembles with AlexNet features (se-jaeger,
"Image Colorization"): the mean over pixels and both channels of the squared
difference of (ab + 128) / 255. Its claim that the ensemble leaves out yellow
is measured by the mean of b and the share of pixels with b > 20.
"""

import csv
import dataclasses
import functools
import os
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from tfcolor import atomic
from tfcolor.color import lab
from tfcolor.color import scaling
from tfcolor.evaluation import compare
from tfcolor.evaluation import measure
from tfcolor.evaluation import methods
from tfcolor.evaluation import results
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.methods import TruePicture

if TYPE_CHECKING:
    import pandas

MSE, MEAN_B, YELLOW = "mse", "mean_b", "yellow_share"
KEYS = (MSE, MEAN_B, YELLOW)
TRUE_KEYS = (MEAN_B, YELLOW)
# CIELAB; above it a pixel counts as yellow.
YELLOW_B = 20.0
_HEADER = ("picture", "class", *KEYS, *(f"true_{key}" for key in TRUE_KEYS))


@dataclasses.dataclass(frozen=True)
class ColorScores:
    """The numbers of methods on labelled pictures, as one long table.

    Attributes:
        table: DataFrame, of `compare.long_table`, with the "class" of each
            picture. The metrics are `KEYS`; the true pictures have `TRUE_KEYS`.
        names: list of N str, the pictures.
        files: int array [N], which file each picture is of, or None: each of
            its own. Intervals draw pictures of one file together.
    """

    table: "pandas.DataFrame"
    names: list[str]
    files: np.ndarray | None = None

    @functools.cached_property
    def values(self) -> dict[str, dict[str, np.ndarray]]:
        """Each method's float64 arrays [N] by `KEYS`.

        Differences are from the first method.
        """
        found = compare.columns(self.table)
        return {name: found[name] for name in found if name != compare.TRUE}

    @property
    def losses(self) -> dict[str, np.ndarray]:
        """Each method's float64 array [N] of the loss."""
        return {name: found[MSE] for name, found in self.values.items()}

    @functools.cached_property
    def truth(self) -> dict[str, np.ndarray]:
        """Float64 arrays [N] of the true pictures by `TRUE_KEYS`."""
        return compare.columns(self.table)[compare.TRUE]

    @functools.cached_property
    def classes(self) -> list[str]:
        """What the N pictures show."""
        return list(self.table.drop_duplicates("picture")["class"])


def make_scores(
    names: list[str],
    classes: list[str],
    values: dict[str, dict[str, np.ndarray]],
    truth: dict[str, np.ndarray],
    files: np.ndarray | None = None,
) -> ColorScores:
    """Makes the table of columns.

    Args:
        names: list of N str, the pictures.
        classes: list of N str, what they show.
        values: dict from the name of a method to a dict from each of `KEYS`
            to a float array [N].
        truth: dict from each of `TRUE_KEYS` to a float array [N].
        files: int array [N] or None; see `ColorScores`.

    Returns:
        ColorScores.
    """
    rows = [
        (place, method, key, value, label)
        for method, found in {compare.TRUE: truth, **values}.items()
        for key, column in found.items()
        for place, (label, value) in enumerate(
            zip(classes, column, strict=True)
        )
    ]
    return ColorScores(compare.long_table(rows, ("class",)), names, files)


def yellowness(ab: tf.Tensor) -> dict[str, tf.Tensor]:
    """Measures how yellow pictures are.

    Args:
        ab: float32 tensor [..., H, W, 2], CIELAB.

    Returns:
        dict from each of `TRUE_KEYS` to a float32 tensor [...].
    """
    b = tf.convert_to_tensor(ab)[..., 1]
    yellow = tf.cast(b > YELLOW_B, tf.float32)
    return {
        MEAN_B: tf.reduce_mean(b, axis=[-2, -1]),
        YELLOW: tf.reduce_mean(yellow, axis=[-2, -1]),
    }


def mse_of_rmse(ab_rmse: np.ndarray) -> np.ndarray:
    """Returns the study's loss from the ab RMSE in CIELAB units."""
    return (ab_rmse / scaling.AB_RANGE) ** 2


def score_model(
    model: keras.Model,
    dataset: tf.data.Dataset,
    class_names: tuple[str, ...],
    *,
    method: str,
) -> ColorScores:
    """Scores what a network predicts, at its own size and as it is.

    Args:
        model: keras.Model with the output "ab".
        dataset: Dataset of (inputs, {"ab": float32 [B, S, S, 2], "label":
            int64 [B], "name": string [B]}).
        class_names: tuple of str.
        method: str, name of the model.

    Returns:
        ColorScores of one method.
    """

    @tf.function
    def measure(inputs, ab_true):
        ab = tf.cast(model(inputs, training=False)["ab"], tf.float32)
        error = (ab - ab_true) / scaling.AB_RANGE
        mse = tf.reduce_mean(tf.square(error), axis=[1, 2, 3])
        return {MSE: mse, **yellowness(ab)}, yellowness(ab_true)

    names, classes, rows, true_rows = [], [], [], []
    for inputs, targets in dataset:
        found, true = measure(inputs, targets["ab"])
        rows.append({k: v.numpy() for k, v in found.items()})
        true_rows.append({k: v.numpy() for k, v in true.items()})
        names += [os.fsdecode(name) for name in targets["name"].numpy()]
        classes += [class_names[i] for i in targets["label"].numpy()]
    return make_scores(
        names, classes, {method: _joined(rows)}, _joined(true_rows)
    )


def _joined(rows: list[dict]) -> dict[str, np.ndarray]:
    return {
        key: np.concatenate([row[key] for row in rows]).astype(np.float64)
        for key in rows[0]
    }


def write_scores(scores: ColorScores, path: str) -> None:
    """Writes a row for every picture of the first method.

    Args:
        scores: ColorScores.
        path: str.
    """
    values = next(iter(scores.values.values()))
    columns = [scores.names, scores.classes, *(values[key] for key in KEYS)]
    columns += [scores.truth[key] for key in TRUE_KEYS]
    rows = [
        dict(zip(_HEADER, row, strict=True))
        for row in zip(*columns, strict=True)
    ]
    text = results.csv_text(rows, form="%.8g")
    atomic.write_bytes(path, text.encode(errors="backslashreplace"))


def read_scores(path: str, *, method: str) -> ColorScores:
    """Reads what `write_scores` wrote.

    Args:
        path: str.
        method: str, name of the method.

    Returns:
        ColorScores of one method.

    Raises:
        ValueError: the file is another one.
    """
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if tuple(header) != _HEADER or not rows:
        raise ValueError(
            f"Scores must be a CSV file with the columns {_HEADER}. "
            f"Received: {path!r}"
        )
    numbers = np.array([row[2:] for row in rows], float).T
    values = dict(zip(KEYS, numbers, strict=False))
    truth = dict(zip(TRUE_KEYS, numbers[len(KEYS) :], strict=True))
    return make_scores(
        [row[0] for row in rows],
        [row[1] for row in rows],
        {method: values},
        truth,
    )


def _yellowness_of(rgb: np.ndarray) -> dict[str, float]:
    """Measures a uint8 picture [H, W, 3], in bands that fit the memory."""
    height, width = rgb.shape[:2]
    sums = dict.fromkeys(TRUE_KEYS, 0.0)
    for rows in measure.row_bands(height, width):
        band = tf.cast(rgb[rows], tf.float32) / 255
        found = yellowness(lab.rgb_to_lab(band)[..., 1:])
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
        self._classes = {
            picture.index: methods.class_of(picture) for picture in truth
        }
        self._yellowness = {}
        found = set(self._classes.values())
        if len(found) < 2:
            raise ValueError(
                "The true pictures must be in at least two class folders, "
                f"right below what `truth` names. Received: {sorted(found)}"
            )

    def look(self, picture: TruePicture, rgb: dict) -> None:
        """Measures a picture; of the form of `compare`'s `save_picture`."""
        self._yellowness[picture.index] = {
            name: _yellowness_of(pixels) for name, pixels in rgb.items()
        }

    def take(self, index: int):
        """Gives away what is known of a picture, to be put elsewhere."""
        return self._yellowness.pop(index, None)

    def put(self, index: int, known) -> None:
        """Takes what was known of a picture elsewhere."""
        self._yellowness[index] = known

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
                MSE: mse_of_rmse(comparison.values[name]["ab_rmse"]),
                **{key: column(name, key) for key in TRUE_KEYS},
            }
            for name in comparison.methods()
        }
        return make_scores(
            [picture.name for picture in comparison.pictures],
            [self._classes[i] for i in indices],
            values,
            {key: column(None, key) for key in TRUE_KEYS},
            comparison.files,
        )
