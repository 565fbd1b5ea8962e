"""Runs the task transfer experiment: does colorization teach classes?

    python -m studies.task_transfer --images=fruits
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
trunk, errors inside color groups beside what chance has.

Runs that differ in nothing but the seed make one row. Intervals are of two
kinds: over test pictures (bootstrap, each picture's mean over the seeds), and
from the worst to the best seed.
"""

import dataclasses
import itertools
import operator
import os
from typing import TYPE_CHECKING

from absl import flags
from matplotlib.figure import Figure

from flags import data as data_flags
from flags import run as run_flags
from studies import resumable_runs
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import packages
from tfcolor.evaluation import plots
from tfcolor.evaluation import results
from tfcolor.models import task_transfer
from trainers import launch

if TYPE_CHECKING:
    import pandas

TRUNKS = flags.DEFINE_list(
    "trunks",
    ["random", "full=siggraph_small"],
    "Where trunks come from: random, and NAME=MODEL for each colorizer, a "
    "shipped name or a .keras file.",
)
FREEZES = flags.DEFINE_list(
    "freezes",
    ["trunk", "none"],
    "Values of --freeze to try.",
)
INPUT_MODES = flags.DEFINE_list(
    "input_modes", ["L", "L_ab"], "Values of --inputs to try."
)
SIZES = flags.DEFINE_list(
    "sizes",
    ["10", "25", "all"],
    "Training pictures of each class to try, numbers or all.",
)
PRESET = flags.DEFINE_string(
    "preset",
    "flags/presets/task_transfer_small.cfg",
    "Flag file of every run.",
)

flags.adopt_module_key_flags(resumable_runs)
for _name in ("images", "workdir", "precision"):
    flags.declare_key_flag(_name)
flags.mark_flags_as_required(["images", "workdir"])

_RESULT = os.path.join("report", classifier_report.SUMMARY)


def main(argv):
    """Runs what is not done yet, one after the other."""
    resumable_runs.run_or_list(list_runs(), outputs)


def list_runs() -> list[resumable_runs.Run]:
    """Lists the runs that the flags ask for, cheap ones first.

    Returns:
        list of Run.

    Raises:
        ValueError: a list has a value that is not known.
    """
    models = _models()
    freezes = FREEZES.value
    sizes = SIZES.value
    seeds = resumable_runs.SEEDS.value
    wrong = set(freezes) - set(task_transfer.FREEZES)
    wrong |= {s for s in sizes if s != ALL and not s.isdigit()}
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
            dict(zip(SETTING, (freeze, inputs, size, trunk), strict=True)),
            seed,
            models[trunk],
        )
        for seed, freeze, size, inputs, trunk in itertools.product(
            map(int, seeds),
            freezes,
            sizes,
            INPUT_MODES.value,
            models,
        )
    ]


def _models() -> dict[str, str | None]:
    """Returns {trunk: model to start from, None for a random one}."""
    models = {}
    for entry in TRUNKS.value:
        name, _, model = entry.partition("=")
        if not name or bool(model) == (name == RANDOM):
            raise ValueError(
                f"--trunks must be 'random' and NAME=MODEL. Received: {entry!r}"
            )
        models[name] = model or None
    return models


def _run(setting, seed, model) -> resumable_runs.Run:
    freeze, inputs, size, trunk = setting.values()
    arguments = [
        f"--flagfile={PRESET.value}",
        f"--images={data_flags.IMAGES.value}",
        f"--freeze={freeze}",
        f"--inputs={inputs}",
        f"--seed={seed}",
        f"--precision={resumable_runs.quickest_precision()}",
    ]
    if size != ALL:
        arguments.append(f"--pictures_per_class={size}")
    if model:
        arguments.append(f"--initial_weights={model}")
    name = f"{trunk}-freeze_{freeze}-{inputs}-{size}-seed{seed}"
    return resumable_runs.Run(
        os.path.join(run_flags.WORKDIR.value, name),
        "trainers.train_classifier",
        (*arguments, *resumable_runs.TRAIN_FLAGS.value),
        setting | {"seed": seed},
        _RESULT,
    )


def outputs(conditions: dict[str, dict]) -> dict[str, bytes]:
    """Writes table and plot of the finished runs.

    Args:
        conditions: dict from the folder of a run to what it is.

    Returns:
        dict from the name of a file in --workdir to its bytes; empty without
        a finished run.
    """
    table = read_runs(conditions)
    if table is None:
        return {}
    class_names = tuple(table["class"].cat.categories)
    groups = class_predictions.read_groups(data_flags.IMAGES.value, class_names)
    rows = make_rows(table, groups)
    return {
        "results.csv": results.csv_text(rows).encode(),
        "results.md": markdown(rows).encode(),
        "results.png": plots.png(
            draw(rows, table, num_classes=len(class_names))
        ),
    }


