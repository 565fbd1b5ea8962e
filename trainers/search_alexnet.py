"""Searches a grid of settings for the grey AlexNet.

    python -m trainers.search_alexnet --images=imagenet13
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

import tensorflow as tf
from absl import flags
from tensorboard.plugins.hparams import api as hparams

from flags import data as data_flags
from flags import experiment as experiment_flags
from flags import run as run_flags
from flags import search as search_flags
from tfcolor.data import encode
from tfcolor.evaluation import class_plots
from tfcolor.evaluation import class_report
from tfcolor.evaluation import search_plot
from tfcolor.evaluation import search_table
from tfcolor.losses import label_objective
from trainers import launch
from trainers import many_runs

flags.adopt_module_key_flags(search_flags)
for _name in (
    *("images", "workdir", "precision", "seed"),
    *("train_flag", "minutes", "list"),
):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_RESULT = os.path.join("report", class_report.SUMMARY)
_HPARAMS = "hparams"
_TOP1, _TOP3 = "top1", "top3"


def main(argv):
    """Runs the cells that are not done yet."""
    many_runs.run_or_list(list_runs(), write_results)


def list_runs() -> list[many_runs.Run]:
    """Lists the cells that the flags ask for.

    Returns:
        list of Run.

    Raises:
        ValueError: a value is not what its flag takes.
    """
    runs = []
    for targets, batch_size, l2, rate in itertools.product(
        search_flags.TARGET_KINDS.value,
        _numbers(search_flags.BATCH_SIZES, int),
        _numbers(search_flags.L2S, float),
        _numbers(search_flags.LEARNING_RATES, float),
    ):
        if targets not in label_objective.TARGETS:
            raise ValueError(
                f"--target_kinds must be of {label_objective.TARGETS}. "
                f"Received: {targets!r}"
            )
        name = f"{targets}-batch{batch_size}-l2_{l2:g}-rate_{rate:g}"
        arguments = (
            f"--flagfile={search_flags.SEARCH_PRESET.value}",
            f"--images={data_flags.IMAGES.value}",
            f"--seed={data_flags.config().seed}",
            f"--precision={many_runs.quickest_precision()}",
            *experiment_flags.TRAIN_FLAGS.value,
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
            many_runs.Run(
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


def write_results(workdir: str) -> None:
    """Writes table, heat map and HParams of the finished cells.

    Args:
        workdir: str.
    """
    if not os.path.isdir(workdir):
        return
    cells = search_table.read_cells(many_runs.read_conditions(workdir))
    if not cells:
        return
    for name, data in (
        ("results.csv", search_table.csv_text(cells).encode()),
        ("results.md", search_table.markdown(cells).encode()),
        ("results.png", class_plots.png(search_plot.draw(cells))),
    ):
        encode.write_atomically(os.path.join(workdir, name), data)
    for cell in cells:
        _write_hparams(workdir, cell)


def _write_hparams(workdir, cell) -> None:
    """Writes a cell for TensorBoard's HParams, once."""
    folder = os.path.join(workdir, cell.folder, _HPARAMS)
    if os.path.isdir(folder) and os.listdir(folder):
        return
    values = {name: getattr(cell, name) for name in search_table.SETTINGS}
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


if __name__ == "__main__":
    launch.run(main)
