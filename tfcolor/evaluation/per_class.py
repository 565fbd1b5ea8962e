"""How well labelled pictures are colorized, class by class.

The loss is that of the study of ensembles with AlexNet features (se-jaeger,
"Image Colorization"): the mean over pixels and both channels of the squared
difference of (ab + 128) / 255. Its claim that the ensemble leaves out yellow
is measured by the mean of b and the share of pixels with b > 20. All
differences are paired: of the same pictures, resampled together.
"""

import csv
import dataclasses
import os

import keras
import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.color import scaling
from tfcolor.data import encode
from tfcolor.evaluation import measure
from tfcolor.evaluation import methods
from tfcolor.evaluation import results
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.methods import TruePicture

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
    encode.write_atomically(path, text.encode(errors="backslashreplace"))


def read_scores(path: str, *, method: str) -> ColorScores:
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
                f"right below what --truth names. Received: {sorted(found)}"
            )

    def look(self, picture: TruePicture, rgb: dict) -> None:
        """Measures a picture; of the form of `compare`'s `save_picture`."""
        self._yellowness[picture.index] = {
            name: _yellowness_of(pixels) for name, pixels in rgb.items()
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
                MSE: mse_of_rmse(comparison.values[name]["ab_rmse"]),
                **{key: column(name, key) for key in TRUE_KEYS},
            }
            for name in comparison.methods()
        }
        return ColorScores(
            [picture.name for picture in comparison.pictures],
            [self._classes[i] for i in indices],
            values,
            {key: column(None, key) for key in TRUE_KEYS},
        )


@dataclasses.dataclass(frozen=True)
class ClassRow:
    """The loss of one class.

    Attributes:
        name: str.
        pictures: int.
        means: dict from the name of a method to its mean loss.
        deviations: dict from the name of a method to the standard deviation
            of its loss over pictures; NaN for one picture.
        differences: dict from the name of each method but the first to the
            Estimate of the mean difference from the first.
    """

    name: str
    pictures: int
    means: dict[str, float]
    deviations: dict[str, float]
    differences: dict[str, results.Estimate]


@dataclasses.dataclass(frozen=True)
class Change:
    """How a method differs from the first one, over all pictures.

    Attributes:
        loss: Estimate of its mean loss over the first's, minus 1.
        improved: int, classes with a lower mean loss.
        surely_improved: int, of them, those whose interval is all below 0.
        surely_worse: int, classes whose interval is all above 0.
        classes: int, of all.
    """

    loss: results.Estimate
    improved: int
    surely_improved: int
    surely_worse: int
    classes: int


def _relative(first, other):
    return other.mean(axis=-1) / first.mean(axis=-1) - 1


def relative_change(first: np.ndarray, other: np.ndarray) -> results.Estimate:
    """Estimates how a loss differs from another one of the same pictures.

    Args:
        first: float64 array [N].
        other: float64 array [N].

    Returns:
        Estimate of the mean of `other` over that of `first`, minus 1.
    """
    return results.estimate(_relative, first, other)


def deviation(values: np.ndarray) -> float:
    """Returns the standard deviation of a sample; NaN for one value."""
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def class_rows(scores: ColorScores) -> list[ClassRow]:
    """Makes the row of every class, in alphabetical order.

    Args:
        scores: ColorScores of at least one picture.

    Returns:
        list of ClassRow.
    """
    classes = np.array(scores.classes)
    losses = {n: v[MSE] for n, v in scores.values.items()}
    first, *others = losses
    rows = []
    for name in sorted(set(scores.classes)):
        own = {m: loss[classes == name] for m, loss in losses.items()}
        rows.append(
            ClassRow(
                name,
                len(own[first]),
                {m: float(loss.mean()) for m, loss in own.items()},
                {m: deviation(loss) for m, loss in own.items()},
                {m: results.mean(own[m] - own[first]) for m in others},
            )
        )
    return rows


def changes(scores: ColorScores, rows: list[ClassRow]) -> dict[str, Change]:
    """Sums up how methods differ from the first one.

    Args:
        scores: ColorScores.
        rows: list of ClassRow, of `class_rows`.

    Returns:
        dict from the name of each method but the first to its Change.
    """
    losses = {n: v[MSE] for n, v in scores.values.items()}
    first, *others = losses
    result = {}
    for name in others:
        found = [row.differences[name] for row in rows]
        result[name] = Change(
            relative_change(losses[first], losses[name]),
            sum(d.value < 0 for d in found),
            sum(d.high < 0 for d in found),
            sum(d.low > 0 for d in found),
            len(rows),
        )
    return result


def yellowness_beside_truth(scores: ColorScores) -> dict[str, dict[str, tuple]]:
    """Estimates how yellow methods are beside the truth.

    Args:
        scores: ColorScores.

    Returns:
        dict from the name of a method to a dict from each of
        `color_scores.TRUE_KEYS` to two Estimates: of the mean, and of the
        mean difference from the truth, paired.
    """
    return {
        name: {
            key: (
                results.mean(values[key]),
                results.mean(values[key] - scores.truth[key]),
            )
            for key in TRUE_KEYS
        }
        for name, values in scores.values.items()
    }


TITLE = "Loss by class"
# Losses are shown in thousandths, as the study does.
_SCALE = 1000
_ALL = "all pictures"


def _scaled(estimate, factor) -> results.Estimate:
    return results.Estimate(
        estimate.value * factor, estimate.low * factor, estimate.high * factor
    )


