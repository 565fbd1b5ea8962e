"""The bar chart of losses class by class."""

import numpy as np
from matplotlib.figure import Figure

from tfcolor.evaluation import by_class
from tfcolor.evaluation import method_names
from tfcolor.evaluation.color_scores import ColorScores

# Okabe and Ito's colours, told apart by most colour-blind people.
_COLORS = ("#8a8a8a", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00")
_SCALE = 1000


def draw(scores: ColorScores) -> Figure:
    """Draws each class's loss, and below it the differences from the first.

    Args:
        scores: ColorScores of at least two pictures.

    Returns:
        Figure; the lines on the differences are 95 % intervals.
    """
    rows = by_class.class_rows(scores)
    methods = list(scores.values)
    several = len(methods) > 1
    width = max(6.0, 1.2 + 0.28 * len(rows) * (1 + len(methods)))
    figure = Figure(
        figsize=(width, 7.2 if several else 4), layout="constrained"
    )
    top, *below = np.atleast_1d(figure.subplots(1 + several, 1, sharex=True))
    places = np.arange(len(rows))
    bar = 0.8 / len(methods)
    for i, method in enumerate(methods):
        top.bar(
            places + (i - (len(methods) - 1) / 2) * bar,
            [_SCALE * row.means[method] for row in rows],
            bar,
            color=_COLORS[i % len(_COLORS)],
            label=method_names.short(method),
        )
    top.set(ylabel="mean squared error x 1000")
    top.set_ylim(0, top.get_ylim()[1] * 1.15)
    letters = sum(len(method_names.short(name)) for name in methods)
    # About twelve of them to an inch.
    columns = len(methods) if letters < 12 * (width - 1) else 1
    top.legend(frameon=False, ncols=columns, fontsize="small")
    for axes in below:
        _draw_differences(axes, rows, methods, places)
    last = below[-1] if below else top
    last.set_xticks(places, [row.name for row in rows], rotation=45, ha="right")
    for axes in (top, *below):
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def _draw_differences(axes, rows, methods, places) -> None:
    first, *others = methods
    bar = 0.8 / len(others)
    for i, method in enumerate(others):
        found = [row.differences[method] for row in rows]
        values = np.array([_SCALE * d.value for d in found])
        ends = np.array([[d.low, d.high] for d in found]).T * _SCALE
        x = places + (i - (len(others) - 1) / 2) * bar
        color = _COLORS[(i + 1) % len(_COLORS)]
        axes.bar(x, values, bar, color=color)
        # One picture has no interval.
        there = np.isfinite(ends).all(axis=0)
        axes.vlines(x[there], *ends[:, there], color="#1d1d1f", lw=1)
    axes.axhline(0, color="#1d1d1f", lw=0.8)
    axes.set(ylabel=f"minus {method_names.short(first)}")
