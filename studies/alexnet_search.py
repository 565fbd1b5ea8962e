"""Searches a grid of settings for the grey AlexNet.

    python -m studies.alexnet_search --images=imagenet13
        --workdir=runs/alexnet_search

One run of train_alexnet for each batch size (--batch_sizes), L2 (--l2s), rate
(--learning_rates) and kind of targets (--target_kinds), each in a folder of its
own with the command that repeats it. Started again, it goes on: finished runs
are kept, an interrupted one continues where it stopped. --minutes stops in
time; --train_flag=... is a flag for every cell.

After every run, results.csv, results.md and results.png in --workdir are about
all cells that are finished. TensorBoard on --workdir has them in its HParams
tab, with their curves. flags/presets/alexnet_study.cfg is what the study chose.
"""

import itertools
import os
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from absl import flags
from matplotlib.figure import Figure
from tensorboard.plugins.hparams import api as hparams

from flags import data as data_flags
from flags import run as run_flags
from studies import resumable_runs
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import packages
from tfcolor.evaluation import plots
from tfcolor.evaluation import results
from tfcolor.losses import label_objective
from tfcolor.training.run_folder import read_metrics
from trainers import launch

if TYPE_CHECKING:
    import pandas

BATCH_SIZES = flags.DEFINE_list(
    "batch_sizes", ["128", "512"], "Values of --batch_size to try."
)
L2S = flags.DEFINE_list(
    "l2s", ["0", "2.5e-4", "2.5e-3"], "Values of --l2 to try."
)
LEARNING_RATES = flags.DEFINE_list(
    "learning_rates",
    ["5e-5", "2e-4", "1e-3"],
    "Values of --learning_rate to try.",
)
TARGET_KINDS = flags.DEFINE_list(
    "target_kinds",
    list(label_objective.TARGETS),
    "Values of --targets to try.",
)
SEARCH_PRESET = flags.DEFINE_string(
    "search_preset",
    "flags/presets/alexnet_small.cfg",
    "Flag file of every cell of the grid.",
)

