import dataclasses

import numpy as np
import pytest

from tests.evaluation import synthetic
from tfcolor.evaluation import aggregate


def test_means_and_gains_are_by_hand():
    comparison = synthetic.comparison(count=11)
    summary = aggregate.summarize(comparison)["model"]
    # PSNR 20 + i + 1 for i = 0..10; the gain is 1 dB on every picture.
    psnr = summary.means["psnr"]
    assert psnr.value == pytest.approx(26)
    assert 23 < psnr.low < 25 < 27 < psnr.high < 29
    assert dataclasses.astuple(summary.gain) == pytest.approx((1, 1, 1))
    assert summary.median_gain == pytest.approx(1)


def test_the_four_figures_of_colourfulness_differ():
    comparison = synthetic.comparison(count=2)
    comparison.values["model"]["colorfulness_signed"] = np.array([10.0, 50.0])
    comparison.truth["colorfulness_signed"] = np.array([30.0, 50.0])
    color = aggregate.summarize(comparison)["model"].colorfulness
    signed = color["colorfulness_signed"]
    assert signed.mean.value == 30
    assert signed.ratio.value == 0.75
    assert signed.difference_of_means.value == 10
    assert signed.mean_difference.value == 10
    comparison.truth["colorfulness_signed"] = np.array([50.0, 10.0])
    signed = aggregate.summarize(comparison)["model"].colorfulness[
        "colorfulness_signed"
    ]
    assert signed.difference_of_means.value == 0
    assert signed.mean_difference.value == 40


def test_there_is_no_ratio_to_a_grey_truth():
    comparison = synthetic.comparison()
    comparison.truth["colorfulness_absolute"] = np.zeros(12)
    color = aggregate.summarize(comparison)["model"].colorfulness
    assert np.isnan(color["colorfulness_absolute"].ratio.value)


def test_pictures_may_be_in_any_order():
    column = np.random.default_rng(0).random(200)
    one = aggregate.estimate(lambda c: c.mean(axis=-1), column)
    other = aggregate.estimate(lambda c: c.mean(axis=-1), column[::-1])
    assert one.value == pytest.approx(other.value)
    assert one.low == pytest.approx(other.low, abs=0.01)


def test_baselines_come_first():
    summaries = aggregate.summarize(synthetic.comparison(methods=("b", "a")))
    assert list(summaries) == ["grey", "mean ab", "b", "a"]
