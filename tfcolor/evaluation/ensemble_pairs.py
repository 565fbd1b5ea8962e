"""Variants of the ensemble against each other, and by what AlexNet knew."""

import os

import numpy as np

from tfcolor.evaluation import by_class
from tfcolor.evaluation import by_class_tables
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import class_report
from tfcolor.evaluation import color_scores
from tfcolor.evaluation.color_scores import ColorScores


def read_right(classifiers: dict[int, str]) -> dict[int, dict[str, bool]]:
    """Reads of which test pictures the classifiers were right.

    Args:
        classifiers: dict from seed to the folder of a finished run.

    Returns:
        dict from seed to a dict from a picture's name to whether its class was
        found.
    """
    found = {}
    for seed, folder in classifiers.items():
        path = os.path.join(folder, "report", class_report.PREDICTIONS)
        predictions = class_predictions.read_csv(path)
        right = predictions.right().astype(bool)
        found[seed] = dict(zip(predictions.names, right, strict=True))
    return found


def pair_table(scores: ColorScores) -> list[list[str]]:
    """Builds the table of every variant against every other.

    Args:
        scores: ColorScores of the variants.

    Returns:
        list of rows of str, the header first: the change of the row's loss
        against the column's, %.
    """
    losses = {n: v[color_scores.MSE] for n, v in scores.values.items()}
    rows = [["loss of, against", *losses]]
    for name, loss in losses.items():
        cells = [
            "–" if other == name else _change(loss, losses[other])
            for other in losses
        ]
        rows.append([name, *cells])
    return rows


def right_table(
    runs: dict[str, dict[int, ColorScores]],
    right: dict[int, dict[str, bool]],
    seeds: list[int],
) -> list[list[str]]:
    """Builds the table of changes where the classifier is right, and wrong.

    Args:
        runs: dict from variant to a dict from seed to ColorScores.
        right: dict, of `read_right`, with all of the seeds.
        seeds: list of int, of which every variant has scores.

    Returns:
        list of rows of str, the header first: each variant's change of the
        loss against the first variant, %. A case is a picture and a seed;
        intervals are over pictures.
    """
    first, *others = runs
    names = runs[first][seeds[0]].names
    known = np.array([[right[seed][n] for n in names] for seed in seeds])
    losses = {
        variant: np.array(
            [found[seed].values[variant][color_scores.MSE] for seed in seeds]
        )
        for variant, found in runs.items()
    }
    rows = [["the classifier is", "cases", *others]]
    for word, cases in (("right", known), ("wrong", ~known)):
        some = cases.any(axis=0)
        sums = {
            name: (loss * cases).sum(axis=0)[some]
            for name, loss in losses.items()
        }
        changes = [_change(sums[name], sums[first]) for name in others]
        rows.append([word, str(cases.sum()), *changes])
    return rows


def _change(loss, other) -> str:
    """Writes how a loss differs from another one; a dash without pictures."""
    if not len(loss):
        return "–"
    return by_class_tables.percent(by_class.relative_change(other, loss))
