"""The results of a task transfer experiment, over all its runs.

A run is a folder with the report of a classifier. Runs that differ in nothing
but the seed make one row. Intervals are of two kinds: over test pictures
(bootstrap, each picture's mean over the seeds), and from the worst to the best
seed.
"""

import dataclasses
import os

import numpy as np

from tfcolor.evaluation import aggregate
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import class_report
from tfcolor.evaluation import class_tables
from tfcolor.evaluation import color_groups
from tfcolor.evaluation.class_predictions import ClassPredictions

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
        gain: Estimate of the accuracy minus that of a random trunk, paired by
            picture; None for a random trunk, or where no run has one.
        errors: GroupErrors of all runs together, or None without groups.
    """

    setting: Setting
    seeds: int
    accuracy: aggregate.Estimate
    by_seed: list[float]
    top3: aggregate.Estimate
    gain: aggregate.Estimate | None
    errors: color_groups.GroupErrors | None


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
        if not os.path.isfile(os.path.join(report, class_report.SUMMARY)):
            continue
        predictions = class_predictions.read_csv(
            os.path.join(report, class_report.PREDICTIONS)
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
        groups: dict from class to colour group, or None.

    Returns:
        list of Row: frozen and small ones first.
    """
    rows = []
    for setting in sorted(runs, key=_order):
        found = list(runs[setting].values())
        random = runs.get(dataclasses.replace(setting, trunk=RANDOM))
        right = _mean_right(found)
        gain = None
        if random and setting.trunk != RANDOM:
            gain = _estimate(right - _mean_right(list(random.values())))
        rows.append(
            Row(
                setting=setting,
                seeds=len(found),
                accuracy=_estimate(right),
                by_seed=[float(p.right().mean()) for p in found],
                top3=_estimate(_mean_right(found, 3)),
                gain=gain,
                errors=groups and color_groups.group_errors(found, groups),
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


def _estimate(column: np.ndarray) -> aggregate.Estimate:
    return aggregate.estimate(lambda x: x.mean(axis=-1), column)


def csv_text(rows: list[Row]) -> str:
    """Writes the table as CSV, shares in 0..1.

    Args:
        rows: list of Row, at least one.

    Returns:
        str.
    """
    return class_tables.csv_text([_Cells(*_cells(row)) for row in rows])


@dataclasses.dataclass(frozen=True)
class _Cells:
    trunk: str
    freeze: str
    inputs: str
    pictures_per_class: str
    seeds: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    worst_seed: float
    best_seed: float
    top3: float
    top3_low: float
    top3_high: float
    gain: float
    gain_low: float
    gain_high: float
    errors: int
    errors_inside: int
    inside_share: float
    inside_low: float
    inside_high: float
    even_share: float
    regrouped_share: float
    p_value: float


def _cells(row: Row) -> list:
    s = row.setting
    gain = row.gain or aggregate.Estimate(float("nan"))
    errors = row.errors or color_groups.GroupErrors(0, 0, *[float("nan")] * 6)
    return [
        *(s.trunk, s.freeze, s.inputs, s.pictures_per_class, row.seeds),
        *dataclasses.astuple(row.accuracy),
        *(min(row.by_seed), max(row.by_seed)),
        *dataclasses.astuple(row.top3),
        *dataclasses.astuple(gain),
        *dataclasses.astuple(errors),
    ]


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
        "paired by picture.",
        "",
        "| trunk | learns | input | pictures a class | seeds | accuracy | "
        "worst .. best seed | top-3 | gain over random |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        s = row.setting
        learns = "the head" if s.freeze == "trunk" else "everything"
        spread = f"{100 * min(row.by_seed):.1f} .. {100 * max(row.by_seed):.1f}"
        gain = class_tables.percent(row.gain, sign=True) if row.gain else "–"
        lines.append(
            f"| {s.trunk} | {learns} | {s.inputs} | {s.pictures_per_class} | "
            f"{row.seeds} | {class_tables.percent(row.accuracy)} | {spread} | "
            f"{class_tables.percent(row.top3)} | {gain} |"
        )
    return "\n".join([*lines, *_error_lines(rows)]) + "\n"


def _error_lines(rows: list[Row]) -> list[str]:
    if not any(row.errors and row.errors.errors for row in rows):
        return []
    lines = [
        "",
        "Errors inside a colour group, in percent of the errors of all seeds. "
        "Even: if errors were spread evenly over the wrong classes. "
        "Regrouped: mean over other groups of the same sizes; p: part of "
        "these with at least the share found.",
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
        share = aggregate.Estimate(e.share, e.low, e.high)
        lines.append(
            f"| {s.trunk} | {learns} | {s.inputs} | {s.pictures_per_class} | "
            f"{e.errors} | {class_tables.percent(share)} | "
            f"{100 * e.even_share:.1f} | {100 * e.regrouped_share:.1f} | "
            f"{e.p_value:.3f} |"
        )
    return lines
