"""How well labelled pictures are colorized, picture by picture.

The loss is that of the study of ensembles with AlexNet features (se-jaeger,
"Image Colorization"): the mean over pixels and both channels of the squared
difference of (ab + 128) / 255. Its claim that the ensemble leaves out yellow
is measured by the mean of b and the share of pixels with b > 20.
"""

import csv
import dataclasses
import io
import os

import keras
import numpy as np
import tensorflow as tf

from tfcolor.color import scaling
from tfcolor.data import encode

MSE, MEAN_B, YELLOW = "mse", "mean_b", "yellow_share"
KEYS = (MSE, MEAN_B, YELLOW)
TRUE_KEYS = (MEAN_B, YELLOW)
# CIELAB; above it a pixel counts as yellow.
YELLOW_B = 20.0
_HEADER = ("picture", "class", *KEYS, *(f"true_{key}" for key in TRUE_KEYS))


@dataclasses.dataclass(frozen=True)
class ColorScores:
    """The numbers of methods on labelled pictures.

    Attributes:
        names: list of N str, the pictures.
        classes: list of N str, what they show.
        values: dict from the name of a method to a dict from each of `KEYS`
            to a float64 array [N]. Differences are from the first method.
        truth: dict from each of `TRUE_KEYS` to a float64 array [N].
    """

    names: list[str]
    classes: list[str]
    values: dict[str, dict[str, np.ndarray]]
    truth: dict[str, np.ndarray]


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
    return ColorScores(
        names, classes, {method: _joined(rows)}, _joined(true_rows)
    )


def _joined(rows: list[dict]) -> dict[str, np.ndarray]:
    return {
        key: np.concatenate([row[key] for row in rows]).astype(np.float64)
        for key in rows[0]
    }


def write_csv(scores: ColorScores, path: str) -> None:
    """Writes a row for every picture of the first method.

    Args:
        scores: ColorScores.
        path: str.
    """
    values = next(iter(scores.values.values()))
    columns = [values[key] for key in KEYS]
    columns += [scores.truth[key] for key in TRUE_KEYS]
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_HEADER)
    for name, label, *numbers in zip(
        scores.names, scores.classes, *columns, strict=True
    ):
        writer.writerow([name, label, *(f"{n:.8g}" for n in numbers)])
    encode.write_atomically(
        path, file.getvalue().encode(errors="backslashreplace")
    )


def read_csv(path: str, *, method: str) -> ColorScores:
    """Reads what `write_csv` wrote.

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
    return ColorScores(
        [row[0] for row in rows],
        [row[1] for row in rows],
        {method: values},
        truth,
    )
