"""The numbers of a classifier as Markdown, CSV and JSON."""

import csv
import dataclasses
import io

import numpy as np

from tfcolor.evaluation import aggregate
from tfcolor.evaluation.class_predictions import ClassPredictions
from tfcolor.evaluation.color_groups import GroupErrors
from tfcolor.evaluation.report_tables import format_estimate


@dataclasses.dataclass(frozen=True)
class ClassRow:
    """How well one class is recognized.

    Attributes:
        name: str.
        group: str, its colour group; empty without groups.
        pictures: int, of the class.
        recall: float, part of them that is recognized; NaN without pictures.
        precision: float, part of what is called so that is right; NaN if
            nothing is.
        mistaken_for: str, the wrong class most pictures go to, and how many;
            empty if none does.
    """

    name: str
    group: str
    pictures: int
    recall: float
    precision: float
    mistaken_for: str


def class_rows(
    predictions: ClassPredictions, groups: dict[str, str] | None, order: list
) -> list[ClassRow]:
    """Makes the row of every class.

    Args:
        predictions: ClassPredictions.
        groups: dict from class to group, or None.
        order: list of int, places of the classes.

    Returns:
        list of ClassRow, in this order.
    """
    matrix, rows = predictions.confusion(), []
    for i in order:
        name = predictions.class_names[i]
        true, called, right = matrix[i].sum(), matrix[:, i].sum(), matrix[i, i]
        wrong = matrix[i] - np.eye(len(matrix), dtype=int)[i] * right
        worst = int(wrong.argmax())
        mistaken = f"{predictions.class_names[worst]} ({wrong[worst]})"
        rows.append(
            ClassRow(
                name,
                groups[name] if groups else "",
                int(true),
                right / true if true else float("nan"),
                right / called if called else float("nan"),
                mistaken if wrong[worst] else "",
            )
        )
    return rows


def accuracy(predictions: ClassPredictions, top: int = 1) -> aggregate.Estimate:
    """Returns the part of pictures that is right, with its interval.

    Args:
        predictions: ClassPredictions.
        top: int. How many guesses count.

    Returns:
        Estimate.
    """
    return aggregate.estimate(lambda x: x.mean(axis=-1), predictions.right(top))


def percent(value: aggregate.Estimate, *, sign: bool = False) -> str:
    """Writes a share and its interval in percent: "54.0 [48.1, 59.9]"."""
    scaled = (100 * x for x in dataclasses.astuple(value))
    return format_estimate(aggregate.Estimate(*scaled), 1, sign=sign)


def group_sentence(errors: GroupErrors) -> str:
    """Says where errors fall, beside what chance has it."""
    if not errors.errors:
        return "No errors."
    share = aggregate.Estimate(errors.share, errors.low, errors.high)
    return (
        f"{errors.inside} of {errors.errors} errors stay inside a colour "
        f"group: {percent(share)} %. Spread evenly over the wrong classes it "
        f"would be {100 * errors.even_share:.1f} %; with other groups of the "
        f"same sizes it is {100 * errors.regrouped_share:.1f} % on average, "
        f"and as much or more in {100 * errors.p_value:.1f} % of the ways to "
        f"make them (p = {errors.p_value:.3f})."
    )


def markdown(
    predictions: ClassPredictions,
    rows: list[ClassRow],
    errors: GroupErrors | None,
    *,
    part: str,
) -> str:
    """Writes the summary of a classifier.

    Args:
        predictions: ClassPredictions.
        rows: list of ClassRow.
        errors: GroupErrors or None.
        part: str, what the pictures are, such as "test".

    Returns:
        str.
    """
    lines = [
        f"# {len(predictions.names)} {part} pictures of "
        f"{len(predictions.class_names)} classes",
        "",
        f"Right: {percent(accuracy(predictions))} %; among the best three: "
        f"{percent(accuracy(predictions, 3))} %. In brackets: 95 % bootstrap "
        "intervals over pictures.",
        "",
    ]
    if errors is not None:
        lines += [group_sentence(errors), ""]
    lines += [
        "| class | colour group | pictures | recall % | precision % | most "
        "mistaken for |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.group or '–'} | {row.pictures} | "
            f"{_percent(row.recall)} | {_percent(row.precision)} | "
            f"{row.mistaken_for or '–'} |"
        )
    return "\n".join(lines) + "\n"


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f}"


def csv_text(rows: list) -> str:
    """Writes dataclass instances of one kind as CSV.

    Args:
        rows: list of instances, at least one.

    Returns:
        str.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([field.name for field in dataclasses.fields(rows[0])])
    for row in rows:
        cells = dataclasses.astuple(row)
        writer.writerow(
            [f"{c:.6g}" if isinstance(c, float) else c for c in cells]
        )
    return file.getvalue()
