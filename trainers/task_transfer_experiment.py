"""Runs the task transfer experiment: does colorization teach classes?

    python -m trainers.task_transfer_experiment --images=fruits
        --trunks=random,full=siggraph_small,instance=runs/instance/model.keras
        --workdir=runs/task_transfer

One run of train_classifier for each trunk, what learns (--freezes), what is
seen (--input_modes), number of training pictures (--sizes) and seed, each in a
folder of its own with the command that repeats it. All runs of one seed come
before those of the next, cheap ones first. Any of the lists may be shorter for
a part of the experiment; --minutes stops in time. Started again, it goes on:
finished runs are kept, an interrupted one continues where it stopped.

After every run, results.csv, results.md and results.png in --workdir are about
all runs that are finished: accuracies with 95 % intervals, gains over a random
trunk, errors inside colour groups beside what chance has.
"""

import dataclasses
import itertools
import os

from absl import flags

from flags import data as data_flags
from flags import experiment as experiment_flags
from flags import run as run_flags
from tfcolor.data import encode
from tfcolor.evaluation import class_plots
from tfcolor.evaluation import class_report
from tfcolor.evaluation import color_groups
from tfcolor.evaluation import transfer_plot
from tfcolor.evaluation import transfer_table
from tfcolor.models import task_transfer
from trainers import launch
from trainers import many_runs

flags.adopt_module_key_flags(experiment_flags)
for _name in ("images", "workdir", "precision"):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_RESULT = os.path.join("report", class_report.SUMMARY)


def main(argv):
    """Runs what is not done yet, one after the other."""
    many_runs.run_or_list(list_runs(), write_results)


def list_runs() -> list[many_runs.Run]:
    """Lists the runs that the flags ask for, cheap ones first.

    Returns:
        list of Run.

    Raises:
        ValueError: a list has a value that is not known.
    """
    models = _models()
    freezes = experiment_flags.FREEZES.value
    sizes = experiment_flags.SIZES.value
    seeds = experiment_flags.SEEDS.value
    wrong = set(freezes) - set(task_transfer.FREEZES)
    wrong |= {s for s in sizes if s != transfer_table.ALL and not s.isdigit()}
    wrong |= {s for s in seeds if not s.isdigit()}
    if wrong:
        raise ValueError(
            f"--freezes must be of {task_transfer.FREEZES}, --sizes numbers "
            f"or 'all', --seeds numbers. Received: {sorted(wrong)}"
        )
    # A frozen trunk has no gradient: about a third of the time.
    freezes = sorted(freezes, key=lambda f: f != "trunk")
    return [
        _run(
            transfer_table.Setting(freeze, inputs, size, trunk),
            seed,
            models[trunk],
        )
        for seed, freeze, size, inputs, trunk in itertools.product(
            map(int, seeds),
            freezes,
            sizes,
            experiment_flags.INPUT_MODES.value,
            models,
        )
    ]


def _models() -> dict[str, str | None]:
    """Returns {trunk: model to start from, None for a random one}."""
    models = {}
    for entry in experiment_flags.TRUNKS.value:
        name, _, model = entry.partition("=")
        if not name or bool(model) == (name == transfer_table.RANDOM):
            raise ValueError(
                f"--trunks must be 'random' and NAME=MODEL. Received: {entry!r}"
            )
        models[name] = model or None
    return models


def _run(setting, seed, model) -> many_runs.Run:
    size = setting.pictures_per_class
    arguments = [
        f"--flagfile={experiment_flags.PRESET.value}",
        f"--images={data_flags.IMAGES.value}",
        f"--freeze={setting.freeze}",
        f"--inputs={setting.inputs}",
        f"--seed={seed}",
        f"--precision={many_runs.quickest_precision()}",
    ]
    if size != transfer_table.ALL:
        arguments.append(f"--pictures_per_class={size}")
    if model:
        arguments.append(f"--initial_weights={model}")
    name = (
        f"{setting.trunk}-freeze_{setting.freeze}-{setting.inputs}-{size}-"
        f"seed{seed}"
    )
    return many_runs.Run(
        os.path.join(run_flags.WORKDIR.value, name),
        "trainers.train_classifier",
        (*arguments, *experiment_flags.TRAIN_FLAGS.value),
        dataclasses.asdict(setting) | {"seed": seed},
        _RESULT,
    )


def write_results(workdir: str) -> None:
    """Writes table and plot of the finished runs, if there is one.

    Args:
        workdir: str.
    """
    if not os.path.isdir(workdir):
        return
    conditions = many_runs.read_conditions(workdir)
    runs = transfer_table.read_runs(conditions)
    if not runs:
        return
    class_names = next(iter(next(iter(runs.values())).values())).class_names
    groups = color_groups.read(data_flags.IMAGES.value, class_names)
    rows = transfer_table.make_rows(runs, groups)
    plot = transfer_plot.draw(rows, num_classes=len(class_names))
    for name, data in (
        ("results.csv", transfer_table.csv_text(rows).encode()),
        ("results.md", transfer_table.markdown(rows).encode()),
        ("results.png", class_plots.png(plot)),
    ):
        encode.write_atomically(os.path.join(workdir, name), data)


if __name__ == "__main__":
    launch.run(main)
