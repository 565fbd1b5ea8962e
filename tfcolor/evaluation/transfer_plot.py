"""The plot of a task transfer experiment."""

from matplotlib.figure import Figure

from tfcolor.evaluation import transfer_table

_COLORS = ("#8a8a8a", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
_LEARNS = {"trunk": "head learns", "none": "everything learns"}


def draw(rows: list[transfer_table.Row], *, num_classes: int) -> Figure:
    """Draws accuracy against the number of training pictures.

    Args:
        rows: list of Row, of `transfer_table.make_rows`, at least one.
        num_classes: int, for the line of pure chance.

    Returns:
        Figure: a panel for what learns and what is seen, a line for each
        trunk. Bars are intervals over pictures, small dots single seeds.
    """
    panels = list(
        dict.fromkeys((row.setting.freeze, row.setting.inputs) for row in rows)
    )
    sizes = list(dict.fromkeys(r.setting.pictures_per_class for r in rows))
    sizes.sort(key=lambda s: float("inf") if s == "all" else int(s))
    trunks = list(dict.fromkeys(row.setting.trunk for row in rows))
    figure = Figure(figsize=(3.6 * len(panels), 4), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    for axes, panel in zip(grid[0], panels, strict=True):
        for i, trunk in enumerate(trunks):
            found = [
                row
                for row in rows
                if (row.setting.freeze, row.setting.inputs) == panel
                and row.setting.trunk == trunk
            ]
            shift = 0.08 * (i - (len(trunks) - 1) / 2)
            _draw_line(axes, found, sizes, shift, _COLORS[i % len(_COLORS)])
        axes.axhline(100 / num_classes, color="#1d1d1f", lw=0.8, ls=":")
        freeze, inputs = panel
        axes.set_title(f"{_LEARNS.get(freeze, freeze)}, input {inputs}")
        axes.set_xticks(range(len(sizes)), sizes)
        axes.set_xlim(-0.5, len(sizes) - 0.5)
        axes.set_xlabel("training pictures a class")
        axes.grid(alpha=0.3)
    grid[0, 0].set_ylabel("right, % of the test pictures")
    handles = [grid[0, 0].plot([], [], color=c)[0] for c in _COLORS]
    figure.legend(
        handles[: len(trunks)],
        trunks,
        title="trunk from",
        loc="outside lower center",
        ncols=len(trunks),
        frameon=False,
    )
    return figure


def _draw_line(axes, found, sizes, shift, color) -> None:
    if not found:
        return
    places = [sizes.index(r.setting.pictures_per_class) + shift for r in found]
    values = [100 * r.accuracy.value for r in found]
    bars = [
        [100 * (r.accuracy.value - r.accuracy.low) for r in found],
        [100 * (r.accuracy.high - r.accuracy.value) for r in found],
    ]
    axes.errorbar(places, values, bars, fmt="o-", color=color, capsize=3)
    for place, row in zip(places, found, strict=True):
        seeds = [100 * value for value in row.by_seed]
        axes.plot([place] * len(seeds), seeds, ".", color=color, alpha=0.5)