def loss_table(scores: ColorScores, rows: list[ClassRow]) -> list[list[str]]:
    """Builds the table of losses.

    Args:
        scores: ColorScores.
        rows: list of ClassRow.

    Returns:
        list of rows of str, the header first, all pictures last.
    """
    first, *others = scores.values
    header = ["class", "pictures"]
    header += [f"{name}: mean (SD)" for name in scores.values]
    header += [f"{name} minus {first}" for name in others]
    table = [header]
    for row in rows:
        cells = [row.name, str(row.pictures)]
        cells += [
            f"{_SCALE * row.means[m]:.2f} ({_SCALE * row.deviations[m]:.2f})"
            for m in scores.values
        ]
        cells += [
            results.format_estimate(
                _scaled(row.differences[m], _SCALE), 3, sign=True
            )
            for m in others
        ]
        table.append(cells)
    losses = {n: v[MSE] for n, v in scores.values.items()}
    total = [_ALL, str(len(scores.names))]
    total += [
        f"{_SCALE * loss.mean():.2f} ({_SCALE * deviation(loss):.2f})"
        for loss in losses.values()
    ]
    for name in others:
        difference = results.mean(losses[name] - losses[first])
        total.append(
            results.format_estimate(_scaled(difference, _SCALE), 3, sign=True)
        )
    return [*table, total]


def percent(change: results.Estimate) -> str:
    """Writes a relative change in percent.

    Args:
        change: aggregate.Estimate, as of `by_class.relative_change`.

    Returns:
        str, such as "-6.22 [-7.93, -4.54]".
    """
    return results.format_estimate(_scaled(change, 100), 2, sign=True)


def change_table(scores: ColorScores, rows: list[ClassRow]) -> list[list[str]]:
    """Builds the table of how methods differ from the first one.

    Args:
        scores: ColorScores of at least two methods.
        rows: list of ClassRow.

    Returns:
        list of rows of str, the header first.
    """
    first = next(iter(scores.values))
    table = [
        [
            f"against {first}",
            "change of the loss, %",
            "classes improved",
            "interval below 0",
            "interval above 0",
        ]
    ]
    for name, change in changes(scores, rows).items():
        table.append(
            [
                name,
                percent(change.loss),
                f"{change.improved} of {change.classes}",
                str(change.surely_improved),
                str(change.surely_worse),
            ]
        )
    return table


def yellowness_table(scores: ColorScores) -> list[list[str]]:
    """Builds the table of how yellow pictures are.

    Args:
        scores: ColorScores.

    Returns:
        list of rows of str, the header first, the truth last.
    """
    limit = f"{YELLOW_B:.0f}"
    table = [
        [
            "method",
            "mean b",
            "minus truth",
            f"pixels with b > {limit}, %",
            "minus truth, points",
        ]
    ]
    for name, found in yellowness_beside_truth(scores).items():
        cells = [name]
        for key, factor in zip(TRUE_KEYS, (1, 100), strict=True):
            for estimate, sign in zip(found[key], (False, True), strict=True):
                cells.append(
                    results.format_estimate(
                        _scaled(estimate, factor), 2, sign=sign
                    )
                )
        table.append(cells)
    mean_b, share = (scores.truth[k].mean() for k in TRUE_KEYS)
    table.append(
        [results.TRUTH, f"{mean_b:.2f}", "0", f"{100 * share:.2f}", "0"]
    )
    return table


def tables(scores: ColorScores) -> list[tuple[str, list[list[str]]]]:
    """Builds all tables.

    Args:
        scores: ColorScores of at least one picture.

    Returns:
        list of (heading, rows).
    """
    rows = class_rows(scores)
    found = [(TITLE, loss_table(scores, rows))]
    if len(scores.values) > 1:
        found.append(("Change of the loss", change_table(scores, rows)))
    return [*found, ("Yellowness", yellowness_table(scores))]


def notes(*, delivered: bool) -> list[str]:
    """Says what the numbers are.

    Args:
        delivered: bool. Whether the colours are those of the 8-bit pictures,
            or the network's own.

    Returns:
        list of str.
    """
    whose = (
        "of the delivered 8-bit pictures, whose colours are inside sRGB"
        if delivered
        else "of the network's own output at its own size"
    )
    return [
        "Loss by class: mean squared difference of (ab + 128) / 255 x 1000, "
        f"the loss of the study, {whose}; SD over pictures. Differences are "
        "paired, with 95 % bootstrap intervals over the pictures of a class.",
        "No correction is made for the number of classes: of 20 intervals "
        "about one misses by chance.",
    ]


def markdown(scores: ColorScores, *, heading: str, delivered: bool) -> str:
    """Writes all tables.

    Args:
        scores: ColorScores of at least two pictures.
        heading: str.
        delivered: bool; see `notes`.

    Returns:
        str.
    """
    parts = [f"## {heading}"]
    for title, rows in tables(scores):
        parts += [f"### {title}", results.markdown_table(rows)]
    parts.append("\n".join(f"- {n}" for n in notes(delivered=delivered)))
    return "\n\n".join(parts) + "\n"


def csv_text(scores: ColorScores) -> str:
    """Writes a row for every class and method.

    Args:
        scores: ColorScores.

    Returns:
        str.
    """
    rows = []
    for row in class_rows(scores):
        for method in scores.values:
            found = row.differences.get(method, results.Estimate(0.0))
            rows.append(
                {
                    "class": row.name,
                    "pictures": row.pictures,
                    "method": method,
                    "mean_mse": row.means[method],
                    "deviation": row.deviations[method],
                    "difference": found.value,
                    "difference_low": found.low,
                    "difference_high": found.high,
                }
            )
    return results.csv_text(rows, missing="")
