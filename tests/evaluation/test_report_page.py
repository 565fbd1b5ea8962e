import html.parser
import re

import numpy as np

from tests.evaluation import synthetic
from tfcolor.evaluation import report
from tfcolor.evaluation import results
from tfcolor.evaluation.report import ReportPictures

VOID = {"meta", "img", "source"}


class _Page(html.parser.HTMLParser):
    """Collects what the page refers to, and checks that its tags close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.references, self.articles = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        for name in ("src", "srcset", "href"):
            if name in attrs:
                self.references.append(attrs[name])
        if tag == "article":
            self.articles.append(attrs)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes another tag")


def _page(tmp_path, comparison):
    pictures = ReportPictures(str(tmp_path), comparison.methods())
    tables = results.tables(comparison)
    text = report.page(comparison, tables, pictures, report.notes(comparison))
    page = _Page(text)
    assert page.open == []
    return text, page


def test_the_page_refers_to_its_own_folder_only(tmp_path):
    text, page = _page(tmp_path, synthetic.comparison(count=3))
    assert "http" not in text
    assert set(page.references) == {
        "plot.png",
        "plot_dark.png",
        *(
            f"pictures/0000{i}_{column}.jpg"
            for i in (1, 2, 3)
            for column in ("grey", "method1", "true")
        ),
    }


def test_best_median_and_worst_come_before_all_pictures(tmp_path):
    comparison = synthetic.comparison(count=12)
    order = np.random.default_rng(0).permutation(12)
    comparison.values["model"]["psnr"] += order
    _, page = _page(tmp_path, comparison)
    ranks = [float(article["data-gain0"]) for article in page.articles]
    assert ranks[:9] == [12, 11, 10, 8, 7, 6, 3, 2, 1]
    assert ranks[9:] == sorted(ranks[9:], reverse=True)
    assert len(ranks) == 9 + 12


def test_few_pictures_are_shown_once(tmp_path):
    text, page = _page(tmp_path, synthetic.comparison(count=4))
    assert len(page.articles) == 4
    assert "Worst" not in text


def test_pictures_can_be_sorted_by_every_method(tmp_path):
    text, page = _page(tmp_path, synthetic.comparison(methods=("m1", "m2")))
    keys = re.findall(r'<option value="(\w+) (?:up|down)"', text)
    assert keys == ["gain0", "gain0", "gain1", "gain1", "color", "name"]
    for article in page.articles:
        assert {f"data-{key}" for key in keys} <= set(article)


def test_names_are_escaped(tmp_path):
    comparison = synthetic.comparison(
        methods=("<b>&",), failures=[("<i>.jpg", 'a "bad" <file>')]
    )
    text, _ = _page(tmp_path, comparison)
    assert "<b>&<" not in text
    assert "<i>" not in text
    assert "<file>" not in text
    assert "&lt;b&gt;&amp;" in text


def test_the_tables_and_what_was_left_out_are_there(tmp_path):
    comparison = synthetic.comparison(failures=[("/truth/x.jpg", "broken")])
    text, _ = _page(tmp_path, comparison)
    assert "12 pictures, original size" in text
    assert "<td>+1.00<small>[+1.00, +1.00]</small></td>" in text
    assert "<h2>Right colors</h2>" in text
    assert "<td>0.100<small>[0.100, 0.100]</small></td>" in text
    assert "within 30 degrees of the true hue" in text
    assert "<code>/truth/x.jpg</code>: broken" in text
