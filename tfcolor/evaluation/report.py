"""The folder of a report: tables, plots, small pictures and the page."""

import contextlib
import os
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tfcolor import atomic
from tfcolor import atomic as atomic_files
from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation import packages
from tfcolor.evaluation import per_class
from tfcolor.evaluation import perceptual
from tfcolor.evaluation import plots
from tfcolor.evaluation import results
from tfcolor.evaluation.color_scores import ColorScores
from tfcolor.evaluation.compare import TRUE
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.methods import TruePicture
from tfcolor.evaluation.methods import shown_names

PICTURES = "pictures"
CSV = "metrics.csv"
BOXES_CSV = "metrics_in_boxes.csv"
MARKDOWN = "summary.md"
PAGE = "index.html"
BY_CLASS_CSV = "by_class.csv"
BY_CLASS_PLOT = "by_class.png"
PLOTS = {"light": "plot.png", "dark": "plot_dark.png"}
_CONTENT = {CSV, BOXES_CSV, MARKDOWN, PAGE, *PLOTS.values()}
_CONTENT |= {PICTURES, BY_CLASS_CSV, BY_CLASS_PLOT}


def check_folder(folder: str, *, overwrite: bool) -> None:
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
            "An earlier report is replaced with `overwrite` only. "
            f"Received: {folder!r}"
        )


@contextlib.contextmanager
def atomic_folder(folder: str, *, overwrite: bool = False) -> Iterator[str]:
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
    check_folder(folder, overwrite=overwrite)
    target = os.path.abspath(folder)
    atomic_files.remove_leftovers([target])
    with atomic_files.replacing(target) as report:
        os.mkdir(report)
        yield report
        check_folder(folder, overwrite=overwrite)


# Longest side, in pixels.
_SMALL_SIZE = 320
_QUALITY = 85


class ReportPictures:
    """Writes and names one small JPEG for each picture and column."""

    def __init__(self, folder: str, methods: list[str]):
        """Makes the folder.

        Args:
            folder: str, that of the report.
            methods: list of str, names of the methods that are not baselines.
        """
        self._folder = folder
        # Names of methods may hold characters that file names cannot.
        self._columns = {measure.GREY: "grey", None: "true"}
        for i, name in enumerate(methods, start=1):
            self._columns[name] = f"method{i}"
        os.makedirs(os.path.join(folder, PICTURES), exist_ok=True)

    def columns(self) -> list[str | None]:
        """Returns grey, each method and None for the truth, in order."""
        grey, true, *methods = self._columns
        return [grey, *methods, true]

    def source(self, picture: TruePicture, column: str | None) -> str:
        """Returns the path of a small picture, relative to the report."""
        return f"{PICTURES}/{picture.index + 1:05d}_{self._columns[column]}.jpg"

    def save(
        self, picture: TruePicture, rgb: dict[str | None, np.ndarray]
    ) -> None:
        """Writes the small pictures of a true picture.

        Args:
            picture: TruePicture.
            rgb: dict from each of `columns` to a uint8 array [H, W, 3].
        """
        for column, pixels in rgb.items():
            small = Image.fromarray(pixels)
            small.thumbnail((_SMALL_SIZE, _SMALL_SIZE))
            small.save(self._path(picture, column), quality=_QUALITY)

    def read(self, picture: TruePicture) -> list[bytes]:
        """Reads the small pictures of a true picture that was saved.

        Args:
            picture: TruePicture.

        Returns:
            list of bytes of files, in the order of `columns`.

        Raises:
            OSError: they cannot be read.
        """
        found = []
        for column in self.columns():
            with open(self._path(picture, column), "rb") as file:
                found.append(file.read())
        return found

    def write(self, picture: TruePicture, small: list[bytes]) -> None:
        """Writes what `read` has read, maybe in another folder.

        Args:
            picture: TruePicture.
            small: list of bytes of files, in the order of `columns`.

        Raises:
            OSError: they cannot be written.
        """
        for column, data in zip(self.columns(), small, strict=True):
            with open(self._path(picture, column), "wb") as file:
                file.write(data)

    def _path(self, picture: TruePicture, column: str | None) -> str:
        return os.path.join(self._folder, self.source(picture, column))


