"""Means over pictures, with their 95 % bootstrap intervals."""

import dataclasses

import numpy as np

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
    """

    means: dict[str, Estimate]
    gain: Estimate
    median_gain: float
    colorfulness: dict[str, Colorfulness]


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
        )
    return summaries


def differences(comparison: Comparison) -> dict[str, dict[str, Estimate]]:
    """Computes how methods differ from the first one, picture by picture.

    Args:
        comparison: Comparison of at least one picture.

    Returns:
        dict from the name of each method but the first to a dict from the key
        of a metric to the Estimate of the mean of its value minus that of the
        first method, paired.
    """
    first, *others = comparison.methods()
    values = comparison.values
    return {
        name: {
            m.key: estimate(_mean, values[name][m.key] - values[first][m.key])
            for m in comparison.metrics
        }
        for name in others
    }
