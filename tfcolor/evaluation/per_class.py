"""Losses class by class, and how methods differ from the first one.

All differences are paired: of the same pictures, resampled together.
"""

import dataclasses

import numpy as np

from tfcolor.evaluation import color_scores
from tfcolor.evaluation import results
from tfcolor.evaluation.color_scores import ColorScores

# Intervals of a class of fewer are too narrow to be sure of anything.
ENOUGH_FILES = 10


@dataclasses.dataclass(frozen=True)
class ClassRow:
    """The loss of one class.

    Attributes:
        name: str.
        pictures: int.
        files: int. Of how many files they are.
        means: dict from the name of a method to its mean loss.
        deviations: dict from the name of a method to the standard deviation
            of its loss over pictures; NaN for one picture.
        differences: dict from the name of each method but the first to the
            Estimate of the mean difference from the first.
    """

    name: str
    pictures: int
    files: int
    means: dict[str, float]
    deviations: dict[str, float]
    differences: dict[str, results.Estimate]


@dataclasses.dataclass(frozen=True)
class Change:
    """How a method differs from the first one, over all pictures.

    Attributes:
        loss: Estimate of its mean loss over the first's, minus 1.
        improved: int, classes with a lower mean loss.
        surely_improved: int, of them, those of at least `ENOUGH_FILES` files
            whose interval is all below 0.
        surely_worse: int, such classes whose interval is all above 0.
        classes: int, of all.
    """

    loss: results.Estimate
    improved: int
    surely_improved: int
    surely_worse: int
    classes: int


def _relative(first, other):
    return other.mean(axis=-1) / first.mean(axis=-1) - 1


def relative_change(
    first: np.ndarray, other: np.ndarray, groups: np.ndarray | None = None
) -> results.Estimate:
    """Estimates how a loss differs from another one of the same pictures.

    Args:
        first: float64 array [N].
        other: float64 array [N].
        groups: int array [N] or None; see `results.interval`.

    Returns:
        Estimate of the mean of `other` over that of `first`, minus 1.
    """
    return results.estimate(_relative, first, other, groups=groups)


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
    losses = scores.losses
    first, *others = losses
    files = scores.files
    if files is None:
        files = np.arange(len(classes))
    rows = []
    for name in sorted(set(scores.classes)):
        chosen = classes == name
        own = {m: loss[chosen] for m, loss in losses.items()}
        rows.append(
            ClassRow(
                name,
                len(own[first]),
                len(set(files[chosen])),
                {m: float(loss.mean()) for m, loss in own.items()},
                {m: deviation(loss) for m, loss in own.items()},
                {
                    m: results.mean(own[m] - own[first], files[chosen])
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
    losses = scores.losses
    first, *others = losses
    result = {}
    for name in others:
        found = [row.differences[name] for row in rows]
        sure = [
            row.differences[name] for row in rows if row.files >= ENOUGH_FILES
        ]
        result[name] = Change(
            relative_change(losses[first], losses[name], scores.files),
            sum(d.value < 0 for d in found),
            sum(d.high < 0 for d in sure),
            sum(d.low > 0 for d in sure),
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
                results.mean(values[key], scores.files),
                results.mean(values[key] - scores.truth[key], scores.files),
            )
            for key in color_scores.TRUE_KEYS
        }
        for name, values in scores.values.items()
    }


TITLE = "Loss by class"
# Losses are shown in thousandths, as the study does.
_SCALE = 1000
_ALL = "all pictures"


def _mean_and_deviation(mean, spread) -> str:
    """Writes "2.10 (0.40)"; a dash for the deviation of one picture."""
    spread = results.format_estimate(results.Estimate(_SCALE * spread), 2)
    return f"{_SCALE * mean:.2f} ({spread})"


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
            _mean_and_deviation(row.means[m], row.deviations[m])
            for m in scores.values
        ]
        cells += [
            results.format_estimate(
                row.differences[m].scaled(_SCALE), 3, sign=True
            )
            for m in others
        ]
        table.append(cells)
    losses = scores.losses
    total = [_ALL, str(len(scores.names))]
    total += [
        _mean_and_deviation(loss.mean(), deviation(loss))
        for loss in losses.values()
    ]
    for name in others:
        difference = results.mean(losses[name] - losses[first], scores.files)
        total.append(
            results.format_estimate(difference.scaled(_SCALE), 3, sign=True)
        )
    return [*table, total]


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
                results.percent(change.loss, 2, sign=True),
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
    limit = f"{color_scores.YELLOW_B:.0f}"
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
        for key, factor in zip(color_scores.TRUE_KEYS, (1, 100), strict=True):
            for estimate, sign in zip(found[key], (False, True), strict=True):
                cells.append(
                    results.format_estimate(
                        estimate.scaled(factor), 2, sign=sign
                    )
                )
        table.append(cells)
    mean_b, share = (scores.truth[k].mean() for k in color_scores.TRUE_KEYS)
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
        delivered: bool. Whether the colors are those of the 8-bit pictures,
            or the network's own.

    Returns:
        list of str.
    """
    whose = (
        "of the delivered 8-bit pictures, whose colors are inside sRGB"
        if delivered
        else "of the network's own output at its own size"
    )
    return [
        "Loss by class: mean squared difference of (ab + 128) / 255 x 1000, "
        f"the loss of the study, {whose}; SD over pictures. Differences are "
        "paired, with 95 % bootstrap intervals over the pictures of a class.",
        "No correction is made for the number of classes: of 20 intervals "
        "about one misses by chance. Classes of fewer than "
        f"{ENOUGH_FILES} pictures count neither below nor above 0.",
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
