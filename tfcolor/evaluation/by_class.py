"""Losses class by class, and how methods differ from the first one.

All differences are paired: of the same pictures, resampled together.
"""

import dataclasses

import numpy as np

from tfcolor.evaluation import aggregate
from tfcolor.evaluation import color_scores
from tfcolor.evaluation.color_scores import ColorScores


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
    differences: dict[str, aggregate.Estimate]


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

    loss: aggregate.Estimate
    improved: int
    surely_improved: int
    surely_worse: int
    classes: int


def _mean(column):
    return column.mean(axis=-1)


def _relative(first, other):
    return other.mean(axis=-1) / first.mean(axis=-1) - 1


def relative_change(first: np.ndarray, other: np.ndarray) -> aggregate.Estimate:
    """Estimates how a loss differs from another one of the same pictures.

    Args:
        first: float64 array [N].
        other: float64 array [N].

    Returns:
        Estimate of the mean of `other` over that of `first`, minus 1.
    """
    return aggregate.estimate(_relative, first, other)


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
    losses = {n: v[color_scores.MSE] for n, v in scores.values.items()}
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
                {
                    m: aggregate.estimate(_mean, own[m] - own[first])
                    for m in others
                },
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
    losses = {n: v[color_scores.MSE] for n, v in scores.values.items()}
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


def yellowness(scores: ColorScores) -> dict[str, dict[str, tuple]]:
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
                aggregate.estimate(_mean, values[key]),
                aggregate.estimate(_mean, values[key] - scores.truth[key]),
            )
            for key in color_scores.TRUE_KEYS
        }
        for name, values in scores.values.items()
    }
