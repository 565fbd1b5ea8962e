"""The page of a report: tables, plot, and the pictures side by side."""

import html

import numpy as np

from tfcolor.evaluation import baselines
from tfcolor.evaluation import report_folder
from tfcolor.evaluation import report_style
from tfcolor.evaluation import report_tables
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.report_pictures import ReportPictures
from tfcolor.evaluation.truth import shown_names

# Pictures shown as best, median and worst, if there are enough to choose.
_FEATURED = 3


def _cell(text: str, tag: str, is_text: bool) -> str:
    value, bracket, rest = html.escape(text).partition(" [")
    small = f"<small>[{rest}</small>" if bracket else ""
    kind = ' class="text"' if is_text else ""
    return f"<{tag}{kind}>{value}{small}</{tag}>"


def _table(rows: list[list[str]]) -> str:
    left = rows[0].index("definition") if "definition" in rows[0] else 0
    lines = []
    for i, row in enumerate(rows):
        tag = "td" if i else "th"
        cells = [_cell(text, tag, j <= left) for j, text in enumerate(row)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="card"><table>{"".join(lines)}</table></div>'


def _class_plot() -> str:
    return (
        '<div class="card plot"><img src="'
        f'{report_folder.BY_CLASS_PLOT}" alt="Loss of each class, and its '
        'difference from the first method"></div>'
    )


def _plot() -> str:
    light, dark = report_folder.PLOTS["light"], report_folder.PLOTS["dark"]
    return (
        '<div class="card plot"><picture>'
        f'<source srcset="{dark}" media="(prefers-color-scheme: dark)">'
        f'<img src="{light}" alt="Histogram of the PSNR gain over grey, and '
        'colourfulness of predicted against true pictures">'
        "</picture></div>"
    )


class _Rows:
    """The rows of pictures."""

    def __init__(self, comparison: Comparison, pictures: ReportPictures):
        self._comparison = comparison
        self._pictures = pictures
        self._methods = comparison.methods()
        self._names = shown_names(comparison.pictures)

    def _caption(self, i: int, column: str | None) -> str:
        colors = self._comparison.truth
        detail = ""
        if column is not None:
            colors = values = self._comparison.values[column]
            detail = f"{values['psnr'][i]:.2f} dB"
        if column in self._methods:
            gain = self._comparison.gain(column)[i]
            kind = "up" if gain >= 0 else "down"
            detail += f' (<b class="{kind}">{gain:+.2f}</b>)'
        color = f"colour {colors['colorfulness_signed'][i]:.1f}"
        detail = f"{detail} · {color}" if detail else color
        name = html.escape("true" if column is None else column)
        return f"<figcaption>{name}<span>{detail}</span></figcaption>"

    def row(self, i: int) -> str:
        """Returns the row of the picture at a position."""
        picture = self._comparison.pictures[i]
        width, height = self._comparison.sizes[i]
        name = html.escape(self._names[i], quote=True)
        data = [f'data-name="{name}"']
        for j, method in enumerate(self._methods):
            data.append(
                f'data-gain{j}="{self._comparison.gain(method)[i]:.4f}"'
            )
        true_color = self._comparison.truth["colorfulness_signed"][i]
        data.append(f'data-color="{true_color:.4f}"')
        figures = "".join(
            f'<figure><img src="{self._pictures.source(picture, column)}" '
            f'width="{width}" height="{height}" loading="lazy" alt="">'
            f"{self._caption(i, column)}</figure>"
            for column in self._pictures.columns()
        )
        return (
            f'<article class="card" {" ".join(data)}><header><b>{name}</b>'
            f"<span>{width} × {height}</span></header>"
            f'<div class="strip">{figures}</div></article>'
        )

    def _featured(self, order: np.ndarray) -> str:
        """The best, the median and the worst pictures."""
        count = len(order)
        if count < 3 * _FEATURED:
            return ""
        middle = (count - _FEATURED) // 2
        groups = {
            "Best": order[:_FEATURED],
            "Median": order[middle : middle + _FEATURED],
            "Worst": order[-_FEATURED:],
        }
        by = html.escape(self._methods[0])
        return "".join(
            f"<h2>{title} by PSNR gain of {by}</h2>"
            + "".join(self.row(i) for i in group)
            for title, group in groups.items()
        )

    def _sort_options(self) -> str:
        options = []
        for j, method in enumerate(self._methods):
            name = html.escape(method)
            options.append(
                (f"gain{j} down", f"PSNR gain of {name}, best first")
            )
            options.append((f"gain{j} up", f"PSNR gain of {name}, worst first"))
        options.append(("color down", "colourfulness of the true picture"))
        options.append(("name up", "name"))
        return "".join(f'<option value="{v}">{t}</option>' for v, t in options)

    def sections(self) -> str:
        """Returns the best, median and worst pictures, then all of them."""
        order = np.argsort(-self._comparison.gain(self._methods[0]))
        return (
            f"{self._featured(order)}<h2>All pictures</h2>"
            f'<p><label>Sorted by <select id="sort" autocomplete="off">'
            f"{self._sort_options()}</select></label></p>"
            f'<div id="all">{"".join(self.row(i) for i in order)}</div>'
        )


def _failures(comparison: Comparison) -> str:
    if not comparison.failures:
        return ""
    lines = "".join(
        f"<li><code>{html.escape(path)}</code>: {html.escape(reason)}</li>"
        for path, reason in comparison.failures
    )
    return f"<h2>Left out</h2><ul>{lines}</ul>"


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
        tables: list, as `report_tables.tables` returns it.
        pictures: ReportPictures, already written.
        sentences: list of str, as `report_notes.notes` returns it.
        by_class: bool. Whether there is a plot of classes.

    Returns:
        str, HTML. It refers to the plot and the pictures of its own folder
        and to nothing else.
    """
    heading = html.escape(report_tables.heading(comparison))
    methods = html.escape(", ".join(comparison.methods()))
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in sentences)
    (_, quality), *others = tables
    more = "".join(
        f"<h2>{html.escape(title)}</h2>{_table(rows)}" for title, rows in others
    )
    columns = len(pictures.columns())
    return f"""<!DOCTYPE html>
<html lang="en" style="--columns: {columns}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Colorization: {methods}</title>
<style>{report_style.CSS}</style>
</head>
<body><main>
<h1>Colorization: {methods}</h1>
<p class="lead">{heading}, beside {baselines.GREY} and {baselines.MEAN_AB}</p>
{_table(quality)}
{_plot()}
{_class_plot() if by_class else ""}
{more}
<ul class="notes">{notes}</ul>
{_failures(comparison)}
{_Rows(comparison, pictures).sections()}
</main><script>{report_style.JAVASCRIPT}</script></body>
</html>
"""
