"""The report of a classifier: tables and figures in a folder.

report.md           accuracy, errors by colour group, a row for every class
classes.csv         the same rows
predictions.csv     a row for every picture
curves.png          accuracy and loss of the run, raw and smoothed
confusion.png       confusion matrix, ordered by colour group
examples.png        predicted colour | grey | original, if there is a colorizer
summary.json        accuracy and its interval; written last
"""

import dataclasses
import json
import os

from tfcolor.data import encode
from tfcolor.evaluation import class_plots
from tfcolor.evaluation import class_predictions
from tfcolor.evaluation import class_tables
from tfcolor.evaluation import color_groups

PREDICTIONS = "predictions.csv"
SUMMARY = "summary.json"


def write_report(
    folder: str,
    predictions: class_predictions.ClassPredictions,
    *,
    groups: dict[str, str] | None,
    metrics: list[dict[str, float]],
    examples: list[class_plots.Example],
    part: str,
) -> str:
    """Writes the report.

    Args:
        folder: str, made if absent.
        predictions: ClassPredictions of at least one picture.
        groups: dict from class to colour group, or None.
        metrics: list of dicts, as of `RunFolder.read_metrics`.
        examples: list of Example, may be empty.
        part: str, what the pictures are, such as "test".

    Returns:
        str, report.md.
    """
    os.makedirs(folder, exist_ok=True)

    def write(name, data):
        encode.write_atomically(os.path.join(folder, name), data)

    order = color_groups.order(predictions.class_names, groups)
    rows = class_tables.class_rows(predictions, groups, order)
    errors = groups and color_groups.group_errors([predictions], groups)
    text = class_tables.markdown(predictions, rows, errors, part=part)
    write("report.md", text.encode(errors="backslashreplace"))
    write(
        "classes.csv",
        class_tables.csv_text(rows).encode(errors="backslashreplace"),
    )
    class_predictions.write_csv(predictions, os.path.join(folder, PREDICTIONS))
    figures = {
        "curves.png": class_plots.draw_curves(metrics),
        "confusion.png": class_plots.draw_confusion(predictions, groups, order),
    }
    if examples:
        figures["examples.png"] = class_plots.draw_examples(examples)
    for name, figure in figures.items():
        write(name, class_plots.png(figure))
    summary = {
        "part": part,
        "pictures": len(predictions.names),
        "accuracy": dataclasses.asdict(class_tables.accuracy(predictions)),
        "top3": dataclasses.asdict(class_tables.accuracy(predictions, 3)),
        "color_groups": errors and dataclasses.asdict(errors),
    }
    write(SUMMARY, (json.dumps(summary, indent=2) + "\n").encode())
    return text
