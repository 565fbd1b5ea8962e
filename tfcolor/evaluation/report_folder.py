"""A report folder that appears whole, or not at all."""

import contextlib
import os
from collections.abc import Iterator

from tfcolor import atomic as atomic_files
from tfcolor.evaluation import report_pictures

CSV = "metrics.csv"
BOXES_CSV = "metrics_in_boxes.csv"
MARKDOWN = "summary.md"
PAGE = "index.html"
BY_CLASS_CSV = "by_class.csv"
BY_CLASS_PLOT = "by_class.png"
PLOTS = {"light": "plot.png", "dark": "plot_dark.png"}
_CONTENT = {CSV, BOXES_CSV, MARKDOWN, PAGE, *PLOTS.values()}
_CONTENT |= {report_pictures.FOLDER, BY_CLASS_CSV, BY_CLASS_PLOT}


def check(folder: str, *, overwrite: bool) -> None:
    """Makes sure that a report may be written to a folder.

    Args:
        folder: str. Need not exist; an empty folder is fine.
        overwrite: bool, whether a report that is there may be replaced.

    Raises:
        FileExistsError: there is a report and `overwrite` is False, or there
            is something else, which is never replaced.
    """
    if not os.path.lexists(folder):
        return
    content = set(os.listdir(folder)) if os.path.isdir(folder) else {folder}
    if not content <= _CONTENT:
        raise FileExistsError(
            "A report must go to a new folder or to that of an earlier "
            f"report. Received: {folder!r}, which holds other things"
        )
    if content and not overwrite:
        raise FileExistsError(
            "An earlier report is replaced with --overwrite only. "
            f"Received: {folder!r}"
        )


@contextlib.contextmanager
def atomic(folder: str, *, overwrite: bool = False) -> Iterator[str]:
    """Gives a temporary folder that becomes the report in the end.

    If the body raises, nothing is left of it, and an earlier report stays.

    Args:
        folder: str.
        overwrite: bool, as for `check`.

    Yields:
        str, a new folder beside `folder`.

    Raises:
        FileExistsError: as for `check`.
    """
    check(folder, overwrite=overwrite)
    target = os.path.abspath(folder)
    atomic_files.remove_leftovers([target])
    with atomic_files.replacing(target) as report:
        os.mkdir(report)
        yield report
        check(folder, overwrite=overwrite)
