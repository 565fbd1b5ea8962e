"""Writing a whole report from its numbers."""

import os

from tfcolor.data import encode
from tfcolor.evaluation import by_class_plot
from tfcolor.evaluation import by_class_tables
from tfcolor.evaluation import class_plots
from tfcolor.evaluation import plots
from tfcolor.evaluation import report_folder
from tfcolor.evaluation import report_html
from tfcolor.evaluation import report_notes
from tfcolor.evaluation import report_tables
from tfcolor.evaluation.color_scores import ColorScores
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.report_pictures import ReportPictures


def write_report(
    comparison: Comparison,
    pictures: ReportPictures,
    folder: str,
    *,
    scores: ColorScores | None = None,
) -> str:
    """Writes tables, plots and the page beside the pictures.

    Args:
        comparison: Comparison of at least one picture and method.
        pictures: ReportPictures, already written to `folder`.
        folder: str.
        scores: ColorScores or None. What to report class by class.

    Returns:
        str, the Markdown summary.
    """

    def write(name, text):
        with open(
            os.path.join(folder, name),
            "w",
            encoding="utf-8",
            # Of file names that are not UTF-8.
            errors="backslashreplace",
        ) as file:
            file.write(text)

    tables = report_tables.tables(comparison)
    notes = report_notes.notes(comparison)
    if scores is not None:
        tables += by_class_tables.tables(scores)
        notes += by_class_tables.notes(delivered=True)
        write(report_folder.BY_CLASS_CSV, by_class_tables.csv_text(scores))
        encode.write_atomically(
            os.path.join(folder, report_folder.BY_CLASS_PLOT),
            class_plots.png(by_class_plot.draw(scores)),
        )
    markdown = report_tables.markdown(comparison, tables, notes)
    report_tables.write_csv(comparison, os.path.join(folder, report_folder.CSV))
    if comparison.in_boxes is not None:
        report_tables.write_csv(
            comparison.in_boxes, os.path.join(folder, report_folder.BOXES_CSV)
        )
    write(report_folder.MARKDOWN, markdown)
    for theme, name in report_folder.PLOTS.items():
        plots.write_plot(comparison, os.path.join(folder, name), theme)
    page = report_html.page(
        comparison, tables, pictures, notes, by_class=scores is not None
    )
    write(report_folder.PAGE, page)
    return markdown