# The trunk that knows nothing, which others are compared with.
RANDOM = "random"
ALL = "all"
# What makes a row of the results: what learns, what it sees, training pictures
# of each class (a number or "all"), and where the trunk comes from.
SETTING = ("freeze", "inputs", "pictures_per_class", "trunk")


def read_runs(conditions: dict[str, dict]) -> "pandas.DataFrame | None":
    """Reads the finished runs of an experiment.

    Args:
        conditions: dict from a run's folder to a dict from each of `SETTING`,
            and "seed", to its value. Folders without a report are passed over.

    Returns:
        DataFrame, as `ClassPredictions.table`, of all runs, with their
        conditions in columns beside; None without a finished run.

    Raises:
        ValueError: runs were measured on different pictures or classes.
    """
    # By condition: of runs that are alike the last counts.
    tables, known = {}, None
    for folder, condition in conditions.items():
        if not os.path.isfile(os.path.join(folder, _RESULT)):
            continue
        predictions = class_predictions.read_predictions(
            os.path.join(folder, "report", classifier_report.PREDICTIONS)
        )
        measured = (predictions.names, predictions.class_names)
        known = known or measured
        if measured != known:
            raise ValueError(
                "All runs of an experiment must be measured on the same "
                f"pictures and classes. Received: others in {folder!r}"
            )
        table = predictions.table.assign(**condition)
        tables[tuple(condition[key] for key in (*SETTING, "seed"))] = table
    return packages.pandas.concat(tables.values()) if tables else None


def make_rows(
    table: "pandas.DataFrame", groups: dict[str, str] | None
) -> "pandas.DataFrame":
    """Makes the table of results.

    Args:
        table: DataFrame, of `read_runs`.
        groups: dict from class to color group, or None.

    Returns:
        DataFrame with a row for each setting, frozen and small ones first,
        and the columns of results.csv. Shares are 0..1; those with "_low" and
        "_high" beside them are over pictures. "gain" is the accuracy minus
        that of a random trunk, of the "gain_seeds" that both have, paired by
        picture; NaN for a random trunk, or where no seed is common. What is
        about errors is of all seeds together, see `GroupErrors`: counts are 0
        and shares NaN without groups or errors.
    """
    parts = dict(list(table.groupby(list(SETTING))))
    rows = []
    for setting in sorted(parts, key=_order):
        own, (*others, trunk) = parts[setting], setting
        random = parts.get((*others, RANDOM), table[:0])
        by_seed = seed_means(own)
        both = set() if trunk == RANDOM else {*own["seed"]} & {*random["seed"]}
        errors = class_predictions.GroupErrors()
        if groups:
            errors = class_predictions.group_errors(own, groups)
        top3 = class_predictions.TOP3
        rows.append(
            {
                "trunk": trunk,
                **dict(zip(SETTING, others, strict=False)),
                "seeds": len(by_seed),
                **_interval("accuracy", classifier_report.accuracy(own)),
                "worst_seed": by_seed.min(),
                "best_seed": by_seed.max(),
                **_interval("top3", classifier_report.accuracy(own, top3)),
                **_interval("gain", _gain(own, random, both)),
                "gain_seeds": len(both),
                **dict(zip(_ERRORS, dataclasses.astuple(errors), strict=True)),
            }
        )
    return packages.pandas.DataFrame(rows)


# Columns of the fields of GroupErrors.
_ERRORS = ("errors", "errors_inside", "inside_share", "inside_low")
_ERRORS += ("inside_high", "even_share", "regrouped_share", "p_value")


def _order(setting: tuple):
    freeze, inputs, size, trunk = setting
    places = (freeze != "trunk", freeze, inputs, _number(size))
    return (*places, trunk != RANDOM, trunk)


def _number(size: str) -> float:
    return float("inf") if size == ALL else int(size)


def seed_means(table: "pandas.DataFrame") -> "pandas.Series":
    """Computes the accuracy of every run.

    Args:
        table: DataFrame, of `read_runs`.

    Returns:
        Series of the share that is right, 0..1, by `SETTING` and "seed".
    """
    right = table[table["metric"] == class_predictions.RIGHT]
    return right.groupby([*SETTING, "seed"])["value"].mean()


def _gain(own, random, seeds) -> results.Estimate:
    """Estimates what a trunk gains over a random one of the same seeds."""
    if not seeds:
        return results.Estimate(float("nan"))
    means = (
        class_predictions.by_picture(table[table["seed"].isin(seeds)])
        for table in (own, random)
    )
    return results.mean(operator.sub(*means))


