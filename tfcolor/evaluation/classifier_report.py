"""The report of a classifier: tables and figures in a folder.

report.md           accuracy, errors by color group, a row for every class
classes.csv         the same rows
predictions.csv     a row for every picture
curves.png          accuracy and loss of the run, raw and smoothed
confusion.png       confusion matrix, ordered by color group
examples.png        predicted color | grey | original, if there is a colorizer
summary.json        accuracy and its interval; written last
"""

import dataclasses
import json
import os
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from tfcolor import atomic
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import packages
from tfcolor.evaluation import plots
from tfcolor.evaluation import results
from tfcolor.evaluation.class_predictions import ClassPredictions
from tfcolor.evaluation.class_predictions import GroupErrors

if TYPE_CHECKING:
    import pandas


def class_rows(
    predictions: ClassPredictions, groups: dict[str, str] | None, order: list
) -> "pandas.DataFrame":
    """Makes the row of every class.

    Args:
        predictions: ClassPredictions.
        groups: dict from class to group, or None.
        order: list of int, places of the classes.

    Returns:
        DataFrame, in this order, with the columns "name"; "group", empty
        without groups; "pictures", how many; "recall", part of them that is
        recognized, NaN without pictures; "precision", part of what is called
        so that is right, NaN if nothing is; "mistaken_for", the wrong class
        most pictures go to, and how many, empty if none does.
    """
    matrix, names = predictions.confusion(), predictions.class_names
    right = matrix.diagonal()
    wrong = matrix - np.diag(right)
    rows = packages.pandas.DataFrame(
        {
            "name": names,
            "group": [groups[name] if groups else "" for name in names],
            "pictures": matrix.sum(axis=1),
            "recall": right,
            "precision": right,
            "mistaken_for": [
                f"{names[row.argmax()]} ({row.max()})" if row.any() else ""
                for row in wrong
            ],
        }
    )
    rows["recall"] /= rows["pictures"]
    rows["precision"] /= matrix.sum(axis=0)
    return rows.iloc[order]


def accuracy(
    table: "pandas.DataFrame", metric: str = class_predictions.RIGHT
) -> results.Estimate:
    """Returns the part of pictures that is right, with its interval.

    Args:
        table: DataFrame, as `ClassPredictions.table`, of one or several runs
            on the same pictures: each picture's mean over them is drawn.
        metric: str, `class_predictions.RIGHT` or `TOP3`.

    Returns:
        Estimate.
    """
    return results.mean(class_predictions.by_picture(table, metric))


def p_text(p_value: float) -> str:
    """Writes a p value: "0.027", or "< 0.001", as it is never 0."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def group_sentence(errors: GroupErrors) -> str:
    """Says where errors fall, beside what chance has it."""
    if not errors.errors:
        return "No errors."
    share = results.Estimate(errors.share, errors.low, errors.high)
    return (
        f"{errors.inside} of {errors.errors} errors stay inside a color "
        f"group: {results.percent(share)} %. Spread evenly over the wrong "
        f"classes it would be {100 * errors.even_share:.1f} %. Over all ways "
        "to make groups of the same sizes, this one among them, it is "
        f"{100 * errors.regrouped_share:.1f} % on average; p, the part of them "
        f"with as much or more: {p_text(errors.p_value)}."
    )


def markdown(
    predictions: ClassPredictions,
    rows: "pandas.DataFrame",
    errors: GroupErrors | None,
    *,
    part: str,
) -> str:
    """Writes the summary of a classifier.

    Args:
        predictions: ClassPredictions.
        rows: DataFrame, of `class_rows`.
        errors: GroupErrors or None.
        part: str, what the pictures are, such as "test".

    Returns:
        str.
    """
    top1, top3 = (
        results.percent(accuracy(predictions.table, metric))
        for metric in class_predictions.METRICS
    )
    lines = [
        f"# {len(predictions.names)} {part} pictures of "
        f"{len(predictions.class_names)} classes",
        "",
        f"Right: {top1} %; among the best three: {top3} %. In brackets: 95 % "
        "bootstrap intervals over pictures.",
        "",
    ]
    if errors is not None:
        lines += [group_sentence(errors), ""]
    lines += [
        "| class | color group | pictures | recall % | precision % | most "
        "mistaken for |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows.itertuples():
        lines.append(
            f"| {row.name} | {row.group or '–'} | {row.pictures} | "
            f"{_percent(row.recall)} | {_percent(row.precision)} | "
            f"{row.mistaken_for or '–'} |"
        )
    return "\n".join(lines) + "\n"


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f}"


_RAW, _SMOOTH, _HELD_OUT = "#a9c8de", "#0072B2", "#D55E00"
_INK, _RIGHT, _WRONG = "#1d1d1f", "#0a7a3f", "#b3261e"
# A smoothed value is the mean of about this part of all steps.
_WINDOW = 1 / 25


@dataclasses.dataclass(frozen=True)
class Example:
    """A test picture in the figure of examples.

    Attributes:
        rgb: uint8 array [H, W, 3], as it is.
        grey: uint8 array [H, W, 3].
        colorized: uint8 array [H, W, 3], from its lightness alone.
        true: str, its class.
        predicted: str, what the classifier says.
        probability: float, of that.
    """

    rgb: np.ndarray
    grey: np.ndarray
    colorized: np.ndarray
    true: str
    predicted: str
    probability: float


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Takes the mean of each value and those around it.

    Args:
        values: float array [N].
        window: int, how many; fewer at the ends.

    Returns:
        float array [N].
    """
    kernel = np.ones(max(1, min(window, len(values))))
    return np.convolve(values, kernel, "same") / np.convolve(
        np.ones(len(values)), kernel, "same"
    )


