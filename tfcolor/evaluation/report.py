"""Writing a whole report from its numbers."""

import os

from tfcolor.evaluation import plots
from tfcolor.evaluation import report_folder
from tfcolor.evaluation import report_html
from tfcolor.evaluation import report_tables
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.report_pictures import ReportPictures


def write_report(
    comparison: Comparison, pictures: ReportPictures, folder: str
) -> str:
    """Writes tables, plots and the page beside the pictures.

    Args:
        comparison: Comparison of at least one picture and method.
        pictures: ReportPictures, already written to `folder`.
        folder: str.

    Returns:
        str, the Markdown summary.
    """

    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    tables = report_tables.tables(comparison)
    markdown = report_tables.markdown(comparison, tables)
    report_tables.write_csv(comparison, os.path.join(folder, report_folder.CSV))
    if comparison.in_boxes is not None:
        report_tables.write_csv(
            comparison.in_boxes, os.path.join(folder, report_folder.BOXES_CSV)
        )
    write(report_folder.MARKDOWN, markdown)
    for theme, name in report_folder.PLOTS.items():
        plots.write_plot(comparison, os.path.join(folder, name), theme)
    write(report_folder.PAGE, report_html.page(comparison, tables, pictures))
    return markdown