# With fewer, bootstrap intervals are too narrow.
_ENOUGH_PICTURES = 20


def notes(comparison: Comparison) -> list[str]:
    """Says in sentences what the numbers are, and what to beware of.

    Args:
        comparison: Comparison.

    Returns:
        list of str.
    """
    lines = [
        "Mean over pictures [95 % bootstrap interval, "
        f"{results.RESAMPLES} resamples]. Differences are paired.",
        f"{measure.GREY}: ab = 0. {measure.MEAN_AB}: one color for all "
        "pictures, the mean ab of the true ones. Both keep L.",
        "PSNR over RGB at 8 bits; SSIM with a Gaussian window of 11 x 11, "
        "sigma 1.5; colorfulness after Hasler and Suesstrunk (2003): signed "
        "as published, absolute with |rg| and |yb|.",
        *_doubts(comparison),
    ]
    if comparison.counts(TRUE):
        lines += _share_notes()
    colors = comparison.truth["colorfulness_absolute"]
    if grey := int((colors < 1).sum()):
        lines.append(
            f"{grey} of the true pictures are grey or nearly so: grey is "
            "right there, and no color can gain. Read the median gain too."
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
        if len(comparison.pictures) < perceptual.ENOUGH_PICTURES:
            lines.append(
                f"FID of fewer than {perceptual.ENOUGH_PICTURES} pictures is "
                "biased upwards; compare it only over the same pictures."
            )
    if comparison.efficientnet:
        lines.append(
            f"{perceptual.EFFICIENTNET_DISTANCE}: squared difference of the "
            "means, plus that of the standard deviations, of "
            f"{perceptual.EFFICIENTNET_FEATURES} features of predicted and "
            f"of true pictures at {perceptual.EFFICIENTNET_SIDE} x "
            f"{perceptual.EFFICIENTNET_SIDE} pixels. It is not FID: compare it "
            "only with itself, over the same pictures."
        )
    return lines


def _doubts(comparison: Comparison) -> list[str]:
    """Says what makes intervals rough and methods unlike."""
    lines = []
    if comparison.has_crops:
        lines.append("Crops of one picture are drawn together for intervals.")
    if len(set(comparison.files)) < _ENOUGH_PICTURES:
        lines.append(
            f"Intervals of fewer than {_ENOUGH_PICTURES} pictures are rough, "
            "and rather too narrow."
        )
    if comparison.lossy:
        names = ", ".join(comparison.lossy)
        lines.append(
            f"{names}: read from JPEG files, whose losses lower PSNR and SSIM "
            "beside those of pictures in memory or PNGs."
        )
    return lines


def _share_notes() -> list[str]:
    hues = ", ".join(
        f"{key} {start:.0f} to {end:.0f}"
        for key, (start, end) in hue_shares.HUES.items()
    )
    low, high = hue_shares.BROWN
    return [
        "Right: of pixels whose true chroma is at least "
        f"{hue_shares.COLORED:.0f}, the share predicted within "
        f"{hue_shares.HUE_TOLERANCE:.0f} degrees of the true hue and with at "
        f"least {hue_shares.CHROMA_KEPT:g} times the true chroma, in CIELAB.",
        "Green, blue, red: the same of only those pixels whose true hue is in "
        f"a range of degrees: {hues}.",
        "Brown: of pixels predicted with a chroma of at least "
        f"{hue_shares.TINTED:.0f}, the share with a hue of {low:.0f} to "
        f"{high:.0f} degrees. More than the truth has is a sepia wash.",
        "These shares count pixels of copies with a longest side of "
        f"{hue_shares.SIDE} pixels, all pictures together; a dash stands "
        "where no pixel counts, and an interval only where enough pictures "
        "have such pixels.",
    ]


# Pictures shown as best, median and worst, if there are enough to choose.
_FEATURED = 3


def _row(comparison: Comparison, pictures: ReportPictures, i: int) -> dict:
    """Says what the page shows of the picture at a position."""
    methods, picture = comparison.methods(), comparison.pictures[i]
    gains = {name: comparison.gain(name)[i] for name in methods}
    figures = []
    for column in pictures.columns():
        values = comparison.values.get(column, comparison.truth)
        figures.append(
            {
                "source": pictures.source(picture, column),
                "name": "true" if column is None else column,
                "psnr": None if column is None else values["psnr"][i],
                "gain": gains.get(column),
                "color": values["colorfulness_signed"][i],
            }
        )
    return {
        "name": shown_names(comparison.pictures)[i],
        "width": comparison.sizes[i][0],
        "height": comparison.sizes[i][1],
        "gains": list(gains.values()),
        "true_color": comparison.truth["colorfulness_signed"][i],
        "figures": figures,
    }


def _featured(rows: list[dict]) -> dict[str, list[dict]]:
    """Chooses the best, the median and the worst of rows, best first."""
    if len(rows) < 3 * _FEATURED:
        return {}
    middle = (len(rows) - _FEATURED) // 2
    return {
        "Best": rows[:_FEATURED],
        "Median": rows[middle : middle + _FEATURED],
        "Worst": rows[-_FEATURED:],
    }


def page(
    comparison: Comparison,
    tables: list[tuple[str, list[list[str]]]],
    pictures: ReportPictures,
    sentences: list[str],
    *,
    by_class: bool = False,
) -> str:
    """Writes the page.

    Args:
        comparison: Comparison of at least one picture and method.
        tables: list, as `results.tables` returns it.
        pictures: ReportPictures, already written.
        sentences: list of str, as `notes` returns it.
        by_class: bool. Whether there is a plot of classes.

    Returns:
        str, HTML. It refers to the plot and the pictures of its own folder
        and to nothing else.
    """
    methods = comparison.methods()
    order = np.argsort(-comparison.gain(methods[0]))
    rows = [_row(comparison, pictures, i) for i in order]
    environment = packages.jinja2.Environment(
        loader=packages.jinja2.FileSystemLoader(os.path.dirname(__file__)),
        autoescape=True,
        keep_trailing_newline=True,
        undefined=packages.jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.jinja").render(
        baselines=(measure.GREY, measure.MEAN_AB),
        class_plot=BY_CLASS_PLOT if by_class else None,
        columns=len(pictures.columns()),
        failures=comparison.failures,
        featured=_featured(rows),
        heading=results.heading(comparison),
        methods=methods,
        notes=sentences,
        plots=PLOTS,
        rows=rows,
        tables=tables,
    )


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
            # The lines of CSV end as they do in the text.
            newline="",
            # Of file names that are not UTF-8.
            errors="backslashreplace",
        ) as file:
            file.write(text)

    tables = results.tables(comparison)
    sentences = notes(comparison)
    if scores is not None:
        tables += per_class.tables(scores)
        sentences += per_class.notes(delivered=True)
        write(BY_CLASS_CSV, per_class.csv_text(scores))
        atomic.write_bytes(
            os.path.join(folder, BY_CLASS_PLOT),
            plots.png(plots.draw_by_class(scores)),
        )
    markdown = results.markdown(comparison, tables, sentences)
    write(CSV, results.csv_text(results.wide_table(comparison)))
    if comparison.in_boxes is not None:
        inside = results.wide_table(comparison.in_boxes)
        write(BOXES_CSV, results.csv_text(inside))
    write(MARKDOWN, markdown)
    for theme, name in PLOTS.items():
        plots.write_plot(comparison, os.path.join(folder, name), theme)
    write(
        PAGE,
        page(
            comparison,
            tables,
            pictures,
            sentences,
            by_class=scores is not None,
        ),
    )
    return markdown
