"""The numbers of an evaluation as CSV and as Markdown."""

import csv
import math

import numpy as np

from tfcolor.evaluation import aggregate
from tfcolor.evaluation import baselines
from tfcolor.evaluation import efficientnet_distance
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.truth import shown_names

TRUTH = "truth"


def _share_columns(
    comparison: Comparison, name: str | None
) -> dict[str, np.ndarray]:
    """Returns, by title, shares of each picture and how many pixels count."""
    columns = {}
    for key, (hits, pixels) in comparison.counts.get(name, {}).items():
        columns[key] = hue_shares.pooled(hits[:, None], pixels[:, None])
        columns[f"{key}_pixels"] = pixels
    return columns


def write_csv(comparison: Comparison, path: str) -> None:
    """Writes a row for every picture and method.

    A share stands beside the number of pixels that count, so that those of
    several pictures can be pooled; it is NaN where that is 0.

    Args:
        comparison: Comparison.
        path: str.
    """
    shares = {n: _share_columns(comparison, n) for n in comparison.values}
    brown = {
        f"true_{title}": column
        for title, column in _share_columns(comparison, None).items()
        if title.startswith("brown")
    }
    keys = [metric.key for metric in comparison.metrics]
    header = ["picture", "method", "geometry", "width", "height", *keys]
    header += ["psnr_gain", *(f"true_{m.key}" for m in measure.COLORFULNESS)]
    header += [*shares[baselines.GREY], *brown]
    with open(
        path,
        "w",
        newline="",
        encoding="utf-8",
        # Of file names that are not UTF-8.
        errors="backslashreplace",
    ) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for i, shown in enumerate(shown_names(comparison.pictures)):
            true = [comparison.truth[m.key][i] for m in measure.COLORFULNESS]
            for method, values in comparison.values.items():
                numbers = [values[key][i] for key in keys]
                numbers += [comparison.gain(method)[i], *true]
                columns = [*shares[method].values(), *brown.values()]
                numbers += [column[i] for column in columns]
                row = [shown, method, comparison.geometry]
                row += [*comparison.sizes[i], *(f"{n:.6g}" for n in numbers)]
                writer.writerow(row)


def format_estimate(
    estimate: aggregate.Estimate, digits: int, *, sign: bool = False
) -> str:
    """Writes a value and its interval: "24.31 [24.10, 24.52]".

    Args:
        estimate: aggregate.Estimate.
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


def quality_table(
    comparison: Comparison, summaries: dict[str, aggregate.Summary]
) -> list[list[str]]:
    """Builds the table of everything but colourfulness.

    Args:
        comparison: Comparison.
        summaries: dict, as `aggregate.summarize` returns it.

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
        efficientnet_distance.NAME: comparison.efficientnet,
    }
    distances = {title: found for title, found in distances.items() if found}
    rows = [header + [f"{title} ↓" for title in distances]]
    for name, summary in summaries.items():
        cells = [format_estimate(summary.means[m.key], m.digits) for m in shown]
        gain = format_estimate(summary.gain, 2, sign=True)
        row = [name, cells[0], gain, f"{summary.median_gain:+.2f}", *cells[1:]]
        for found in distances.values():
            row.append(format_estimate(aggregate.Estimate(found[name]), 2))
        rows.append(row)
    return rows


def share_table(
    comparison: Comparison, summaries: dict[str, aggregate.Summary]
) -> list[list[str]]:
    """Builds the table of right colours, and of brown.

    Args:
        comparison: Comparison with counts.
        summaries: dict, as `aggregate.summarize` returns it.

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
    truth = aggregate.shares(comparison.counts[None])
    cells = [
        format_estimate(truth[s.key], s.digits)
        if s.better == "truth"
        # The truth is right wherever it has such a colour.
        else format_estimate(aggregate.Estimate(truth[s.key].value), 0)
        for s in hue_shares.SHARES
    ]
    return [*rows, [TRUTH, *cells]]


def colorfulness_table(
    comparison: Comparison, summaries: dict[str, aggregate.Summary]
) -> list[list[str]]:
    """Builds the table of colourfulness.

    Args:
        comparison: Comparison.
        summaries: dict, as `aggregate.summarize` returns it.

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
    if comparison.counts:
        shown += hue_shares.SHARES
    rows = [[f"minus {first}", *(m.title for m in shown)]]
    for name, estimates in aggregate.differences(comparison).items():
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
    summaries = aggregate.summarize(comparison)
    found = [
        ("Quality", quality_table(comparison, summaries)),
        ("Colourfulness", colorfulness_table(comparison, summaries)),
    ]
    if comparison.counts:
        found.insert(1, ("Right colours", share_table(comparison, summaries)))
    if len(comparison.methods()) > 1:
        found.append(("Paired differences", difference_table(comparison)))
    inside = comparison.in_boxes
    if inside is not None and inside.pictures:
        count = len(inside.pictures)
        where = f"inside boxes, {count} picture{'' if count == 1 else 's'}"
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
    count = len(comparison.pictures)
    pictures = "1 picture" if count == 1 else f"{count} pictures"
    return f"{pictures}, {comparison.geometry}"


def markdown(
    comparison: Comparison,
    titled_tables: list[tuple[str, list[list[str]]]],
    sentences: list[str],
) -> str:
    """Writes the summary of an evaluation.

    Args:
        comparison: Comparison.
        titled_tables: list, as `tables` returns it.
        sentences: list of str, as `report_notes.notes` returns it.

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