for _name in (
    *("images", "workdir", "precision", "seed"),
    *("train_flag", "minutes", "list"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_RESULT = os.path.join("report", classifier_report.SUMMARY)
_HPARAMS = "hparams"
_TOP1, _TOP3 = "top1", "top3"


def main(argv):
    """Runs the cells that are not done yet."""
    resumable_runs.run_or_list(list_runs(), outputs)


def list_runs() -> list[resumable_runs.Run]:
    """Lists the cells that the flags ask for.

    Returns:
        list of Run.

    Raises:
        ValueError: a value is not what its flag takes.
    """
    runs = []
    for targets, batch_size, l2, rate in itertools.product(
        TARGET_KINDS.value,
        _numbers(BATCH_SIZES, int),
        _numbers(L2S, float),
        _numbers(LEARNING_RATES, float),
    ):
        if targets not in label_objective.TARGETS:
            raise ValueError(
                f"--target_kinds must be of {label_objective.TARGETS}. "
                f"Received: {targets!r}"
            )
        name = f"{targets}-batch{batch_size}-l2_{l2:g}-rate_{rate:g}"
        arguments = (
            f"--flagfile={SEARCH_PRESET.value}",
            f"--images={data_flags.IMAGES.value}",
            f"--seed={data_flags.config().seed}",
            f"--precision={resumable_runs.quickest_precision()}",
            *resumable_runs.TRAIN_FLAGS.value,
            f"--targets={targets}",
            f"--batch_size={batch_size}",
            f"--l2={l2:g}",
            f"--learning_rate={rate:g}",
        )
        condition = {
            "targets": targets,
            "batch_size": batch_size,
            "l2": l2,
            "learning_rate": rate,
        }
        runs.append(
            resumable_runs.Run(
                os.path.join(run_flags.WORKDIR.value, name),
                "trainers.train_alexnet",
                arguments,
                condition,
                _RESULT,
            )
        )
    return runs


def _numbers(flag, kind) -> list:
    try:
        return [kind(text) for text in flag.value]
    except ValueError as error:
        raise ValueError(
            f"--{flag.name} must be numbers. Received: {flag.value}"
        ) from error


def outputs(conditions: dict[str, dict]) -> dict[str, bytes]:
    """Writes table and heat map of the finished cells, and their HParams.

    Args:
        conditions: dict from the folder of a run to what it is.

    Returns:
        dict from the name of a file in --workdir to its bytes; empty without
        a finished run.
    """
    cells = read_cells(conditions)
    if cells is None:
        return {}
    for cell in cells.itertuples():
        _write_hparams(run_flags.WORKDIR.value, cell)
    return {
        "results.csv": results.csv_text(cells, form=None).encode(),
        "results.md": markdown(cells).encode(),
        "results.png": plots.png(draw(cells)),
    }


def _write_hparams(workdir, cell) -> None:
    """Writes a cell for TensorBoard's HParams, once."""
    folder = os.path.join(workdir, cell.folder, _HPARAMS)
    if os.path.isdir(folder) and os.listdir(folder):
        return
    values = {name: getattr(cell, name) for name in SETTINGS}
    writer = tf.summary.create_file_writer(folder)
    with writer.as_default(step=cell.step):
        hparams.hparams_config(
            hparams=[hparams.HParam(name) for name in values],
            metrics=[
                hparams.Metric(_TOP3, display_name="validation top-3"),
                hparams.Metric(_TOP1, display_name="validation top-1"),
            ],
        )
        hparams.hparams(values, trial_id=cell.folder)
        tf.summary.scalar(_TOP3, cell.top3)
        tf.summary.scalar(_TOP1, cell.top1)
    writer.close()


_HELD_OUT_TOP1, _HELD_OUT_TOP3 = "validation/accuracy", "validation/top3"


SETTINGS = ("batch_size", "l2", "learning_rate", "targets")


def read_cells(conditions: dict[str, dict]) -> "pandas.DataFrame | None":
    """Reads the finished runs of a grid.

    Args:
        conditions: dict from the folder of a run to a dict from each of
            `SETTINGS` to its value.

    Returns:
        DataFrame with a row for each run, the best validation first; None
        without a finished run. Columns are `SETTINGS`; "top3" and "top1",
        0..1, of the validation whose top-3 was best, and its "step"; "test",
        top-1 and top-3 of the kept model on the test pictures with their
        intervals, in percent; "folder", the name of the run.
    """
    cells = []
    for folder, condition in conditions.items():
        if not os.path.isfile(os.path.join(folder, _RESULT)):
            continue
        predictions = class_predictions.read_predictions(
            os.path.join(folder, "report", classifier_report.PREDICTIONS)
        )
        rows = [row for row in read_metrics(folder) if _HELD_OUT_TOP3 in row]
        # Of equal ones the first, as the run keeps its model.
        best = max(rows, key=lambda row: row[_HELD_OUT_TOP3])
        test = (
            classifier_report.accuracy(predictions.table, metric)
            for metric in class_predictions.METRICS
        )
        cells.append(
            {
                **{name: condition[name] for name in SETTINGS},
                _TOP1: best[_HELD_OUT_TOP1],
                _TOP3: best[_HELD_OUT_TOP3],
                "step": int(best["step"]),
                "test": " / ".join(results.percent(t) for t in test),
                "folder": os.path.basename(folder),
            }
        )
    if not cells:
        return None
    return packages.pandas.DataFrame(cells).sort_values(
        [_TOP3, _TOP1, "folder"], ascending=[False, False, True]
    )


def markdown(cells: "pandas.DataFrame") -> str:
    """Writes the table of all cells and what it means.

    Args:
        cells: DataFrame, of `read_cells`.

    Returns:
        str.
    """
    header = [
        *("targets", "batch size", "L2", "learning rate"),
        *("validation top-3, %", "top-1, %", "at step"),
        "test top-1 / top-3, %",
    ]
    rows = [
        [
            *(cell.targets, str(cell.batch_size), f"{cell.l2:g}"),
            f"{cell.learning_rate:g}",
            *(f"{100 * cell.top3:.2f}", f"{100 * cell.top1:.2f}"),
            *(str(cell.step), cell.test),
        ]
        for cell in cells.itertuples()
    ]
    return (
        f"## Grid search: {len(cells)} cells\n\n"
        f"{results.markdown_table([header, *rows])}\n\n"
        f"- Best: `{cells['folder'].iloc[0]}`. Cells are ordered by the best "
        "top-3 of their validations; the test pictures choose nothing.\n"
        "- Each cell is one run: differences as small as those between seeds "
        "mean nothing.\n"
    )


_INK = "#1d1d1f"


def draw(cells: "pandas.DataFrame") -> Figure:
    """Draws the top-3 of every cell, a panel for each batch size and target.

    Args:
        cells: DataFrame, of `read_cells`. What is not done yet stays empty.

    Returns:
        Figure; rows of a panel are L2, columns learning rates.
    """
    l2s, rates, batches, targets = (
        sorted(cells[name].unique())
        for name in ("l2", "learning_rate", "batch_size", "targets")
    )
    values = 100 * cells.pivot_table(
        *(_TOP3, ["targets", "l2"], ["batch_size", "learning_rate"]),
        aggfunc="last",
        dropna=False,
    )
    low, high = values.min(axis=None), values.max(axis=None)
    high = max(high, low + 1)
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
            panel = values.loc[target][batch].to_numpy()
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


if __name__ == "__main__":
    launch.run(main)
