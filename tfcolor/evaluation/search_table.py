"""The cells of a grid search over a classifier's settings, as tables."""

import csv
import dataclasses
import io
import os

from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import class_report
from tfcolor.evaluation import class_tables
from tfcolor.evaluation import report_tables
from tfcolor.training.run_folder import read_metrics

_TOP1, _TOP3 = "validation/accuracy", "validation/top3"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One finished run of the grid.

    Attributes:
        batch_size: int.
        l2: float.
        learning_rate: float.
        targets: str, "one_hot" or "soft".
        top1: float, 0..1, at the validation whose top-3 was best.
        top3: float, 0..1, of that validation; cells are chosen by it.
        step: int, of that validation.
        test: str, top-1 and top-3 of the kept model on the test pictures with
            their intervals, in percent.
        folder: str, name of the run.
    """

    batch_size: int
    l2: float
    learning_rate: float
    targets: str
    top1: float
    top3: float
    step: int
    test: str
    folder: str


SETTINGS = ("batch_size", "l2", "learning_rate", "targets")


def read_cells(conditions: dict[str, dict]) -> list[Cell]:
    """Reads the finished runs of a grid.

    Args:
        conditions: dict from the folder of a run to a dict from each of
            `SETTINGS` to its value.

    Returns:
        list of Cell, the best validation first.
    """
    cells = []
    for folder, condition in conditions.items():
        path = os.path.join(folder, "report", class_report.PREDICTIONS)
        if not os.path.isfile(path):
            continue
        predictions = class_predictions.read_csv(path)
        rows = [row for row in read_metrics(folder) if _TOP3 in row]
        best = max(rows, key=lambda row: (row[_TOP3], row[_TOP1]))
        test = (class_tables.accuracy(predictions, top) for top in (1, 3))
        cells.append(
            Cell(
                **{name: condition[name] for name in SETTINGS},
                top1=best[_TOP1],
                top3=best[_TOP3],
                step=int(best["step"]),
                test=" / ".join(class_tables.percent(t) for t in test),
                folder=os.path.basename(folder),
            )
        )
    return sorted(cells, key=lambda cell: (-cell.top3, -cell.top1, cell.folder))


def table(cells: list[Cell]) -> list[list[str]]:
    """Builds the table of all cells.

    Args:
        cells: list of Cell.

    Returns:
        list of rows of str, the header first.
    """
    rows = [
        [
            *("targets", "batch size", "L2", "learning rate"),
            *("validation top-3, %", "top-1, %", "at step"),
            "test top-1 / top-3, %",
        ]
    ]
    for cell in cells:
        rows.append(
            [
                *(cell.targets, str(cell.batch_size), f"{cell.l2:g}"),
                f"{cell.learning_rate:g}",
                *(f"{100 * cell.top3:.2f}", f"{100 * cell.top1:.2f}"),
                *(str(cell.step), cell.test),
            ]
        )
    return rows


def markdown(cells: list[Cell]) -> str:
    """Writes the table and what it means.

    Args:
        cells: list of Cell, at least one.

    Returns:
        str.
    """
    best = cells[0]
    return (
        f"## Grid search: {len(cells)} cells\n\n"
        f"{report_tables.markdown_table(table(cells))}\n\n"
        f"- Best: `{best.folder}`. Cells are ordered by the best top-3 of "
        "their validations; the test pictures choose nothing.\n"
        "- Each cell is one run: differences as small as those between seeds "
        "mean nothing.\n"
    )


def csv_text(cells: list[Cell]) -> str:
    """Writes a row for every cell.

    Args:
        cells: list of Cell, at least one.

    Returns:
        str.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([field.name for field in dataclasses.fields(Cell)])
    writer.writerows(dataclasses.astuple(cell) for cell in cells)
    return file.getvalue()
