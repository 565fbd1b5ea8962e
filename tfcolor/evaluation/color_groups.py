"""Errors inside a colour group against errors between groups.

If a classifier took things of one colour for one another, more of its errors
would fall inside the groups than chance has it. Two baselines say what chance
has: errors spread evenly over the wrong classes, and the same confusion
matrix with other groups of the same sizes.
"""

import dataclasses
import math
import os

import numpy as np

from tfcolor.data import foreign_files
from tfcolor.evaluation import intervals
from tfcolor.evaluation.class_predictions import ClassPredictions

FILE = "color_groups.json"
# Other groups are tried one and all up to this number, and drawn above it.
_MAX_GROUPINGS = 20_000
_SEED = 0


@dataclasses.dataclass(frozen=True)
class GroupErrors:
    """Where the errors of a classifier fall.

    Attributes:
        errors: int, of all pictures.
        inside: int, of them, those whose true and predicted class are of one
            group.
        share: float, `inside / errors`; NaN without errors, as all below.
        low: float, lower end of its 95 % bootstrap interval over errors.
        high: float, the upper end.
        even_share: float, the share if each error went to any wrong class
            with the same chance.
        regrouped_share: float, the mean share over all ways to make groups
            of the same sizes.
        p_value: float, part of those ways with at least the share found.
    """

    errors: int
    inside: int
    share: float
    low: float
    high: float
    even_share: float
    regrouped_share: float
    p_value: float


def read(folder: str, class_names: tuple[str, ...]) -> dict[str, str] | None:
    """Reads the colour groups of a data set.

    Args:
        folder: str, of the data set, perhaps with `color_groups.json`: a dict
            from the name of a class to that of its group.
        class_names: tuple of str.

    Returns:
        dict from each class to its group; None if there is no such file.

    Raises:
        ValueError: the file is not such a dict, or lacks a class.
    """
    path = os.path.join(folder, FILE)
    if not os.path.isfile(path):
        return None
    try:
        groups = foreign_files.read_json(path)
    except ValueError as error:
        raise ValueError(
            f"{FILE} must be JSON. Received: {path!r} ({error})"
        ) from error
    known = groups if isinstance(groups, dict) else {}
    missing = [name for name in class_names if name not in known]
    if not isinstance(groups, dict) or missing:
        raise ValueError(
            f"{FILE} must give the group of every class. Received: {path!r} "
            f"without {missing}"
        )
    return {name: str(groups[name]) for name in class_names}


def order(
    class_names: tuple[str, ...], groups: dict[str, str] | None
) -> list[int]:
    """Orders classes so that those of a group are together.

    Args:
        class_names: tuple of str.
        groups: dict from class to group, or None.

    Returns:
        list of int, places in `class_names`.
    """
    places = range(len(class_names))
    if groups is None:
        return list(places)
    return sorted(places, key=lambda i: (groups[class_names[i]], i))


def group_errors(
    predictions: list[ClassPredictions], groups: dict[str, str]
) -> GroupErrors:
    """Counts errors inside and between groups, of one or several runs.

    Args:
        predictions: list of ClassPredictions of the same classes.
        groups: dict from class to group.

    Returns:
        GroupErrors of all runs' errors together.
    """
    class_names = predictions[0].class_names
    names = sorted(set(groups.values()))
    group = np.array([names.index(groups[name]) for name in class_names])
    true = np.concatenate([p.labels for p in predictions])
    best = np.concatenate([p.predicted() for p in predictions])
    true, best = true[true != best], best[true != best]
    nan = float("nan")
    if not len(true):
        return GroupErrors(0, 0, *[nan] * 6)
    inside = (group[true] == group[best]).astype(float)
    low, high = intervals.interval(lambda x: x.mean(axis=-1), inside)
    sizes = np.bincount(group)
    even = (sizes[group[true]] - 1) / (len(group) - 1)
    shares = _shares_of_groupings(true, best, group)
    return GroupErrors(
        errors=len(true),
        inside=int(inside.sum()),
        share=float(inside.mean()),
        low=low,
        high=high,
        even_share=float(even.mean()),
        regrouped_share=float(shares.mean()),
        # Less than one error, against rounding.
        p_value=float((shares >= inside.mean() - 0.5 / len(true)).mean()),
    )


def _shares_of_groupings(true, best, group) -> np.ndarray:
    """The share inside for every grouping with groups of the same sizes."""
    count = len(group)
    errors = np.zeros([count, count])
    np.add.at(errors, (true, best), 1)
    groupings = _groupings(group)
    members = groupings[:, None, :] == np.arange(group.max() + 1)[None, :, None]
    members = members.astype(float)
    inside = np.einsum("pgi,ij,pgj->p", members, errors, members, optimize=True)
    return inside / errors.sum()


def _groupings(group: np.ndarray) -> np.ndarray:
    sizes = np.bincount(group)
    number = math.factorial(len(group))
    for size in sizes:
        number //= math.factorial(int(size))
    if number <= _MAX_GROUPINGS:
        return np.array(list(_arrangements(list(sizes), len(group))))
    rng = np.random.default_rng(_SEED)
    drawn = [rng.permutation(group) for _ in range(_MAX_GROUPINGS - 1)]
    return np.array([group, *drawn])


def _arrangements(left: list[int], length: int):
    """Yields every order of `left[g]` items of each kind g."""
    if not length:
        yield []
        return
    for kind, count in enumerate(left):
        if count:
            left[kind] -= 1
            for rest in _arrangements(left, length - 1):
                yield [kind, *rest]
            left[kind] += 1
