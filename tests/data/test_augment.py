import numpy as np
import pytest
import tensorflow as tf

from tests import drawn
from tfcolor.data import age
from tfcolor.data import augment


def _numbered(height, width):
    values = np.arange(height * width, dtype=np.float32)
    return tf.constant(np.repeat(values.reshape(height, width, 1), 3, -1))


def test_random_crop_cuts_a_window_and_reaches_every_place():
    rgb, corners = _numbered(6, 5), set()
    for i in range(150):
        cut = augment.random_crop(rgb, [i, 0], size=4).numpy()
        y, x = divmod(int(cut[0, 0, 0]), 5)
        np.testing.assert_array_equal(cut, rgb[y : y + 4, x : x + 4])
        corners.add((y, x))
    assert corners == {(y, x) for y in range(3) for x in range(2)}


def test_random_crop_of_the_whole_picture_is_the_picture():
    rgb = tf.cast(_numbered(4, 4), tf.uint8)
    cut = augment.random_crop(rgb, [5, 5], size=4)
    assert cut.dtype == tf.uint8
    np.testing.assert_array_equal(cut, rgb)


def test_random_flip_mirrors_about_half_of_the_pictures():
    rgb = _numbered(3, 4)
    flipped = 0
    for i in range(200):
        result = augment.random_flip(rgb, [i, 7]).numpy()
        if not np.array_equal(result, rgb):
            np.testing.assert_array_equal(result, rgb[:, ::-1])
            flipped += 1
    assert 70 < flipped < 130


@pytest.mark.parametrize(
    "change",
    [lambda rgb, s: augment.random_crop(rgb, s, size=3), augment.random_flip],
)
def test_equal_seeds_change_pictures_equally(change):
    rgb = _numbered(8, 8)
    for i in range(10):
        np.testing.assert_array_equal(change(rgb, [i, i]), change(rgb, [i, i]))


def test_random_resized_crops_are_parts_of_the_wanted_share():
    # Red counts columns and green rows: a crop says where it comes from.
    rgb = np.zeros([60, 90, 3], np.uint8)
    rgb[..., 0] = np.arange(90)
    rgb[..., 1] = np.arange(60)[:, None]
    areas, corners = [], set()
    for i in range(60):
        crop = augment.random_resized_crop(
            tf.constant(rgb), tf.constant([7, i]), size=32, min_area=0.25
        ).numpy()
        assert crop.shape == (32, 32, 3) and crop.dtype == np.uint8
        width = float(crop[0, -1, 0]) - crop[0, 0, 0] + 2
        height = float(crop[-1, 0, 1]) - crop[0, 0, 1] + 2
        areas.append(width * height / (60 * 90))
        corners.add((crop[0, 0, 0], crop[0, 0, 1]))
    assert 0.2 < min(areas) < 0.4 and max(areas) > 0.8
    assert len(corners) > 30


def test_a_random_resized_crop_of_everything_is_a_resize():
    rgb = tf.constant(drawn.colored(3, 16, 16))
    seeds = [tf.constant([1, i]) for i in range(40)]
    crops = [
        augment.random_resized_crop(rgb, seed, size=16, min_area=1.0)
        for seed in seeds
    ]
    # Whole but for the aspect ratio, which cuts at most a fourth of a side.
    widest = min(np.abs(np.int16(c) - np.int16(rgb)).max() for c in crops)
    assert widest <= 12


def _aged(L, share, seed=0):
    changes, grain = augment.aging([seed, 1], size=L.shape[1], share=share)
    return age.aged(L, changes[None], grain[None]).numpy()


def test_lightness_that_does_not_age_stays_as_it_is():
    L = np.random.default_rng(0).uniform(0, 100, (1, 16, 16, 1))
    L = tf.constant(L, tf.float32)
    for seed in range(20):
        np.testing.assert_allclose(_aged(L, 0.0, seed), L, atol=1e-3)


def test_age_changes_lightness_within_its_range_and_repeats():
    L = np.linspace(0, 100, 256).reshape(1, 16, 16, 1)
    L = tf.constant(L, tf.float32)
    found = np.stack([_aged(L, 1.0, seed) for seed in range(60)])
    assert found.min() >= 0 and found.max() <= 100
    assert (
        np.abs(found - L.numpy()).mean(axis=(1, 2, 3, 4)) > 0.5
    ).mean() > 0.9
    # Some fade in black, some in white, some get darker, some lighter.
    assert found.min(axis=(1, 2, 3, 4)).max() > 5
    assert found.max(axis=(1, 2, 3, 4)).min() < 95
    means = found.mean(axis=(1, 2, 3, 4))
    assert means.min() < 42 and means.max() > 58
    np.testing.assert_array_equal(_aged(L, 1.0, 3), found[3])


@pytest.mark.slow
def test_the_share_decides_how_many_age():
    L = tf.fill([1, 8, 8, 1], 50.0)
    aged = [np.any(_aged(L, 0.3, seed) != L) for seed in range(300)]
    assert 0.2 < np.mean(aged) < 0.4


def test_borders_are_black_or_white_and_as_many_as_wanted():
    borders = np.stack(
        [augment.border([seed, 2], size=100, share=0.5) for seed in range(200)]
    )
    there = borders[:, 4] > 0
    assert 0.4 < there.mean() < 0.6
    assert not borders[~there].any()
    widths, lightness = borders[there, :4], borders[there, 4]
    assert widths.max() == 8 and (widths == widths.round()).all()
    assert 0.4 < (widths == 0).mean() < 0.65
    assert ((lightness <= 15) | (lightness >= 70)).all()
    assert 0.3 < (lightness <= 15).mean() < 0.7
