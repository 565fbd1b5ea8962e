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
import os

import numpy as np
from absl import flags
from matplotlib.figure import Figure

from flags import data as data_flags
from flags import run as run_flags
from studies import resumable_runs
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import classifier_report
from tfcolor.evaluation import plots
from tfcolor.evaluation import results
from tfcolor.evaluation.class_predictions import ClassPredictions
from tfcolor.models import task_transfer
from trainers import launch

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
            Setting(freeze, inputs, size, trunk),
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
    size = setting.pictures_per_class
    arguments = [
        f"--flagfile={PRESET.value}",
        f"--images={data_flags.IMAGES.value}",
        f"--freeze={setting.freeze}",
        f"--inputs={setting.inputs}",
        f"--seed={seed}",
        f"--precision={resumable_runs.quickest_precision()}",
    ]
    if size != ALL:
        arguments.append(f"--pictures_per_class={size}")
    if model:
        arguments.append(f"--initial_weights={model}")
    name = (
        f"{setting.trunk}-freeze_{setting.freeze}-{setting.inputs}-{size}-"
        f"seed{seed}"
    )
    return resumable_runs.Run(
        os.path.join(run_flags.WORKDIR.value, name),
        "trainers.train_classifier",
        (*arguments, *resumable_runs.TRAIN_FLAGS.value),
        dataclasses.asdict(setting) | {"seed": seed},
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
    runs = read_runs(conditions)
    if not runs:
        return {}
    class_names = next(iter(next(iter(runs.values())).values())).class_names
    groups = class_predictions.read_groups(data_flags.IMAGES.value, class_names)
    rows = make_rows(runs, groups)
    return {
        "results.csv": csv_text(rows).encode(),
        "results.md": markdown(rows).encode(),
        "results.png": plots.png(draw(rows, num_classes=len(class_names))),
    }


# The trunk that knows nothing, which others are compared with.
RANDOM = "random"
ALL = "all"


@dataclasses.dataclass(frozen=True, order=True)
class Setting:
    """What a row of the table is about.

    Attributes:
        freeze: str, of the classifier.
        inputs: str, what it sees.
        pictures_per_class: str, a number or "all".
        trunk: str, where its trunk comes from.
    """

    freeze: str
    inputs: str
    pictures_per_class: str
    trunk: str


@dataclasses.dataclass(frozen=True)
class Row:
    """The results of one setting.

    Attributes:
        setting: Setting.
        seeds: int, how many runs.
        accuracy: Estimate of the share that is right, over pictures.
        by_seed: list of float, each run's accuracy.
        top3: Estimate.
        gain: Estimate of the accuracy minus that of a random trunk, of the
            seeds that both have, paired by picture; None for a random trunk,
            or where no seed is common.
        gain_seeds: int, how many seeds both have; 0 without a gain.
        errors: GroupErrors of all runs together, or None without groups.
    """

    setting: Setting
    seeds: int
    accuracy: results.Estimate
    by_seed: list[float]
    top3: results.Estimate
    gain: results.Estimate | None
    gain_seeds: int
    errors: class_predictions.GroupErrors | None


def read_runs(
    conditions: dict[str, dict],
) -> dict[Setting, dict[int, ClassPredictions]]:
    """Reads the finished runs of an experiment.

    Args:
        conditions: dict from a run's folder to the fields of its Setting, and
            "seed". Folders without a report are passed over.

    Returns:
        dict from Setting to a dict from seed to ClassPredictions.

    Raises:
        ValueError: runs were measured on different pictures.
    """
    runs, names = {}, None
    for folder, condition in conditions.items():
        report = os.path.join(folder, "report")
        if not os.path.isfile(os.path.join(report, classifier_report.SUMMARY)):
            continue
        predictions = class_predictions.read_predictions(
            os.path.join(report, classifier_report.PREDICTIONS)
        )
        names = names or predictions.names
        if predictions.names != names:
            raise ValueError(
                "All runs of an experiment must be measured on the same "
                f"pictures. Received: others in {folder!r}"
            )
        setting = dict(condition)
        seed = setting.pop("seed")
        runs.setdefault(Setting(**setting), {})[seed] = predictions
    return runs


def make_rows(
    runs: dict[Setting, dict[int, ClassPredictions]],
    groups: dict[str, str] | None,
) -> list[Row]:
    """Makes the rows of the table.

    Args:
        runs: dict, of `read_runs`.
        groups: dict from class to color group, or None.

    Returns:
        list of Row: frozen and small ones first.
    """
    rows = []
    for setting in sorted(runs, key=_order):
        found = list(runs[setting].values())
        random = runs.get(dataclasses.replace(setting, trunk=RANDOM), {})
        common = [s for s in runs[setting] if s in random]
        gain = None
        if common and setting.trunk != RANDOM:
            own, other = (
                _mean_right([trained[s] for s in common])
                for trained in (runs[setting], random)
            )
            gain = results.mean(own - other)
        rows.append(
            Row(
                setting=setting,
                seeds=len(found),
                accuracy=results.mean(_mean_right(found)),
                by_seed=[float(p.right().mean()) for p in found],
                top3=results.mean(_mean_right(found, 3)),
                gain=gain,
                gain_seeds=len(common) if gain else 0,
                errors=groups and class_predictions.group_errors(found, groups),
            )
        )
    return rows


def _order(setting: Setting):
    count = setting.pictures_per_class
    size = float("inf") if count == ALL else int(count)
    return (
        setting.freeze != "trunk",
        setting.freeze,
        setting.inputs,
        size,
        setting.trunk != RANDOM,
        setting.trunk,
    )


def _mean_right(found: list[ClassPredictions], top: int = 1) -> np.ndarray:
    """Each picture's mean over the runs, float64 [N]."""
    return np.mean([p.right(top) for p in found], axis=0)


def csv_text(rows: list[Row]) -> str:
    """Writes the table as CSV, shares in 0..1.

    Args:
        rows: list of Row, at least one.

    Returns:
        str.
    """
    return results.csv_text([_cells(row) for row in rows])


def _cells(row: Row) -> dict:
    gain = row.gain or results.Estimate(float("nan"))
    nan = [float("nan")] * 6
    errors = row.errors or class_predictions.GroupErrors(0, 0, *nan)
    setting = dataclasses.asdict(row.setting)
    return {
        **{name: setting[name] for name in ("trunk", "freeze", "inputs")},
        "pictures_per_class": row.setting.pictures_per_class,
        "seeds": row.seeds,
        **_interval("accuracy", row.accuracy),
        "worst_seed": min(row.by_seed),
        "best_seed": max(row.by_seed),
        **_interval("top3", row.top3),
        **_interval("gain", gain),
        "gain_seeds": row.gain_seeds,
        "errors": errors.errors,
        "errors_inside": errors.inside,
        "inside_share": errors.share,
        "inside_low": errors.low,
        "inside_high": errors.high,
        "even_share": errors.even_share,
        "regrouped_share": errors.regrouped_share,
        "p_value": errors.p_value,
    }


def _interval(name: str, estimate: results.Estimate) -> dict[str, float]:
    ends = zip(
        ("", "_low", "_high"), dataclasses.astuple(estimate), strict=True
    )
    return {f"{name}{end}": value for end, value in ends}


def markdown(rows: list[Row]) -> str:
    """Writes the table as Markdown, shares in percent.

    Args:
        rows: list of Row.

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
    for row in rows:
        s = row.setting
        learns = "the head" if s.freeze == "trunk" else "everything"
        spread = f"{100 * min(row.by_seed):.1f} .. {100 * max(row.by_seed):.1f}"
        gain = (
            classifier_report.percent(row.gain, sign=True) if row.gain else "–"
        )
        lines.append(
            f"| {s.trunk} | {learns} | {s.inputs} | {s.pictures_per_class} | "
            f"{row.seeds} | {classifier_report.percent(row.accuracy)} | "
            f"{spread} | {classifier_report.percent(row.top3)} | {gain} | "
            f"{row.gain_seeds or '–'} |"
        )
    return "\n".join([*lines, *_error_lines(rows)]) + "\n"


def _error_lines(rows: list[Row]) -> list[str]:
    if not any(row.errors and row.errors.errors for row in rows):
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
    for row in rows:
        s, e = row.setting, row.errors
        if not e or not e.errors:
            continue
        learns = "the head" if s.freeze == "trunk" else "everything"
        share = results.Estimate(e.share, e.low, e.high)
        lines.append(
            f"| {s.trunk} | {learns} | {s.inputs} | {s.pictures_per_class} | "
            f"{e.errors} | {classifier_report.percent(share)} | "
            f"{100 * e.even_share:.1f} | {100 * e.regrouped_share:.1f} | "
            f"{classifier_report.p_text(e.p_value)} |"
        )
    return lines


_COLORS = ("#8a8a8a", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
_LEARNS = {"trunk": "head learns", "none": "everything learns"}


def draw(rows: list[Row], *, num_classes: int) -> Figure:
    """Draws accuracy against the number of training pictures.

    Args:
        rows: list of Row, of `make_rows`, at least one.
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


if __name__ == "__main__":
    launch.run(main)
