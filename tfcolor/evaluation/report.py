"""Writing a whole report from its numbers."""

import os

from tfcolor.evaluation import aggregate
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

    summaries = aggregate.summarize(comparison)
    markdown = report_tables.markdown(comparison, summaries)
    report_tables.write_csv(comparison, os.path.join(folder, report_folder.CSV))
    write(report_folder.MARKDOWN, markdown)
    for theme, name in report_folder.PLOTS.items():
        plots.write_plot(comparison, os.path.join(folder, name), theme)
    write(report_folder.PAGE, report_html.page(comparison, summaries, pictures))
    return markdown
