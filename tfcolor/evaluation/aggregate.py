"""Means over pictures, with their 95 % bootstrap intervals."""

import dataclasses

import numpy as np

from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.intervals import interval


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A value and the ends of its 95 % interval.

    Attributes:
        value: float.
        low: float; NaN where there is no interval.
        high: float; NaN where there is no interval.
    """

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclasses.dataclass(frozen=True)
class Colorfulness:
    """A method's colourfulness beside that of the truth.

    Attributes:
        mean: Estimate of the mean.
        ratio: Estimate of the mean over the mean of the truth; NaN if that
            is 0.
        difference_of_means: Estimate of |mean - mean of the truth|.
        mean_difference: Estimate of the mean of |own - the truth's own|.
    """

    mean: Estimate
    ratio: Estimate
    difference_of_means: Estimate
    mean_difference: Estimate


@dataclasses.dataclass(frozen=True)
class Summary:
    """The row of a method.

    Attributes:
        means: dict from the key of a metric to the Estimate of its mean.
        gain: Estimate of the mean PSNR difference over grey, paired, in dB.
        median_gain: float, the median of that difference in dB.
        colorfulness: dict from the key of a metric to Colorfulness.
        shares: dict, as `shares` returns it; empty if pixels were not counted.
    """

    means: dict[str, Estimate]
    gain: Estimate
    median_gain: float
    colorfulness: dict[str, Colorfulness]
    shares: dict[str, Estimate]


def _mean(column):
    return column.mean(axis=-1)


def _ratio(column, truth):
    true_mean = truth.mean(axis=-1)
    # Divided by NaN where the truth is grey: no ratio exists.
    return column.mean(axis=-1) / np.where(true_mean > 0, true_mean, np.nan)


def _difference_of_means(column, truth):
    return np.abs(column.mean(axis=-1) - truth.mean(axis=-1))


def _mean_difference(column, truth):
    return np.abs(column - truth).mean(axis=-1)


def estimate(statistic, *columns: np.ndarray) -> Estimate:
    """Computes a statistic over pictures and its interval.

    Args:
        statistic: function of float64 arrays [R, N] to a float64 array [R].
        *columns: float64 arrays [N].

    Returns:
        Estimate.
    """
    value = float(statistic(*(column[np.newaxis] for column in columns))[0])
    return Estimate(value, *interval(statistic, *columns))


def _colorfulness(column, truth) -> Colorfulness:
    return Colorfulness(
        mean=estimate(_mean, column),
        ratio=estimate(_ratio, column, truth),
        difference_of_means=estimate(_difference_of_means, column, truth),
        mean_difference=estimate(_mean_difference, column, truth),
    )


def shares(counts: dict[str, np.ndarray]) -> dict[str, Estimate]:
    """Computes the shares of pixels over all pictures.

    Pictures are drawn for the interval, not pixels. There is no interval where
    so few pictures have pixels that count that a draw may miss them all.

    Args:
        counts: dict from the keys of `hue_shares.SHARES` to a float64 array
            [2, N]: hits, and pixels that count.

    Returns:
        dict from these keys to the Estimate of the sum of hits over the sum of
        pixels; NaN if no pixel counts.
    """
    return {
        key: estimate(hue_shares.pooled, *columns)
        for key, columns in counts.items()
    }


def summarize(comparison: Comparison) -> dict[str, Summary]:
    """Computes the row of every method.

    Args:
        comparison: Comparison of at least one picture.

    Returns:
        dict from the name of a method to its Summary, baselines first.
    """
    summaries = {}
    for name, values in comparison.values.items():
        gain = comparison.gain(name)
        summaries[name] = Summary(
            means={
                m.key: estimate(_mean, values[m.key])
                for m in comparison.metrics
            },
            gain=estimate(_mean, gain),
            median_gain=float(np.median(gain)),
            colorfulness={
                m.key: _colorfulness(values[m.key], comparison.truth[m.key])
                for m in measure.COLORFULNESS
            },
            shares=shares(comparison.counts.get(name, {})),
        )
    return summaries


def differences(comparison: Comparison) -> dict[str, dict[str, Estimate]]:
    """Computes how methods differ from the first one, picture by picture.

    Args:
        comparison: Comparison of at least one picture.

    Returns:
        dict from the name of each method but the first to a dict from the key
        of a metric to the Estimate of the mean of its value minus that of the
        first method, paired, and from the key of a share to that of its
        difference.
    """
    first, *others = comparison.methods()
    values, counts = comparison.values, comparison.counts
    found = {}
    for name in others:
        found[name] = {
            m.key: estimate(_mean, values[name][m.key] - values[first][m.key])
            for m in comparison.metrics
        }
        for key, columns in counts.get(name, {}).items():
            found[name][key] = estimate(
                hue_shares.pooled_difference, *columns, *counts[first][key]
            )
    return found
