"""What reports make of a comparison: intervals, CSV and Markdown tables."""

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation import packages
from tfcolor.evaluation import perceptual
from tfcolor.evaluation.compare import TRUE
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.methods import shown_names

if TYPE_CHECKING:
    import pandas

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0
# Values drawn at a time: bounds memory for thousands of pictures.
_BLOCK = 2**21


def interval(
    statistic: Callable[..., np.ndarray],
    *columns: np.ndarray,
    groups: np.ndarray | None = None,
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
        groups: int array [N] or None. Pictures of one number, such as crops
            of one photograph, are drawn together: the statistic gets the sums
            of each group, and must be made of ratios of sums.
        resamples: int.
        seed: int. Equal seeds give equal intervals.

    Returns:
        The lower and the upper end; NaN for fewer than two pictures, or
        groups.

    Reference:
        B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993,
        section 13.3.
    """
    if groups is not None:
        _, places = np.unique(groups, return_inverse=True)
        columns = [np.bincount(places, column) for column in columns]
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

    def scaled(self, factor: float) -> "Estimate":
        """Returns the Estimate in units of 1 / `factor`."""
        ends = self.value, self.low, self.high
        return Estimate(*(end * factor for end in ends))


@dataclasses.dataclass(frozen=True)
class Colorfulness:
    """A method's colorfulness beside that of the truth.

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


def _ratio(column, truth):
    true_mean = truth.mean(axis=-1)
    # Divided by NaN where the truth is grey: no ratio exists.
    return column.mean(axis=-1) / np.where(true_mean > 0, true_mean, np.nan)


def _size(signed: Estimate) -> Estimate:
    """The estimate of a value without its sign."""
    low, high = sorted((abs(signed.low), abs(signed.high)))
    if signed.low <= 0 <= signed.high:
        low = 0.0
    return Estimate(abs(signed.value), low, high)


def estimate(
    statistic, *columns: np.ndarray, groups: np.ndarray | None = None
) -> Estimate:
    """Computes a statistic over pictures and its interval.

    Args:
        statistic: function of float64 arrays [R, N] to a float64 array [R].
        *columns: float64 arrays [N].
        groups: int array [N] or None; see `interval`.

    Returns:
        Estimate.
    """
    value = float(statistic(*(column[np.newaxis] for column in columns))[0])
    return Estimate(value, *interval(statistic, *columns, groups=groups))


def mean(column: np.ndarray, groups: np.ndarray | None = None) -> Estimate:
    """Estimates a mean over pictures.

    Args:
        column: float64 array [N].
        groups: int array [N] or None; see `interval`.

    Returns:
        Estimate.
    """
    ones = np.ones(len(column))
    return estimate(hue_shares.pooled, column, ones, groups=groups)


def _colorfulness(column, truth, groups) -> Colorfulness:
    return Colorfulness(
        mean=mean(column, groups),
        ratio=estimate(_ratio, column, truth, groups=groups),
        difference_of_means=_size(mean(column - truth, groups)),
        mean_difference=mean(np.abs(column - truth), groups),
    )


def shares(
    counts: dict[str, np.ndarray], groups: np.ndarray | None = None
) -> dict[str, Estimate]:
    """Computes the shares of pixels over all pictures.

    Pictures are drawn for the interval, not pixels. There is no interval where
    so few pictures have pixels that count that a draw may miss them all.

    Args:
        counts: dict from the keys of `hue_shares.SHARES` to a float64 array
            [2, N]: hits, and pixels that count.
        groups: int array [N] or None; see `interval`.

    Returns:
        dict from these keys to the Estimate of the sum of hits over the sum of
        pixels; NaN if no pixel counts.
    """
    return {
        key: estimate(hue_shares.pooled, *columns, groups=groups)
        for key, columns in counts.items()
    }


def summarize(comparison: Comparison) -> dict[str, Summary]:
    """Computes the row of every method.

    Args:
        comparison: Comparison of at least one picture.

    Returns:
        dict from the name of a method to its Summary, baselines first.
    """
    summaries, groups = {}, comparison.files
    for name, values in comparison.values.items():
        gain = comparison.gain(name)
        summaries[name] = Summary(
            means={
                m.key: mean(values[m.key], groups) for m in comparison.metrics
            },
            gain=mean(gain, groups),
            median_gain=float(np.median(gain)),
            colorfulness={
                m.key: _colorfulness(
                    values[m.key], comparison.truth[m.key], groups
                )
                for m in measure.COLORFULNESS
            },
            shares=shares(comparison.counts(name), groups),
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
    groups = comparison.files
    found = {}
    for name in others:
        found[name] = {
            m.key: mean(values[name][m.key] - values[first][m.key], groups)
            for m in comparison.metrics
        }
        for key, columns in counts(name).items():
            found[name][key] = estimate(
                hue_shares.pooled_difference,
                *columns,
                *counts(first)[key],
                groups=groups,
            )
    return found


TRUTH = "truth"


def csv_text(
    rows: "pandas.DataFrame | list[dict]",
    *,
    form: str | None = "%.6g",
    missing: str = "nan",
) -> str:
    """Writes rows as CSV.

    Args:
        rows: DataFrame, whose index is left out, or list of dicts with the
            same keys, at least one.
        form: str, how floats are written; None: with all their digits.
        missing: str, what stands for NaN.

    Returns:
        str.
    """
    if isinstance(rows, list):
        floats = [k for k, v in rows[0].items() if isinstance(v, float)]
        # Names as they are: those of files need not be UTF-8.
        rows = packages.pandas.DataFrame(rows, dtype=object).astype(
            dict.fromkeys(floats, float)
        )
    return rows.to_csv(
        index=False, float_format=form, na_rep=missing, lineterminator="\r\n"
    )


def _share_columns(comparison: Comparison, method: str) -> dict:
    """Returns, by title, shares of each picture and how many pixels count."""
    found = {}
    for key, (hits, pixels) in comparison.counts(method).items():
        found[key] = hue_shares.pooled(hits[:, None], pixels[:, None])
        found[f"{key}_pixels"] = pixels
    return found


def wide_table(comparison: Comparison) -> "pandas.DataFrame":
    """Makes a table with a row for every picture and method.

    A share stands beside the number of pixels that count, so that those of
    several pictures can be pooled; it is NaN where that is 0.

    Args:
        comparison: Comparison.

    Returns:
        DataFrame, the methods of the first picture first.
    """
    brown = {
        f"true_{title}": column
        for title, column in _share_columns(comparison, TRUE).items()
        if title.startswith("brown")
    }
    pd = packages.pandas
    names = pd.Series(shown_names(comparison.pictures), dtype=object)
    parts = []
    for method, values in comparison.values.items():
        parts.append(
            pd.DataFrame(
                {
                    "picture": names,
                    "method": pd.Series([method] * len(names), dtype=object),
                    "geometry": comparison.geometry,
                    "width": [width for width, _ in comparison.sizes],
                    "height": [height for _, height in comparison.sizes],
                    **{m.key: values[m.key] for m in comparison.metrics},
                    "psnr_gain": comparison.gain(method),
                    **{
                        f"true_{m.key}": comparison.truth[m.key]
                        for m in measure.COLORFULNESS
                    },
                    **_share_columns(comparison, method),
                    **brown,
                }
            )
        )
    return pd.concat(parts).sort_index(kind="stable")


def format_estimate(
    estimate: Estimate, digits: int, *, sign: bool = False
) -> str:
    """Writes a value and its interval: "24.31 [24.10, 24.52]".

    Args:
        estimate: Estimate.
        digits: int, decimals.
        sign: bool, whether positive values get a plus.

    Returns:
        str; a dash for NaN.
    """
    if math.isnan(estimate.value):
        return "–"
    form = f"{'+' if sign else ''}.{digits}f"
    if math.isnan(estimate.low):
        return f"{estimate.value:{form}}"
    low, high = (f"{end:{form}}" for end in (estimate.low, estimate.high))
    return f"{estimate.value:{form}} [{low}, {high}]"


def percent(estimate: Estimate, digits: int = 1, *, sign: bool = False) -> str:
    """Writes a share and its interval in percent: "54.0 [48.1, 59.9]"."""
    return format_estimate(estimate.scaled(100), digits, sign=sign)


def quality_table(
    comparison: Comparison, summaries: dict[str, Summary]
) -> list[list[str]]:
    """Builds the table of everything but colorfulness.

    Args:
        comparison: Comparison.
        summaries: dict, as `summarize` returns it.

    Returns:
        list of rows of str, the header first.
    """
    shown = [m for m in comparison.metrics if m.better != "truth"]
    titles = [
        m.title + {"higher": " ↑", "lower": " ↓"}[m.better] for m in shown
    ]
    gains = ["gain over grey (dB) ↑", "median gain (dB) ↑"]
    header = ["method", titles[0], *gains, *titles[1:]]
    distances = {
        "FID": comparison.fid,
        perceptual.EFFICIENTNET_DISTANCE: comparison.efficientnet,
    }
    distances = {title: found for title, found in distances.items() if found}
    rows = [header + [f"{title} ↓" for title in distances]]
    for name, summary in summaries.items():
        cells = [format_estimate(summary.means[m.key], m.digits) for m in shown]
        gain = format_estimate(summary.gain, 2, sign=True)
        row = [name, cells[0], gain, f"{summary.median_gain:+.2f}", *cells[1:]]
        for found in distances.values():
            row.append(format_estimate(Estimate(found[name]), 2))
        rows.append(row)
    return rows


def share_table(
    comparison: Comparison, summaries: dict[str, Summary]
) -> list[list[str]]:
    """Builds the table of right colors, and of brown.

    Args:
        comparison: Comparison with counts.
        summaries: dict, as `summarize` returns it.

    Returns:
        list of rows of str, the header first, the truth last.
    """
    arrows = {"higher": " ↑", "truth": ""}
    columns = [s.title + arrows[s.better] for s in hue_shares.SHARES]
    rows = [["method", *columns]]
    for name, summary in summaries.items():
        cells = [
            format_estimate(summary.shares[s.key], s.digits)
            for s in hue_shares.SHARES
        ]
        rows.append([name, *cells])
    truth = shares(comparison.counts(TRUE), comparison.files)
    cells = [
        format_estimate(truth[s.key], s.digits)
        if s.better == "truth"
        # The truth is right wherever it has such a color.
        else format_estimate(Estimate(truth[s.key].value), 0)
        for s in hue_shares.SHARES
    ]
    return [*rows, [TRUTH, *cells]]


def colorfulness_table(
    comparison: Comparison, summaries: dict[str, Summary]
) -> list[list[str]]:
    """Builds the table of colorfulness.

    Args:
        comparison: Comparison.
        summaries: dict, as `summarize` returns it.

    Returns:
        list of rows of str, the header first, the truth last.
    """
    rows = [
        [
            "method",
            "definition",
            "mean",
            "ratio to truth",
            "abs. difference of means ↓",
            "mean abs. difference ↓",
        ]
    ]
    for metric in measure.COLORFULNESS:
        definition = metric.key.removeprefix("colorfulness_")
        for name, summary in summaries.items():
            color = summary.colorfulness[metric.key]
            rows.append(
                [
                    name,
                    definition,
                    format_estimate(color.mean, 2),
                    format_estimate(color.ratio, 3),
                    format_estimate(color.difference_of_means, 2),
                    format_estimate(color.mean_difference, 2),
                ]
            )
        true_mean = float(comparison.truth[metric.key].mean())
        rows.append([TRUTH, definition, f"{true_mean:.2f}", "1", "0", "0"])
    return rows


def difference_table(comparison: Comparison) -> list[list[str]]:
    """Builds the table of what methods are better or worse than the first.

    Args:
        comparison: Comparison of at least two methods.

    Returns:
        list of rows of str, the header first.
    """
    first = comparison.methods()[0]
    shown = [*comparison.metrics]
    if comparison.counts(TRUE):
        shown += hue_shares.SHARES
    rows = [[f"minus {first}", *(m.title for m in shown)]]
    for name, estimates in differences(comparison).items():
        cells = [
            format_estimate(estimates[m.key], m.digits, sign=True)
            for m in shown
        ]
        rows.append([name, *cells])
    return rows


def tables(comparison: Comparison) -> list[tuple[str, list[list[str]]]]:
    """Builds all tables of an evaluation.

    Args:
        comparison: Comparison of at least one picture.

    Returns:
        list of (heading, rows); the first is the main one.
    """
    summaries = summarize(comparison)
    found = [
        ("Quality", quality_table(comparison, summaries)),
        ("Colorfulness", colorfulness_table(comparison, summaries)),
    ]
    if comparison.counts(TRUE):
        found.insert(1, ("Right colors", share_table(comparison, summaries)))
    if len(comparison.methods()) > 1:
        found.append(("Paired differences", difference_table(comparison)))
    inside = comparison.in_boxes
    if inside is not None and inside.pictures:
        count = _counted(len(inside.pictures), "picture")
        where = f"inside boxes, {count}"
        found += [(f"{title}, {where}", rows) for title, rows in tables(inside)]
    return found


def markdown_table(rows: list[list[str]]) -> str:
    """Writes rows of str, the header first, as a Markdown table."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    left = rows[0].index("definition") if "definition" in rows[0] else 0
    rule = [":--" if i <= left else "--:" for i in range(len(rows[0]))]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def heading(comparison: Comparison) -> str:
    """Names what was compared, for example "300 pictures, original size"."""
    pictures = _counted(len(set(comparison.files)), "picture")
    if comparison.has_crops:
        crops = _counted(len(comparison.pictures), "crop")
        pictures = f"{crops} of {pictures}"
    return f"{pictures}, {comparison.geometry}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def markdown(
    comparison: Comparison,
    titled_tables: list[tuple[str, list[list[str]]]],
    sentences: list[str],
) -> str:
    """Writes the summary of an evaluation.

    Args:
        comparison: Comparison.
        titled_tables: list, as `tables` returns it.
        sentences: list of str, as `report.notes` returns it.

    Returns:
        str, Markdown.
    """
    parts = [f"## Evaluation: {heading(comparison)}"]
    for title, rows in titled_tables:
        parts += [f"### {title}", markdown_table(rows)]
    parts.append("\n".join(f"- {note}" for note in sentences))
    if comparison.failures:
        failed = [f"- `{path}`: {why}" for path, why in comparison.failures]
        parts += ["Left out:", "\n".join(failed)]
    return "\n\n".join(parts) + "\n"
