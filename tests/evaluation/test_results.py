import dataclasses

import numpy as np
import pytest

from tests.evaluation import synthetic
from tfcolor.evaluation import results


def test_means_and_gains_are_by_hand():
    comparison = synthetic.comparison(count=11)
    summary = results.summarize(comparison)["model"]
    # PSNR 20 + i + 1 for i = 0..10; the gain is 1 dB on every picture.
    psnr = summary.means["psnr"]
    assert psnr.value == pytest.approx(26)
    assert 23 < psnr.low < 25 < 27 < psnr.high < 29
    assert dataclasses.astuple(summary.gain) == pytest.approx((1, 1, 1))
    assert summary.median_gain == pytest.approx(1)


def test_the_four_figures_of_colorfulness_differ():
    comparison = synthetic.comparison(count=2)
    comparison.values["model"]["colorfulness_signed"] = np.array([10.0, 50.0])
    comparison.truth["colorfulness_signed"] = np.array([30.0, 50.0])
    color = results.summarize(comparison)["model"].colorfulness
    signed = color["colorfulness_signed"]
    assert signed.mean.value == 30
    assert signed.ratio.value == 0.75
    assert signed.difference_of_means.value == 10
    assert signed.mean_difference.value == 10
    comparison.truth["colorfulness_signed"] = np.array([50.0, 10.0])
    signed = results.summarize(comparison)["model"].colorfulness[
        "colorfulness_signed"
    ]
    assert signed.difference_of_means.value == 0
    assert signed.mean_difference.value == 40


def test_there_is_no_ratio_to_a_grey_truth():
    comparison = synthetic.comparison()
    comparison.truth["colorfulness_absolute"] = np.zeros(12)
    color = results.summarize(comparison)["model"].colorfulness
    assert np.isnan(color["colorfulness_absolute"].ratio.value)


def test_shares_are_of_all_pixels_and_intervals_over_pictures():
    hits = np.array([9.0, 0.0, 0.0, 1.0] * 5)
    pixels = np.array([10.0, 90.0, 50.0, 50.0] * 5)
    counts = {"right": np.stack([hits, pixels])}
    right = results.shares(counts)["right"]
    # The mean of the shares of the pictures would be 0.23.
    assert right.value == pytest.approx(0.05)
    draws = np.random.default_rng(7).integers(0, 20, (4000, 20))
    ratios = hits[draws].sum(axis=1) / pixels[draws].sum(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert right.low == pytest.approx(low, abs=0.005)
    assert right.high == pytest.approx(high, abs=0.005)


def test_a_color_that_no_picture_has_has_no_share():
    blue = results.summarize(synthetic.comparison())["model"].shares["blue"]
    assert np.isnan(blue.value)


def test_a_color_of_a_single_picture_has_no_interval():
    pixels = np.array([50.0, *[0.0] * 9])
    right = results.shares({"right": np.stack([pixels / 2, pixels])})["right"]
    assert right.value == 0.5
    assert np.isnan(right.low)


def test_differences_of_shares_are_paired():
    comparison = synthetic.comparison(methods=("one", "two"))
    right = results.differences(comparison)["two"]["right"]
    # Every picture differs by a tenth of its pixels, so no draw matters.
    assert dataclasses.astuple(right) == pytest.approx((0.1, 0.1, 0.1))


def test_pictures_may_be_in_any_order():
    column = np.random.default_rng(0).random(200)
    one = results.estimate(lambda c: c.mean(axis=-1), column)
    other = results.estimate(lambda c: c.mean(axis=-1), column[::-1])
    assert one.value == pytest.approx(other.value)
    assert one.low == pytest.approx(other.low, abs=0.01)


def test_baselines_come_first():
    summaries = results.summarize(synthetic.comparison(methods=("b", "a")))
    assert list(summaries) == ["grey", "mean ab", "b", "a"]


def _crops(comparison, files):
    """The same numbers, of crops of so many files."""
    pictures = [
        dataclasses.replace(p, path=f"/t/{i % files}.jpg", box=(0, 0, 9, 9 + i))
        for i, p in enumerate(comparison.pictures)
    ]
    return dataclasses.replace(comparison, pictures=pictures)


def test_crops_of_one_file_are_drawn_together():
    pictures = synthetic.comparison(count=12, methods=("one", "two"))
    assert not pictures.has_crops
    assert list(pictures.files) == list(range(12))
    crops = _crops(pictures, 4)
    assert crops.has_crops
    assert list(crops.files) == [0, 1, 2, 3] * 3
    assert results.heading(crops) == "12 crops of 4 pictures, original size"
    own = results.summarize(crops)["one"].means["psnr"]
    free = results.summarize(pictures)["one"].means["psnr"]
    assert own.value == free.value
    # File i has the means 4 + i: they lie closer together than pictures.
    assert own.high - own.low < 0.75 * (free.high - free.low)
    difference = results.differences(crops)["two"]
    assert dataclasses.astuple(difference["psnr"]) == pytest.approx((1, 1, 1))
    assert np.isnan(results.summarize(_crops(pictures, 1))["one"].gain.low)
