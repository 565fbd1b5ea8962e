import csv
import dataclasses
import io

import pytest

from tests.evaluation import synthetic
from tfcolor.evaluation import report
from tfcolor.evaluation import results


def _markdown(comparison):
    return results.markdown(
        comparison,
        results.tables(comparison),
        report.notes(comparison),
    )


def test_the_csv_has_a_row_for_every_picture_and_method():
    table = results.wide_table(synthetic.comparison(count=3))
    rows = list(csv.DictReader(io.StringIO(results.csv_text(table))))
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
    # Picture 1 has 20 pixels that count; the model gets a tenth of them.
    assert float(row["right"]) == 0.1
    assert float(row["right_pixels"]) == 20
    assert row["blue"] == "nan"
    assert float(row["brown"]) == 0.1
    assert float(row["true_brown"]) == 0.4
    assert float(row["true_brown_pixels"]) == 20
    assert "true_right" not in row


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (results.Estimate(1.234, 1.0, 1.5), "1.23 [1.00, 1.50]"),
        (results.Estimate(1.234), "1.23"),
        (results.Estimate(float("nan")), "–"),
    ],
)
def test_estimates_are_written_with_their_interval(estimate, text):
    assert results.format_estimate(estimate, 2) == text


def test_gains_carry_their_sign():
    estimate = results.Estimate(0.5, -0.25, 1)
    text = results.format_estimate(estimate, 2, sign=True)
    assert text == "+0.50 [-0.25, +1.00]"


def test_shares_are_written_in_percent():
    estimate = results.Estimate(0.5404, -0.25, 1)
    assert results.percent(estimate) == "54.0 [-25.0, 100.0]"
    text = results.percent(estimate, 2, sign=True)
    assert text == "+54.04 [-25.00, +100.00]"
    assert results.percent(results.Estimate(0.5)) == "50.0"


def test_the_markdown_shows_every_method_beside_the_baselines():
    lines = _markdown(synthetic.comparison(methods=("one", "two"))).split("\n")
    assert lines[0] == "## Evaluation: 12 pictures, original size"
    table = [line for line in lines if line.startswith("| ")]
    names = [line.split(" | ")[0].removeprefix("| ") for line in table]
    methods = ["grey", "mean ab", "one", "two"]
    color = [*methods, "truth"]
    assert names == [
        *("method", ":--", *methods),
        *("method", ":--", *color),
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
    # The first made-up picture has no color.
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


def test_the_efficientnet_distance_is_a_column_that_says_what_it_is():
    distances = {"grey": 48.391, "mean ab": 45.0, "model": 32.9}
    text = _markdown(synthetic.comparison(efficientnet=distances))
    header, _, grey = [
        line for line in text.split("\n") if line.startswith("| ")
    ][:3]
    assert header.endswith("| EfficientNet-Lite0 distance ↓ |")
    assert grey.endswith("| 48.39 |")
    assert "It is not FID" in text
    assert "EfficientNet" not in _markdown(synthetic.comparison())


def test_right_colors_stand_beside_the_brown_of_the_truth():
    comparison = synthetic.comparison()
    header, *rows = results.share_table(
        comparison, results.summarize(comparison)
    )
    assert header == [
        "method",
        "right ↑",
        "green ↑",
        "blue ↑",
        "red ↑",
        "brown",
    ]
    assert rows[2] == [
        "model",
        *["0.100 [0.100, 0.100]"] * 2,
        "–",
        *["0.100 [0.100, 0.100]"] * 2,
    ]
    assert rows[3] == ["truth", "1", "1", "–", "1", "0.400 [0.400, 0.400]"]
    text = _markdown(comparison)
    assert "within 30 degrees of the true hue" in text
    assert "green 100 to 160, blue 230 to 300, red 0 to 45" in text
    assert "a hue of 50 to 100 degrees" in text


def test_without_counts_there_are_no_right_colors():
    comparison = synthetic.without_counts(
        synthetic.comparison(methods=("one", "two"))
    )
    text = _markdown(comparison)
    assert "Right colors" not in text
    assert "true hue" not in text
    assert "right" not in results.csv_text(results.wide_table(comparison))


def test_differences_are_paired_and_from_the_first_method():
    comparison = synthetic.comparison(methods=("one", "two"))
    header, row = results.difference_table(comparison)
    assert header[:2] == ["minus one", "PSNR (dB)"]
    # Pictures differ by dB, the methods by one dB on each of them.
    assert row[:2] == ["two", "+1.00 [+1.00, +1.00]"]
    assert header[-5:] == ["right", "green", "blue", "red", "brown"]
    assert row[-5] == "+0.100 [+0.100, +0.100]"


def test_numbers_inside_boxes_have_tables_of_their_own():
    comparison = dataclasses.replace(
        synthetic.comparison(count=5),
        in_boxes=synthetic.without_counts(synthetic.comparison(count=1)),
    )
    titles = [title for title, _ in results.tables(comparison)]
    assert titles == [
        "Quality",
        "Right colors",
        "Colorfulness",
        "Quality, inside boxes, 1 picture",
        "Colorfulness, inside boxes, 1 picture",
    ]
    assert "at least one box" in _markdown(comparison)


def test_the_csv_of_no_picture_is_its_header():
    comparison = synthetic.without_counts(synthetic.comparison(count=0))
    header = results.csv_text(results.wide_table(comparison)).splitlines()
    assert len(header) == 1
    assert header[0].startswith("picture,method,geometry,width,height,psnr,")
    assert header[0].endswith(",true_colorfulness_absolute")


def test_few_pictures_crops_and_jpeg_predictions_are_noted():
    rough = "fewer than 20 pictures are rough"
    made = synthetic.comparison(count=20)
    assert rough not in _markdown(made)
    assert "drawn together" not in _markdown(made)
    assert "JPEG" not in _markdown(made)
    assert rough in _markdown(synthetic.comparison(count=19))
    crops = [
        dataclasses.replace(p, path=f"{i // 2}.jpg", box=(0, 0, 1, 1 + i))
        for i, p in enumerate(made.pictures)
    ]
    made = dataclasses.replace(made, pictures=crops, lossy=("model",))
    text = _markdown(made)
    assert rough in text and "Crops of one picture are drawn together" in text
    assert "model: read from JPEG files" in text
    assert "## Evaluation: 20 crops of 10 pictures" in text
