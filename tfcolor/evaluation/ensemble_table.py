"""The results of the experiment on ensembles: variants over several seeds."""

import json
import os

import numpy as np

from tfcolor.evaluation import aggregate
from tfcolor.evaluation import by_class_tables
from tfcolor.evaluation import class_report
from tfcolor.evaluation import color_scores
from tfcolor.evaluation import ensemble_pairs
from tfcolor.evaluation import report_tables
from tfcolor.evaluation.color_scores import ColorScores

CLASSIFIER = "classifier"
_SCALE = 1000


def read_runs(
    conditions: dict[str, dict], scores_file: str
) -> dict[str, dict[int, ColorScores]]:
    """Reads the finished runs of colorizers.

    Args:
        conditions: dict from the folder of a run to a dict with "variant" and
            "seed".
        scores_file: str, path of the scores inside a folder.

    Returns:
        dict from variant to a dict from seed to ColorScores of one method.

    Raises:
        ValueError: runs were measured on different pictures.
    """
    runs, names = {}, None
    for folder, condition in conditions.items():
        path = os.path.join(folder, scores_file)
        variant = condition["variant"]
        if variant == CLASSIFIER or not os.path.isfile(path):
            continue
        scores = color_scores.read_csv(path, method=variant)
        if names not in (None, scores.names):
            raise ValueError(
                "All runs of an experiment must be measured on the same "
                f"pictures. Received: {path!r} with other ones"
            )
        names = scores.names
        runs.setdefault(variant, {})[condition["seed"]] = scores
    return runs


def finished_classifiers(conditions: dict[str, dict]) -> dict[int, str]:
    """Finds the finished runs of classifiers.

    Args:
        conditions: dict, as for `read_runs`.

    Returns:
        dict from seed to the folder of a run.
    """
    return {
        condition["seed"]: folder
        for folder, condition in conditions.items()
        if condition["variant"] == CLASSIFIER
        and os.path.isfile(_summary_path(folder))
    }


def _summary_path(folder) -> str:
    return os.path.join(folder, "report", class_report.SUMMARY)


def ordered(runs: dict, variants: list[str]) -> dict:
    """Puts runs in the order of the variants; those without runs are left out.

    Args:
        runs: dict, of `read_runs`.
        variants: list of str.

    Returns:
        dict.
    """
    return {name: runs[name] for name in variants if name in runs}


def common_seeds(runs: dict) -> list[int]:
    """Returns the seeds that every variant has, in order."""
    seeds = [set(found) for found in runs.values()]
    return sorted(set.intersection(*seeds)) if seeds else []


def over_seeds(runs: dict) -> ColorScores | None:
    """Takes each picture's mean over the seeds that every variant has.

    Args:
        runs: dict, of `ordered`.

    Returns:
        ColorScores of all variants; None if no seed is common.
    """
    seeds = common_seeds(runs)
    if not seeds:
        return None
    any_scores = next(iter(runs.values()))[seeds[0]]
    values = {
        variant: {
            key: np.mean([found[s].values[variant][key] for s in seeds], axis=0)
            for key in color_scores.KEYS
        }
        for variant, found in runs.items()
    }
    return ColorScores(
        any_scores.names, any_scores.classes, values, any_scores.truth
    )


def seed_table(runs: dict) -> list[list[str]]:
    """Builds the table of losses and changes, seed by seed.

    Args:
        runs: dict, of `ordered`.

    Returns:
        list of rows of str, the header first.
    """
    first = next(iter(runs))
    seeds = sorted({seed for found in runs.values() for seed in found})
    header = ["variant", *(f"loss, seed {seed}" for seed in seeds)]
    header += [f"change against {first} of the same seed, %"]
    rows = [header]
    for variant, found in runs.items():
        losses = {s: _loss(found[s], variant) for s in found}
        cells = [
            f"{_SCALE * losses[s]:.3f}" if s in losses else "–" for s in seeds
        ]
        both = [s for s in seeds if s in losses and s in runs[first]]
        changes = [
            100 * (losses[s] / _loss(runs[first][s], first) - 1) for s in both
        ]
        rows.append([variant, *cells, _spread(changes, variant == first)])
    return rows


def _loss(scores: ColorScores, variant: str) -> float:
    return float(scores.values[variant][color_scores.MSE].mean())


def _spread(changes: list[float], is_first: bool) -> str:
    if is_first or not changes:
        return "–"
    each = ", ".join(f"{change:+.2f}" for change in changes)
    if len(changes) < 2:
        return each
    deviation = np.std(changes, ddof=1)
    return f"{np.mean(changes):+.2f} (SD {deviation:.2f}; {each})"


def classifier_sentence(classifiers: dict[int, str]) -> str:
    """Says how good the classifiers of the ensembles are.

    Args:
        classifiers: dict, of `finished_classifiers`.

    Returns:
        str; empty without any.
    """
    parts = []
    for seed, folder in sorted(classifiers.items()):
        with open(_summary_path(folder), encoding="utf-8") as file:
            summary = json.load(file)
        top1, top3 = (
            report_tables.format_estimate(
                aggregate.Estimate(*(100 * v for v in summary[key].values())), 1
            )
            for key in ("accuracy", "top3")
        )
        parts.append(f"seed {seed}: top-1 {top1} %, top-3 {top3} %")
    return f"Classifiers: {'; '.join(parts)}." if parts else ""


def markdown(runs: dict, classifiers: dict[int, str]) -> str:
    """Writes the results.

    Args:
        runs: dict, of `ordered`, with at least one run.
        classifiers: dict, of `finished_classifiers`.

    Returns:
        str.
    """
    parts = ["# Experiment on ensembles"]
    if sentence := classifier_sentence(classifiers):
        parts.append(sentence)
    parts += ["## Seeds", report_tables.markdown_table(seed_table(runs))]
    scores = over_seeds(runs)
    if scores is None:
        return "\n\n".join([*parts, "No seed has all variants yet."]) + "\n"
    seeds = common_seeds(runs)
    numbers = ", ".join(map(str, seeds))
    body = by_class_tables.markdown(
        scores,
        heading=f"{len(scores.names)} test pictures, mean over seeds {numbers}",
        delivered=False,
    )
    if len(runs) > 1:
        parts += _pairs(runs, classifiers, scores, seeds)
    note = (
        "- Intervals are over pictures, of losses averaged over these seeds; "
        "the spread between seeds is in the first table.\n"
    )
    return "\n\n".join([*parts, body]) + note


def _pairs(runs, classifiers, scores, seeds) -> list[str]:
    """Writes how variants differ from each other, paragraph by paragraph."""
    parts = [
        "## Change of the loss, each against each, %",
        report_tables.markdown_table(ensemble_pairs.pair_table(scores)),
    ]
    if set(seeds) <= set(classifiers):
        right = ensemble_pairs.read_right(classifiers)
        table = ensemble_pairs.right_table(runs, right, seeds)
        first = next(iter(runs))
        parts += [
            f"## Change against {first} by what the classifier knew, %",
            report_tables.markdown_table(table),
        ]
    return parts
