"""Losses class by class as Markdown and CSV."""

import csv
import io

from tfcolor.evaluation import aggregate
from tfcolor.evaluation import by_class
from tfcolor.evaluation import color_scores
from tfcolor.evaluation import report_tables
from tfcolor.evaluation.color_scores import ColorScores

TITLE = "Loss by class"
# Losses are shown in thousandths, as the study does.
_SCALE = 1000
_ALL = "all pictures"


def _scaled(estimate, factor) -> aggregate.Estimate:
    return aggregate.Estimate(
        estimate.value * factor, estimate.low * factor, estimate.high * factor
    )


def loss_table(
    scores: ColorScores, rows: list[by_class.ClassRow]
) -> list[list[str]]:
    """Builds the table of losses.

    Args:
        scores: ColorScores.
        rows: list of ClassRow.

    Returns:
        list of rows of str, the header first, all pictures last.
    """
    first, *others = scores.values
    header = ["class", "pictures"]
    header += [f"{name}: mean (SD)" for name in scores.values]
    header += [f"{name} minus {first}" for name in others]
    table = [header]
    for row in rows:
        cells = [row.name, str(row.pictures)]
        cells += [
            f"{_SCALE * row.means[m]:.2f} ({_SCALE * row.deviations[m]:.2f})"
            for m in scores.values
        ]
        cells += [
            report_tables.format_estimate(
                _scaled(row.differences[m], _SCALE), 3, sign=True
            )
            for m in others
        ]
        table.append(cells)
    losses = {n: v[color_scores.MSE] for n, v in scores.values.items()}
    total = [_ALL, str(len(scores.names))]
    total += [
        f"{_SCALE * loss.mean():.2f} ({_SCALE * by_class.deviation(loss):.2f})"
        for loss in losses.values()
    ]
    for name in others:
        difference = aggregate.estimate(
            lambda x: x.mean(axis=-1), losses[name] - losses[first]
        )
        total.append(
            report_tables.format_estimate(
                _scaled(difference, _SCALE), 3, sign=True
            )
        )
    return [*table, total]


def percent(change: aggregate.Estimate) -> str:
    """Writes a relative change in percent.

    Args:
        change: aggregate.Estimate, as of `by_class.relative_change`.

    Returns:
        str, such as "-6.22 [-7.93, -4.54]".
    """
    return report_tables.format_estimate(_scaled(change, 100), 2, sign=True)


def change_table(
    scores: ColorScores, rows: list[by_class.ClassRow]
) -> list[list[str]]:
    """Builds the table of how methods differ from the first one.

    Args:
        scores: ColorScores of at least two methods.
        rows: list of ClassRow.

    Returns:
        list of rows of str, the header first.
    """
    first = next(iter(scores.values))
    table = [
        [
            f"against {first}",
            "change of the loss, %",
            "classes improved",
            "interval below 0",
            "interval above 0",
        ]
    ]
    for name, change in by_class.changes(scores, rows).items():
        table.append(
            [
                name,
                percent(change.loss),
                f"{change.improved} of {change.classes}",
                str(change.surely_improved),
                str(change.surely_worse),
            ]
        )
    return table


def yellowness_table(scores: ColorScores) -> list[list[str]]:
    """Builds the table of how yellow pictures are.

    Args:
        scores: ColorScores.

    Returns:
        list of rows of str, the header first, the truth last.
    """
    limit = f"{color_scores.YELLOW_B:.0f}"
    table = [
        [
            "method",
            "mean b",
            "minus truth",
            f"pixels with b > {limit}, %",
            "minus truth, points",
        ]
    ]
    for name, found in by_class.yellowness(scores).items():
        cells = [name]
        for key, factor in zip(color_scores.TRUE_KEYS, (1, 100), strict=True):
            for estimate, sign in zip(found[key], (False, True), strict=True):
                cells.append(
                    report_tables.format_estimate(
                        _scaled(estimate, factor), 2, sign=sign
                    )
                )
        table.append(cells)
    mean_b, share = (scores.truth[k].mean() for k in color_scores.TRUE_KEYS)
    table.append(
        [report_tables.TRUTH, f"{mean_b:.2f}", "0", f"{100 * share:.2f}", "0"]
    )
    return table


def tables(scores: ColorScores) -> list[tuple[str, list[list[str]]]]:
    """Builds all tables.

    Args:
        scores: ColorScores of at least one picture.

    Returns:
        list of (heading, rows).
    """
    rows = by_class.class_rows(scores)
    found = [(TITLE, loss_table(scores, rows))]
    if len(scores.values) > 1:
        found.append(("Change of the loss", change_table(scores, rows)))
    return [*found, ("Yellowness", yellowness_table(scores))]


def notes(*, delivered: bool) -> list[str]:
    """Says what the numbers are.

    Args:
        delivered: bool. Whether the colours are those of the 8-bit pictures,
            or the network's own.

    Returns:
        list of str.
    """
    whose = (
        "of the delivered 8-bit pictures, whose colours are inside sRGB"
        if delivered
        else "of the network's own output at its own size"
    )
    return [
        "Loss by class: mean squared difference of (ab + 128) / 255 x 1000, "
        f"the loss of the study, {whose}; SD over pictures. Differences are "
        "paired, with 95 % bootstrap intervals over the pictures of a class.",
        "No correction is made for the number of classes: of 20 intervals "
        "about one misses by chance.",
    ]


def markdown(scores: ColorScores, *, heading: str, delivered: bool) -> str:
    """Writes all tables.

    Args:
        scores: ColorScores of at least two pictures.
        heading: str.
        delivered: bool; see `notes`.

    Returns:
        str.
    """
    parts = [f"## {heading}"]
    for title, rows in tables(scores):
        parts += [f"### {title}", report_tables.markdown_table(rows)]
    parts.append("\n".join(f"- {n}" for n in notes(delivered=delivered)))
    return "\n\n".join(parts) + "\n"


def csv_text(scores: ColorScores) -> str:
    """Writes a row for every class and method.

    Args:
        scores: ColorScores.

    Returns:
        str.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(
        [
            *("class", "pictures", "method", "mean_mse", "deviation"),
            *("difference", "difference_low", "difference_high"),
        ]
    )
    for row in by_class.class_rows(scores):
        for method in scores.values:
            found = row.differences.get(method, aggregate.Estimate(0.0))
            numbers = [row.means[method], row.deviations[method]]
            numbers += [found.value, found.low, found.high]
            writer.writerow(
                [
                    *(row.name, row.pictures, method),
                    *("" if n != n else f"{n:.6g}" for n in numbers),
                ]
            )
    return file.getvalue()
