"""Bootstrap confidence intervals over pictures."""

from collections.abc import Callable

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0
# Values drawn at a time: bounds memory for thousands of pictures.
_BLOCK = 2**21


def interval(
    statistic: Callable[..., np.ndarray],
    *columns: np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float]:
    """Computes the 95 % percentile interval of a statistic of pictures.

    Pictures are drawn with replacement; all columns are drawn together, so
    differences and ratios of columns are paired.

    Args:
        statistic: function of float64 arrays [R, N], one a column, to a
            float64 array [R].
        *columns: float64 arrays [N], one value a picture.
        resamples: int.
        seed: int. Equal seeds give equal intervals.

    Returns:
        The lower and the upper end; NaN for fewer than two pictures.

    Reference:
        B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993,
        section 13.3.
    """
    count = len(columns[0])
    if count < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    statistics = []
    block = max(1, _BLOCK // count)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(0, count, size=(rows, count))
        statistics.append(statistic(*(column[drawn] for column in columns)))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(statistics), [tail, 1 - tail])
    return float(low), float(high)