def _interval(name: str, estimate: results.Estimate) -> dict[str, float]:
    ends = zip(
        ("", "_low", "_high"), dataclasses.astuple(estimate), strict=True
    )
    return {f"{name}{end}": value for end, value in ends}


def markdown(rows: "pandas.DataFrame") -> str:
    """Writes the table as Markdown, shares in percent.

    Args:
        rows: DataFrame, of `make_rows`.

    Returns:
        str.
    """
    lines = [
        "In percent of the test pictures. In brackets: 95 % bootstrap "
        "intervals over pictures (of each picture's mean over the seeds). "
        "Gain: accuracy minus that of a random trunk trained the same way, "
        "of the seeds that both have, paired by picture.",
        "",
        "| trunk | learns | input | pictures a class | seeds | accuracy | "
        "worst .. best seed | top-3 | gain over random | seeds of both |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows.itertuples():
        spread = f"{100 * row.worst_seed:.1f} .. {100 * row.best_seed:.1f}"
        lines.append(
            f"{_setting(row)} {row.seeds} | {_percent(row, 'accuracy')} | "
            f"{spread} | {_percent(row, 'top3')} | "
            f"{_percent(row, 'gain', sign=True)} | {row.gain_seeds or '–'} |"
        )
    return "\n".join([*lines, *_error_lines(rows)]) + "\n"


def _setting(row) -> str:
    """Begins the line of a setting."""
    learns = "the head" if row.freeze == "trunk" else "everything"
    size = row.pictures_per_class
    return f"| {row.trunk} | {learns} | {row.inputs} | {size} |"


def _percent(row, name: str, value: str = "", *, sign: bool = False) -> str:
    """Writes a share of a row, and its interval, in percent."""
    ends = (getattr(row, name + end) for end in (value, "_low", "_high"))
    return results.percent(results.Estimate(*ends), sign=sign)


def _error_lines(rows: "pandas.DataFrame") -> list[str]:
    rows = rows[rows["errors"] > 0]
    if rows.empty:
        return []
    lines = [
        "",
        "Errors inside a color group, in percent of the errors of all seeds; "
        "intervals are over pictures. "
        "Even: if errors were spread evenly over the wrong classes. "
        "Regrouped: mean over all groups of the same sizes, the real ones "
        "among them; p: part of these with at least the share found.",
        "",
        "| trunk | learns | input | pictures a class | errors | inside | even "
        "| regrouped | p |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows.itertuples():
        lines.append(
            f"{_setting(row)} {row.errors} | "
            f"{_percent(row, 'inside', '_share')} | "
            f"{100 * row.even_share:.1f} | {100 * row.regrouped_share:.1f} | "
            f"{classifier_report.p_text(row.p_value)} |"
        )
    return lines


_COLORS = ("#8a8a8a", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
_LEARNS = {"trunk": "head learns", "none": "everything learns"}


def draw(
    rows: "pandas.DataFrame", table: "pandas.DataFrame", *, num_classes: int
) -> Figure:
    """Draws accuracy against the number of training pictures.

    Args:
        rows: DataFrame, of `make_rows`.
        table: DataFrame, of `read_runs`.
        num_classes: int, for the line of pure chance.

    Returns:
        Figure: a panel for what learns and what is seen, a line for each
        trunk. Bars are intervals over pictures, small dots single seeds.
    """
    panels = rows.groupby(["freeze", "inputs"], sort=False)
    sizes = sorted(rows["pictures_per_class"].unique(), key=_number)
    trunks = list(rows["trunk"].unique())
    dots = seed_means(table)
    figure = Figure(figsize=(3.6 * len(panels), 4), layout="constrained")
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)
    for axes, ((freeze, inputs), panel) in zip(grid[0], panels, strict=True):
        for i, trunk in enumerate(trunks):
            found = panel[panel["trunk"] == trunk]
            shift = 0.08 * (i - (len(trunks) - 1) / 2)
            places = [
                sizes.index(s) + shift for s in found["pictures_per_class"]
            ]
            _draw_line(axes, found, places, dots, _COLORS[i % len(_COLORS)])
        axes.axhline(100 / num_classes, color="#1d1d1f", lw=0.8, ls=":")
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


def _draw_line(axes, found, places, dots, color) -> None:
    if found.empty:
        return
    value = found["accuracy"]
    bars = [value - found["accuracy_low"], found["accuracy_high"] - value]
    axes.errorbar(
        *(places, 100 * value, [100 * bar for bar in bars]),
        fmt="o-",
        color=color,
        capsize=3,
    )
    for place, setting in zip(
        places, found[list(SETTING)].itertuples(index=False), strict=True
    ):
        seeds = 100 * dots.loc[tuple(setting)]
        axes.plot([place] * len(seeds), seeds, ".", color=color, alpha=0.5)


if __name__ == "__main__":
    launch.run(main)
