"""The figures of an evaluation, all pictures together and class by class."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfcolor.evaluation import measure
from tfcolor.evaluation import per_class
from tfcolor.evaluation.color_scores import ColorScores
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.methods import short_name

# Okabe and Ito's colors, told apart by most color-blind people.
_BLUE, _LIGHT_BLUE = "#0072B2", "#56B4E9"
_OTHERS = ("#E69F00", "#009E73", "#CC79A7", "#D55E00")
_BASELINE_COLOR = "#8a8a8a"
# Text, lines and methods on each background of the page.
_THEMES = {
    "light": {
        "ink": "#1d1d1f",
        "paper": "#ffffff",
        "rule": "#d8d8dc",
        "methods": (_BLUE, *_OTHERS, _LIGHT_BLUE),
    },
    "dark": {
        "ink": "#e6e6e8",
        "paper": "#1b1c20",
        "rule": "#3b3c42",
        "methods": (_LIGHT_BLUE, *_OTHERS, _BLUE),
    },
}
_DPI = 110
# Bins of the histogram: fewer for few pictures.
_MIN_BINS = 8
_MAX_BINS = 30


def _style(axes, theme, *, title, x, y) -> None:
    axes.set_facecolor(theme["paper"])
    axes.set_title(title, color=theme["ink"], loc="left", fontsize=11)
    axes.set_xlabel(x, color=theme["ink"])
    axes.set_ylabel(y, color=theme["ink"])
    axes.tick_params(colors=theme["ink"])
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(theme["rule"])


def _legend(axes, theme) -> None:
    axes.legend(frameon=False, labelcolor=theme["ink"], fontsize=9)


def _plot_gain(axes, comparison: Comparison, theme) -> None:
    """How many pictures gain how much PSNR over grey."""
    names = [measure.MEAN_AB, *comparison.methods()]
    gains = np.stack([comparison.gain(name) for name in names])
    # Single outliers (grey photos that got colored) must not squeeze it.
    low, high = np.quantile(gains, [0.005, 0.995])
    margin = max(0.1, 0.05 * (high - low))
    bins = np.clip(gains.shape[1] // 4, _MIN_BINS, _MAX_BINS)
    edges = np.linspace(low - margin, high + margin, bins + 1)
    colors = (_BASELINE_COLOR, *theme["methods"])
    for i, (name, gain) in enumerate(zip(names, gains, strict=True)):
        color = colors[i % len(colors)]
        inside = np.clip(gain, edges[0], edges[-1])
        label = f"{short_name(name)}: mean {gain.mean():+.2f} dB"
        axes.hist(inside, edges, color=color, alpha=0.25)
        axes.hist(
            inside, edges, color=color, histtype="step", lw=1.6, label=label
        )
    axes.axvline(0, color=theme["ink"], lw=0.8)
    # Room for the legend.
    axes.set_ylim(0, axes.get_ylim()[1] * (1.1 + 0.07 * len(names)))
    axes.yaxis.get_major_locator().set_params(integer=True)
    _style(
        axes,
        theme,
        title="PSNR gain over grey",
        x="dB, picture by picture",
        y="pictures",
    )
    _legend(axes, theme)


def _plot_colorfulness(axes, comparison: Comparison, theme) -> None:
    """Each picture's colorfulness against the truth's."""
    key = "colorfulness_signed"
    true = comparison.truth[key]
    methods, colors = comparison.methods(), theme["methods"]
    most = max(
        [true.max(), 1.0, *(comparison.values[m][key].max() for m in methods)]
    )
    axes.plot([0, most], [0, most], color=theme["ink"], lw=0.8)
    for i, name in enumerate(methods):
        axes.scatter(
            true,
            comparison.values[name][key],
            s=12,
            alpha=0.6,
            lw=0,
            color=colors[i % len(colors)],
            label=short_name(name),
        )
    _style(
        axes,
        theme,
        title="Colorfulness (signed); on the line: as colorful as the truth",
        x="true picture",
        y="predicted picture",
    )
    _legend(axes, theme)


def write_plot(comparison: Comparison, path: str, theme: str) -> None:
    """Draws the PSNR gains and the colorfulness of all pictures.

    Args:
        comparison: Comparison of at least one picture.
        path: str, a PNG file.
        theme: str, "light" or "dark": the background.
    """
    colors = _THEMES[theme]
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    figure.set_facecolor(colors["paper"])
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _plot_gain(left, comparison, colors)
    _plot_colorfulness(right, comparison, colors)
    figure.savefig(path, dpi=_DPI)


# The first method is what others are compared with.
_METHOD_COLORS = (_BASELINE_COLOR, _BLUE, *_OTHERS)
_SCALE = 1000


def draw_by_class(scores: ColorScores) -> Figure:
    """Draws each class's loss, and below it the differences from the first.

    Args:
        scores: ColorScores of at least two pictures.

    Returns:
        Figure; the lines on the differences are 95 % intervals.
    """
    rows = per_class.class_rows(scores)
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
            color=_METHOD_COLORS[i % len(_METHOD_COLORS)],
            label=short_name(method),
        )
    top.set(ylabel="mean squared error x 1000")
    top.set_ylim(0, top.get_ylim()[1] * 1.15)
    letters = sum(len(short_name(name)) for name in methods)
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
        color = _METHOD_COLORS[(i + 1) % len(_METHOD_COLORS)]
        axes.bar(x, values, bar, color=color)
        # One picture has no interval.
        there = np.isfinite(ends).all(axis=0)
        axes.vlines(x[there], *ends[:, there], color="#1d1d1f", lw=1)
    axes.axhline(0, color="#1d1d1f", lw=0.8)
    axes.set(ylabel=f"minus {short_name(first)}")


def png(figure: Figure) -> bytes:
    """Draws a figure as the bytes of a PNG file."""
    FigureCanvasAgg(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    return file.getvalue()
