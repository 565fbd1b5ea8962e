"""The numbers of an evaluation as CSV and as Markdown."""

import csv
import math

from tfcolor.evaluation import aggregate
from tfcolor.evaluation import baselines
from tfcolor.evaluation import fid
from tfcolor.evaluation import intervals
from tfcolor.evaluation import measure
from tfcolor.evaluation.compare import Comparison

TRUTH = "truth"


def write_csv(comparison: Comparison, path: str) -> None:
    """Writes a row for every picture and method.

    Args:
        comparison: Comparison.
        path: str.
    """
    keys = [metric.key for metric in comparison.metrics]
    header = ["picture", "method", "geometry", "width", "height", *keys]
    header += ["psnr_gain", *(f"true_{m.key}" for m in measure.COLORFULNESS)]
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
        for i, picture in enumerate(comparison.pictures):
            true = [comparison.truth[m.key][i] for m in measure.COLORFULNESS]
            for method, values in comparison.values.items():
                numbers = [values[key][i] for key in keys]
                numbers += [comparison.gain(method)[i], *true]
                row = [picture.name, method, comparison.geometry]
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
    rows = [header + (["FID ↓"] if comparison.fid else [])]
    for name, summary in summaries.items():
        cells = [format_estimate(summary.means[m.key], m.digits) for m in shown]
        gain = format_estimate(summary.gain, 2, sign=True)
        row = [name, cells[0], gain, f"{summary.median_gain:+.2f}", *cells[1:]]
        if comparison.fid:
            fid_only = aggregate.Estimate(comparison.fid[name])
            row.append(format_estimate(fid_only, 2))
        rows.append(row)
    return rows


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
    rows = [[f"minus {first}", *(m.title for m in comparison.metrics)]]
    for name, estimates in aggregate.differences(comparison).items():
        cells = [
            format_estimate(estimates[m.key], m.digits, sign=True)
            for m in comparison.metrics
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
    if len(comparison.methods()) > 1:
        found.append(("Paired differences", difference_table(comparison)))
    inside = comparison.in_boxes
    if inside is not None and inside.pictures:
        count = len(inside.pictures)
        where = f"inside boxes, {count} picture{'' if count == 1 else 's'}"
        found += [(f"{title}, {where}", rows) for title, rows in tables(inside)]
    return found


def notes(comparison: Comparison) -> list[str]:
    """Says in sentences what the numbers are, and what to beware of.

    Args:
        comparison: Comparison.

    Returns:
        list of str.
    """
    lines = [
        "Mean over pictures [95 % bootstrap interval, "
        f"{intervals.RESAMPLES} resamples]. Differences are paired.",
        f"{baselines.GREY}: ab = 0. {baselines.MEAN_AB}: one colour for all "
        "pictures, the mean ab of the true ones. Both keep L.",
        "PSNR over RGB at 8 bits; SSIM with a Gaussian window of 11 x 11, "
        "sigma 1.5; colourfulness after Hasler and Suesstrunk (2003): signed "
        "as published, absolute with |rg| and |yb|.",
    ]
    colors = comparison.truth["colorfulness_absolute"]
    if grey := int((colors < 1).sum()):
        lines.append(
            f"{grey} of the true pictures are grey or nearly so: grey is "
            "right there, and no colour can gain. Read the median gain too."
        )
    if comparison.in_boxes is not None:
        lines.append(
            "Inside boxes: only pixels that lie in at least one box of their "
            "picture, over the pictures that have boxes; the mean ab is that "
            "of the whole pictures."
        )
    if comparison.fid:
        lines.append(
            "FID with Keras' Inception-v3: near, but not equal, to that of "
            "other programs."
        )
        if len(comparison.pictures) < fid.ENOUGH_PICTURES:
            lines.append(
                f"FID of fewer than {fid.ENOUGH_PICTURES} pictures is biased "
                "upwards; compare it only over the same pictures."
            )
    return lines


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
        sentences: list of str, as `notes` returns it.

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
