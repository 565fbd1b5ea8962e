"""The heat map of a grid search."""

import numpy as np
from matplotlib.figure import Figure

from tfcolor.evaluation.search_table import Cell

_INK = "#1d1d1f"


def draw(cells: list[Cell]) -> Figure:
    """Draws the top-3 of every cell, a panel for each batch size and target.

    Args:
        cells: list of Cell, at least one. What is not done yet stays empty.

    Returns:
        Figure; rows of a panel are L2, columns learning rates.
    """
    l2s = sorted({cell.l2 for cell in cells})
    rates = sorted({cell.learning_rate for cell in cells})
    batches = sorted({cell.batch_size for cell in cells})
    targets = sorted({cell.targets for cell in cells})
    values = 100 * np.array([cell.top3 for cell in cells])
    low, high = values.min(), max(values.max(), values.min() + 1)
    figure = Figure(
        figsize=(
            1.6 + len(batches) * (0.9 + 0.75 * len(rates)),
            1.0 + len(targets) * (1.0 + 0.5 * len(l2s)),
        ),
        layout="constrained",
    )
    grid = figure.subplots(len(targets), len(batches), squeeze=False)
    for row, target in enumerate(targets):
        for column, batch in enumerate(batches):
            axes = grid[row, column]
            panel = np.full([len(l2s), len(rates)], np.nan)
            for cell in cells:
                if (cell.targets, cell.batch_size) == (target, batch):
                    place = l2s.index(cell.l2), rates.index(cell.learning_rate)
                    panel[place] = 100 * cell.top3
            image = axes.imshow(
                panel, cmap="viridis", vmin=low, vmax=high, aspect="auto"
            )
            for (i, j), value in np.ndenumerate(panel):
                if np.isfinite(value):
                    dark = value < (low + high) / 2
                    axes.text(
                        *(j, i, f"{value:.1f}"),
                        ha="center",
                        va="center",
                        color="white" if dark else _INK,
                    )
            axes.set_title(f"{target}, batch {batch}", fontsize=10)
            axes.set_xticks(range(len(rates)), [f"{r:g}" for r in rates])
            axes.set_yticks(range(len(l2s)), [f"{v:g}" for v in l2s])
            axes.set(xlabel="learning rate", ylabel="L2")
    figure.colorbar(image, ax=grid, label="validation top-3, %")
    return figure
