"""What a classifier says of each test picture, and where its errors fall.

If a classifier took things of one color for one another, more of its errors
would fall inside the groups than chance has it. Two baselines say what chance
has: errors spread evenly over the wrong classes, and the same confusion
matrix with all groups of the same sizes.
"""

import csv
import dataclasses
import functools
import math
import os
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from tfcolor import atomic
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import packages
from tfcolor.evaluation import results
from tfcolor.pictures import foreign_files

if TYPE_CHECKING:
    import pandas

_HEADER = ("picture", "true", "predicted", "probability")
# Metrics of the long table: is the class the best guess, among the best three?
METRICS = (RIGHT, TOP3) = ("right", "top3")


@dataclasses.dataclass(frozen=True)
class ClassPredictions:
    """True and predicted classes of pictures.

    Attributes:
        names: list of N str, the pictures.
        labels: int array [N], the true classes.
        probabilities: float array [N, K].
        class_names: tuple of K str.
    """

    names: list[str]
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]

    def predicted(self) -> np.ndarray:
        """Returns the best class of each picture, int array [N]."""
        return self.probabilities.argmax(axis=-1)

    def right(self, top: int = 1) -> np.ndarray:
        """Tells which pictures have their class among the best `top`.

        Args:
            top: int, 1 or more.

        Returns:
            float64 array [N], 0 or 1.
        """
        best = np.argsort(-self.probabilities, axis=-1, kind="stable")
        return (
            (best[:, :top] == self.labels[:, None]).any(axis=-1).astype(float)
        )

    def confusion(self) -> np.ndarray:
        """Counts pictures by true (rows) and predicted class, int [K, K]."""
        matrix = np.zeros([len(self.class_names)] * 2, int)
        np.add.at(matrix, (self.labels, self.predicted()), 1)
        return matrix

    @functools.cached_property
    def table(self) -> "pandas.DataFrame":
        """The long table, a row for each picture and metric.

        Columns are "picture", its place in `names`; "class" and "predicted",
        both categorical over `class_names`; "metric", `RIGHT` or `TOP3`; and
        "value", float64, 0 or 1. Tables of several runs, one below the other,
        are a table too.
        """
        pd = packages.pandas
        true, best = (
            pd.Categorical.from_codes(codes, self.class_names)
            for codes in (self.labels, self.predicted())
        )
        beside = {"picture": range(len(self.names))}
        beside |= {"class": true, "predicted": best}
        wide = pd.DataFrame(beside | {RIGHT: self.right(), TOP3: self.right(3)})
        return wide.melt(list(beside), var_name="metric")


def by_picture(table: "pandas.DataFrame", metric: str = RIGHT) -> np.ndarray:
    """Takes each picture's mean over the runs of a table.

    Args:
        table: DataFrame, as `ClassPredictions.table`, of one or several runs
            on the same pictures.
        metric: str, `RIGHT` or `TOP3`.

    Returns:
        float64 array [N], 0..1.
    """
    rows = table[table["metric"] == metric]
    return rows.groupby("picture")["value"].mean().to_numpy()


def predict(
    model: keras.Model, dataset: tf.data.Dataset, class_names: tuple[str, ...]
) -> ClassPredictions:
    """Classifies a data set.

    Args:
        model: keras.Model with the output "logits".
        dataset: Dataset of (inputs, {"label": int64 [B], "name": string [B]}),
            as of `labelled.labelled_view`.
        class_names: tuple of str.

    Returns:
        ClassPredictions.
    """
    forward = tf.function(
        lambda inputs: tf.nn.softmax(model(inputs, training=False)["logits"])
    )
    names, labels, probabilities = [], [], []
    for inputs, targets in dataset:
        probabilities.append(forward(inputs).numpy())
        labels.append(targets["label"].numpy())
        names += [os.fsdecode(name) for name in targets["name"].numpy()]
    return ClassPredictions(
        names,
        np.concatenate(labels),
        np.concatenate(probabilities),
        tuple(class_names),
    )


def write_predictions(predictions: ClassPredictions, path: str) -> None:
    """Writes a row for every picture.

    Args:
        predictions: ClassPredictions.
        path: str.
    """
    names = predictions.class_names
    rows = [
        dict(
            zip(
                [*_HEADER, *(f"p({name})" for name in names)],
                [picture, names[label], names[best], row[best], *row],
                strict=True,
            )
        )
        for picture, label, best, row in zip(
            predictions.names,
            predictions.labels,
            predictions.predicted(),
            predictions.probabilities.astype(float),
            strict=True,
        )
    ]
    # Nine digits keep every float32: guesses stay in their order.
    text = results.csv_text(rows, form="%.9g")
    atomic.write_bytes(path, text.encode(errors="backslashreplace"))


def read_predictions(path: str) -> ClassPredictions:
    """Reads what `write_predictions` wrote.

    Args:
        path: str.

    Returns:
        ClassPredictions, with probabilities to nine digits.

    Raises:
        ValueError: the file is another one.
    """
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    class_names = tuple(cell[2:-1] for cell in header[len(_HEADER) :])
    if tuple(header[: len(_HEADER)]) != _HEADER or not class_names or not rows:
        raise ValueError(
            f"Predictions must be a CSV file that begins with {_HEADER}. "
            f"Received: {path!r}"
        )
    return ClassPredictions(
        [row[0] for row in rows],
        np.array([class_names.index(row[1]) for row in rows]),
        np.array([row[len(_HEADER) :] for row in rows], float),
        class_names,
    )