def draw_curves(rows: list[dict[str, float]]) -> Figure:
    """Draws accuracy and loss of a run, raw and smoothed.

    Args:
        rows: list of dicts, as of `RunFolder.read_metrics`.

    Returns:
        Figure.
    """
    figure = Figure(figsize=(11, 4), layout="constrained")
    for axes, name, label, factor in zip(
        figure.subplots(1, 2),
        ("accuracy", "loss"),
        ("accuracy, %", "cross entropy, nats"),
        (100, 1),
        strict=True,
    ):
        points = np.array([(r["step"], r[name]) for r in rows if name in r])
        if len(points):
            steps, values = points[:, 0], points[:, 1] * factor
            window = max(1, round(len(values) * _WINDOW))
            axes.plot(steps, values, color=_RAW, lw=0.8, label="batch")
            axes.plot(
                steps,
                smooth(values, window),
                color=_SMOOTH,
                label=f"mean of {window} around",
            )
        name = f"validation/{name}"
        held_out = [(r["step"], r[name] * factor) for r in rows if name in r]
        if held_out:
            axes.plot(
                *zip(*held_out, strict=True),
                "o-",
                ms=4,
                color=_HELD_OUT,
                label="validation",
            )
        axes.set(xlabel="step", ylabel=label)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(frameon=False, fontsize="small")
    return figure


def draw_confusion(
    predictions: ClassPredictions,
    groups: dict[str, str] | None,
    order: list[int],
) -> Figure:
    """Draws the confusion matrix, each row in shares of its pictures.

    Args:
        predictions: ClassPredictions.
        groups: dict from class to group, or None.
        order: list of int, places of the classes.

    Returns:
        Figure; lines part the groups.
    """
    counts = predictions.confusion()[np.ix_(order, order)]
    share = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    names = [predictions.class_names[i] for i in order]
    side = 2.4 + 0.5 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            color = "white" if share[i, j] > 0.5 else _INK
            axes.text(j, i, count, ha="center", va="center", color=color)
    labels = [f"{n} ({groups[n]})" if groups else n for n in names]
    axes.set_xticks(range(len(names)), labels, rotation=60, ha="right")
    axes.set_yticks(range(len(names)), labels)
    axes.set(xlabel="predicted", ylabel="true")
    for i in range(1, len(names)):
        if groups and groups[names[i]] != groups[names[i - 1]]:
            axes.axhline(i - 0.5, color=_INK, lw=1)
            axes.axvline(i - 0.5, color=_INK, lw=1)
    return figure


def draw_examples(examples: list[Example], *, columns: int = 2) -> Figure:
    """Draws predicted color, grey and original of pictures side by side.

    Args:
        examples: list of Example, at least one.
        columns: int, examples in a row.

    Returns:
        Figure; the classes stand over each.
    """
    rows = -(-len(examples) // columns)
    figure = Figure(
        figsize=(5.6 * columns, 2.1 * rows + 0.3), layout="constrained"
    )
    grid = figure.subplots(rows, 3 * columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for i, example in enumerate(examples):
        row, column = divmod(i, columns)
        cells = grid[row, 3 * column : 3 * column + 3]
        pictures = (example.colorized, example.grey, example.rgb)
        for axes, picture in zip(cells, pictures, strict=True):
            axes.imshow(picture)
        for axes, label in zip(
            cells, ("predicted color", "grey", "original"), strict=True
        ):
            if row == 0:
                axes.text(
                    *(0.5, -0.04, label),
                    transform=axes.transAxes,
                    ha="center",
                    va="top",
                    fontsize=8,
                )
        right = example.true == example.predicted
        cells[1].set_title(
            f"true: {example.true}\npredicted: {example.predicted} "
            f"({100 * example.probability:.0f} %)",
            color=_RIGHT if right else _WRONG,
            fontsize=9,
        )
    return figure


PREDICTIONS = "predictions.csv"
SUMMARY = "summary.json"


def write_report(
    folder: str,
    predictions: ClassPredictions,
    *,
    groups: dict[str, str] | None,
    metrics: list[dict[str, float]],
    examples: list[Example],
    part: str,
) -> str:
    """Writes the report.

    Args:
        folder: str, made if absent.
        predictions: ClassPredictions of at least one picture.
        groups: dict from class to color group, or None.
        metrics: list of dicts, as of `RunFolder.read_metrics`.
        examples: list of Example, may be empty.
        part: str, what the pictures are, such as "test".

    Returns:
        str, report.md.
    """
    os.makedirs(folder, exist_ok=True)

    def write(name, data):
        atomic.write_bytes(os.path.join(folder, name), data)

    order = class_predictions.group_order(predictions.class_names, groups)
    rows = class_rows(predictions, groups, order)
    table = predictions.table
    errors = groups and class_predictions.group_errors(table, groups)
    text = markdown(predictions, rows, errors, part=part)
    write("report.md", text.encode(errors="backslashreplace"))
    write(
        "classes.csv", results.csv_text(rows).encode(errors="backslashreplace")
    )
    class_predictions.write_predictions(
        predictions, os.path.join(folder, PREDICTIONS)
    )
    figures = {
        "curves.png": draw_curves(metrics),
        "confusion.png": draw_confusion(predictions, groups, order),
    }
    if examples:
        figures["examples.png"] = draw_examples(examples)
    for name, figure in figures.items():
        write(name, plots.png(figure))
    summary = {
        "part": part,
        "pictures": len(predictions.names),
        "accuracy": dataclasses.asdict(accuracy(table)),
        "top3": dataclasses.asdict(accuracy(table, class_predictions.TOP3)),
        "color_groups": errors and dataclasses.asdict(errors),
    }
    write(SUMMARY, (json.dumps(summary, indent=2) + "\n").encode())
    return text
