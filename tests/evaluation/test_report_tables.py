import csv
import dataclasses

import pytest

from tests.evaluation import synthetic
from tfcolor.evaluation import aggregate
from tfcolor.evaluation import report_tables


def _markdown(comparison):
    return report_tables.markdown(
        comparison,
        report_tables.tables(comparison),
        report_tables.notes(comparison),
    )


def test_the_csv_has_a_row_for_every_picture_and_method(tmp_path):
    path = tmp_path / "m.csv"
    report_tables.write_csv(synthetic.comparison(count=3), str(path))
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["picture"], r["method"]) for r in rows] == [
        (f"p{i}.jpg", name)
        for i in range(3)
        for name in ("grey", "mean ab", "model")
    ]
    row = rows[5]
    assert row["geometry"] == "original size"
    assert (row["width"], row["height"]) == ("32", "24")
    assert float(row["psnr"]) == 22
    assert float(row["psnr_gain"]) == 1
    assert float(row["colorfulness_signed"]) == 11
    assert float(row["true_colorfulness_signed"]) == 21


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (aggregate.Estimate(1.234, 1.0, 1.5), "1.23 [1.00, 1.50]"),
        (aggregate.Estimate(1.234), "1.23"),
        (aggregate.Estimate(float("nan")), "–"),
    ],
)
def test_estimates_are_written_with_their_interval(estimate, text):
    assert report_tables.format_estimate(estimate, 2) == text


def test_gains_carry_their_sign():
    estimate = aggregate.Estimate(0.5, -0.25, 1)
    text = report_tables.format_estimate(estimate, 2, sign=True)
    assert text == "+0.50 [-0.25, +1.00]"


def test_the_markdown_shows_every_method_beside_the_baselines():
    lines = _markdown(synthetic.comparison(methods=("one", "two"))).split("\n")
    assert lines[0] == "## Evaluation: 12 pictures, original size"
    table = [line for line in lines if line.startswith("| ")]
    names = [line.split(" | ")[0].removeprefix("| ") for line in table]
    methods = ["grey", "mean ab", "one", "two"]
    color = [*methods, "truth"]
    assert names == [
        *("method", ":--", *methods),
        *("method", ":--", *color, *color),
        *("minus one", ":--", "two"),
    ]
    assert "| +2.00 [+2.00, +2.00] | +2.00 |" in table[5]
    widths = {line.count("|") for line in table[:6]}
    assert widths == {table[0].count("|")}


def test_names_cannot_break_the_table():
    text = _markdown(synthetic.comparison(methods=("a|b",)))
    assert "| a\\|b |" in text


def test_grey_truth_and_failures_are_told():
    comparison = synthetic.comparison(failures=[("/truth/x.jpg", "broken")])
    text = _markdown(comparison)
    # The first made-up picture has no colour.
    assert "1 of the true pictures are grey" in text
    assert "- `/truth/x.jpg`: broken" in text
    comparison.truth["colorfulness_absolute"] += 1
    assert "are grey or nearly so" not in _markdown(comparison)


def test_fid_is_a_column_with_its_warning():
    fid = {"grey": 30.0, "mean ab": 25.0, "model": float("nan")}
    text = _markdown(synthetic.comparison(fid=fid))
    grey, _, model = [
        line for line in text.split("\n") if line.startswith("| ")
    ][2:5]
    assert grey.endswith("| 30.00 |")
    assert model.endswith("| – |")
    assert "fewer than 2048 pictures is biased" in text
    assert "FID" not in _markdown(synthetic.comparison())


def test_differences_are_paired_and_from_the_first_method():
    comparison = synthetic.comparison(methods=("one", "two"))
    header, row = report_tables.difference_table(comparison)
    assert header[:2] == ["minus one", "PSNR (dB)"]
    # Pictures differ by dB, the methods by one dB on each of them.
    assert row[:2] == ["two", "+1.00 [+1.00, +1.00]"]


def test_numbers_inside_boxes_have_tables_of_their_own():
    comparison = dataclasses.replace(
        synthetic.comparison(count=5), in_boxes=synthetic.comparison(count=1)
    )
    titles = [title for title, _ in report_tables.tables(comparison)]
    assert titles == [
        "Quality",
        "Colourfulness",
        "Quality, inside boxes, 1 picture",
        "Colourfulness, inside boxes, 1 picture",
    ]
    assert "at least one box" in _markdown(comparison)