GROUPS_FILE = "color_groups.json"
# Other groups are tried one and all up to this number, and drawn above it.
_MAX_GROUPINGS = 20_000
_SEED = 0


@dataclasses.dataclass(frozen=True)
class GroupErrors:
    """Where the errors of a classifier fall.

    Attributes:
        errors: int, of all pictures.
        inside: int, of them, those whose true and predicted class are of one
            group.
        share: float, `inside / errors`; NaN without errors, as all below.
        low: float, lower end of its 95 % bootstrap interval over pictures
            that have errors; NaN where only one has.
        high: float, the upper end.
        even_share: float, the share if each error went to any wrong class
            with the same chance.
        regrouped_share: float, the mean share over all ways to make groups
            of the same sizes, the real one among them.
        p_value: float, part of those ways with at least the share found.
    """

    errors: int = 0
    inside: int = 0
    share: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    even_share: float = float("nan")
    regrouped_share: float = float("nan")
    p_value: float = float("nan")


def read_groups(
    folder: str, class_names: tuple[str, ...]
) -> dict[str, str] | None:
    """Reads the color groups of a data set.

    Args:
        folder: str, of the data set, perhaps with `color_groups.json`: a dict
            from the name of a class to that of its group.
        class_names: tuple of str.

    Returns:
        dict from each class to its group; None if there is no such file.

    Raises:
        ValueError: the file is not such a dict, or lacks a class.
    """
    path = os.path.join(folder, GROUPS_FILE)
    if not os.path.isfile(path):
        return None
    try:
        groups = foreign_files.read_json(path)
    except ValueError as error:
        raise ValueError(
            f"{GROUPS_FILE} must be JSON. Received: {path!r} ({error})"
        ) from error
    known = groups if isinstance(groups, dict) else {}
    missing = [name for name in class_names if name not in known]
    if not isinstance(groups, dict) or missing:
        raise ValueError(
            f"{GROUPS_FILE} must give the group of every class. "
            f"Received: {path!r} without {missing}"
        )
    return {name: str(groups[name]) for name in class_names}


def group_order(
    class_names: tuple[str, ...], groups: dict[str, str] | None
) -> list[int]:
    """Orders classes so that those of a group are together.

    Args:
        class_names: tuple of str.
        groups: dict from class to group, or None.

    Returns:
        list of int, places in `class_names`.
    """
    places = range(len(class_names))
    if groups is None:
        return list(places)
    return sorted(places, key=lambda i: (groups[class_names[i]], i))


def group_errors(
    table: "pandas.DataFrame", groups: dict[str, str]
) -> GroupErrors:
    """Counts errors inside and between groups, of one or several runs.

    Args:
        table: DataFrame, as `ClassPredictions.table`, of one or several runs
            on the same pictures.
        groups: dict from class to group.

    Returns:
        GroupErrors of all runs' errors together.
    """
    is_wrong = table["class"] != table["predicted"]
    wrong = table[is_wrong & (table["metric"] == RIGHT)]
    if wrong.empty:
        return GroupErrors()
    names = sorted(set(groups.values()))
    class_names = wrong["class"].cat.categories
    group = np.array([names.index(groups[name]) for name in class_names])
    true, best = (wrong[key].cat.codes for key in ("class", "predicted"))
    # A picture's errors of all runs are drawn together: runs that agree tell
    # nothing more.
    inside = wrong.assign(inside=group[true] == group[best])
    counts = inside.groupby("picture")["inside"].agg(["sum", "count"])
    share = results.estimate(hue_shares.pooled, *counts.to_numpy(dtype=float).T)
    sizes = np.bincount(group)
    even = (sizes[group[true]] - 1) / (len(group) - 1)
    shares = _shares_of_groupings(true, best, group)
    return GroupErrors(
        errors=len(wrong),
        inside=int(counts["sum"].sum()),
        share=share.value,
        low=share.low,
        high=share.high,
        even_share=float(even.mean()),
        regrouped_share=float(shares.mean()),
        # Less than one error, against rounding.
        p_value=float((shares >= share.value - 0.5 / len(wrong)).mean()),
    )


def _shares_of_groupings(true, best, group) -> np.ndarray:
    """The share inside for every grouping with groups of the same sizes."""
    count = len(group)
    errors = np.zeros([count, count])
    np.add.at(errors, (true, best), 1)
    groupings = _groupings(group)
    members = groupings[:, None, :] == np.arange(group.max() + 1)[None, :, None]
    members = members.astype(float)
    inside = np.einsum("pgi,ij,pgj->p", members, errors, members, optimize=True)
    return inside / errors.sum()


def _groupings(group: np.ndarray) -> np.ndarray:
    sizes = np.bincount(group)
    number = math.factorial(len(group))
    for size in sizes:
        number //= math.factorial(int(size))
    if number <= _MAX_GROUPINGS:
        return np.array(list(_arrangements(list(sizes), len(group))))
    rng = np.random.default_rng(_SEED)
    drawn = [rng.permutation(group) for _ in range(_MAX_GROUPINGS - 1)]
    return np.array([group, *drawn])


def _arrangements(left: list[int], length: int):
    """Yields every order of `left[g]` items of each kind g."""
    if not length:
        yield []
        return
    for kind, count in enumerate(left):
        if count:
            left[kind] -= 1
            for rest in _arrangements(left, length - 1):
                yield [kind, *rest]
            left[kind] += 1
