"""The figures of a classifier: curves, confusion matrix, pictures."""

import dataclasses
import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfcolor.evaluation.class_predictions import ClassPredictions

_RAW, _SMOOTH, _HELD_OUT = "#a9c8de", "#0072B2", "#D55E00"
_INK, _RIGHT, _WRONG = "#1d1d1f", "#0a7a3f", "#b3261e"
_DPI = 110
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


def png(figure: Figure) -> bytes:
    """Draws a figure as the bytes of a PNG file."""
    FigureCanvasAgg(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()


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
    """Draws predicted colour, grey and original of pictures side by side.

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
            cells, ("predicted colour", "grey", "original"), strict=True
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
