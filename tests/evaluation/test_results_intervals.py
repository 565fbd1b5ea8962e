import dataclasses

import numpy as np
import pytest

from tfcolor.evaluation import results


def _mean(column):
    return column.mean(axis=-1)


def _difference(one, other):
    return one.mean(axis=-1) - other.mean(axis=-1)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    column = np.random.default_rng(0).normal(5, 2, 400)
    low, high = results.interval(_mean, column)
    error = 1.96 * column.std() / np.sqrt(400)
    assert low == pytest.approx(column.mean() - error, abs=0.03)
    assert high == pytest.approx(column.mean() + error, abs=0.03)


def test_about_95_of_100_intervals_hold_the_true_mean():
    generator = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        low, high = results.interval(
            _mean, generator.normal(0, 1, 60), resamples=400
        )
        hits += low < 0 < high
    assert 180 <= hits <= 198


def test_equal_seeds_give_equal_intervals_and_others_do_not():
    column = np.random.default_rng(2).random(50)
    first = results.interval(_mean, column, seed=7)
    assert first == results.interval(_mean, column, seed=7)
    assert first != results.interval(_mean, column, seed=8)


def test_columns_are_drawn_together():
    column = np.random.default_rng(3).normal(0, 100, 80)
    low, high = results.interval(_difference, column + 1, column)
    # Unpaired, the interval would be tens wide.
    assert (low, high) == pytest.approx((1, 1))


def test_blocks_bound_memory_and_draw_all_resamples(monkeypatch):
    monkeypatch.setattr(results, "_BLOCK", 250)
    sizes = []

    def mean(column):
        sizes.append(column.shape)
        return column.mean(axis=-1)

    results.interval(mean, np.arange(100.0), resamples=7)
    assert sizes == [(2, 100), (2, 100), (2, 100), (1, 100)]


def test_one_picture_has_no_interval():
    assert np.isnan(results.interval(_mean, np.array([3.0]))).all()


def test_pictures_of_a_group_are_drawn_together():
    column = np.random.default_rng(4).normal(5, 2, 60)
    alone = results.mean(column)
    # Six equal crops of each picture tell nothing more than one.
    crops = results.mean(np.repeat(column, 6), np.repeat(np.arange(60), 6))
    assert dataclasses.astuple(crops) == pytest.approx(
        dataclasses.astuple(alone)
    )
    apart = results.mean(np.repeat(column, 6))
    assert apart.high - apart.low < 0.5 * (crops.high - crops.low)


def test_the_mean_weighs_groups_by_their_pictures():
    groups = np.array([9, 9, 9, 2])
    found = results.mean(np.array([1.0, 1, 1, 5]), groups)
    assert dataclasses.astuple(found) == (2, 1, 5)


def test_one_group_has_no_interval():
    found = results.mean(np.array([3.0, 4.0]), np.array([1, 1]))
    assert found.value == 3.5 and np.isnan(found.low)


@pytest.mark.parametrize("shift", [0, 0.2, -3, 3])
def test_a_difference_without_its_sign_lies_in_its_interval(shift):
    truth = np.random.default_rng(5).normal(30, 4, 50)
    noise = np.random.default_rng(6).normal(0, 4, 50)
    own = truth + shift + noise - noise.mean()
    found = results._colorfulness(own, truth, None).difference_of_means
    assert found.value == pytest.approx(abs(shift))
    assert 0 <= found.low <= found.value + 1e-9 <= found.high
    assert (found.low == 0) == (abs(shift) < 1)
