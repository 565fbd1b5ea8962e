import numpy as np
import pytest
import tensorflow as tf

from tests import drawn
from tfcolor.data import array_examples
from tfcolor.data import augment
from tfcolor.data import full_data_config
from tfcolor.data import hints

_SIZE = 24


def _config(**options):
    return full_data_config.FullDataConfig(
        **{"image_size": _SIZE, "min_area": 0.3, "flip": True} | options
    )


def _drawn(count, *, side=44, **options):
    rng = np.random.default_rng(0)
    return array_examples.draw(rng, count, side=side, config=_config(**options))


def _noise(count, side):
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, [count, side, side, 3], np.uint8)


@tf.function
def _for_seeds(find, count, dtypes):
    seeds = tf.stack([tf.range(count), tf.range(count)], axis=-1)
    return tf.map_fn(find, seeds, fn_output_signature=dtypes)


# Smaller, larger and exactly as large as they are shown.
@pytest.mark.parametrize("side", [20, 24, 44])
def test_views_equal_those_of_tensorflow(side):
    rgb, parts = _noise(32, side), _drawn(32, side=side)["parts"]
    found = array_examples.views(rgb, parts, _SIZE)
    for picture, part, view in zip(rgb, parts, found, strict=True):
        top, left, height, width = part[:4].astype(int)
        cut = picture[top : top + height, left : left + width]
        assert cut.shape == (height, width, 3)
        cut = tf.image.resize(cut, [_SIZE] * 2, antialias=True)
        cut = tf.round(tf.clip_by_value(cut, 0, 255))
        cut = cut[:, ::-1] if part[4] else cut
        # Sums in another order may fall on the other side of a half.
        np.testing.assert_allclose(view, cut, atol=1)
        assert np.mean(view != cut) < 0.05


def test_parts_are_distributed_as_those_of_tensorflow():
    parts = _drawn(20000, side=100)["parts"]
    top, left, height, width, mirrored = parts.T
    assert (top + height).max() <= 100 and (left + width).max() <= 100
    assert top.min() == 0 and abs(mirrored.mean() - 0.5) < 0.02
    rng = np.random.default_rng(2)
    area, ratio = rng.uniform(0.3, 1, 20000), rng.uniform(-1, 1, 20000)
    expected = np.minimum(1, np.sqrt(area / (4 / 3) ** ratio)) * 100
    for sides in (height, width):
        assert abs(sides.mean() - expected.mean()) < 0.5
        assert abs(sides.std() - expected.std()) < 0.5


def test_without_smaller_parts_squares_are_cut_as_they_are():
    rgb = _noise(4, 30)
    parts = _drawn(4, side=30, min_area=1.0, flip=False)["parts"]
    found = array_examples.views(rgb, parts, _SIZE)
    for picture, (top, left, *_), view in zip(
        rgb, parts.astype(int), found, strict=True
    ):
        cut = picture[top : top + _SIZE, left : left + _SIZE]
        np.testing.assert_array_equal(view, cut)


def test_hints_are_distributed_as_those_of_tensorflow():
    count = 2000
    ab = tf.zeros([_SIZE, _SIZE, 2])
    masks = _for_seeds(
        lambda seed: hints.random_hints(ab, seed)[1], count, tf.float32
    )
    expected = masks.numpy()[..., 0]
    drawn = _drawn(count)
    found = drawn["shown"] > 0
    np.testing.assert_allclose(
        found.mean(axis=0), expected.mean(axis=0), atol=0.05
    )
    shares = found.mean(axis=(1, 2)), expected.mean(axis=(1, 2))
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        a, b = (np.quantile(values, share) for values in shares)
        assert abs(a - b) < 0.04
    assert array_examples.MAX_PATCH_SIDE == hints.MAX_PATCH_SIDE
    assert array_examples.MAX_HINTS == hints.MAX_HINTS
    assert not _drawn(9, hint_share=0.0)["shown"].any()
    assert not _drawn(9, hint_probability=1.0)["shown"].any()
    some = _drawn(count, hint_share=0.25)["shown"].any(axis=(1, 2))
    assert abs(some.mean() - 0.25 * 7 / 8) < 0.03


def test_hints_are_the_mean_colors_of_patches():
    rng = np.random.default_rng(3)
    ab = rng.normal(0, 30, [6, _SIZE, _SIZE, 2]).astype(np.float32)
    drawn = _drawn(6)
    found, mask = array_examples.hints_of(ab, drawn["patches"], drawn["shown"])
    expected, inside = np.zeros_like(ab), np.zeros_like(ab[..., :1])
    for i in range(6):
        for y, x, side in drawn["patches"][i, : drawn["shown"][i].max()]:
            place = np.s_[i, int(y) : int(y + side), int(x) : int(x + side)]
            inside[place] = 1
            # A later patch lies on top, and sees what is below it.
            expected[place] = ab[place].mean(axis=(0, 1))
    assert 0 < inside.mean() < 1
    np.testing.assert_array_equal(mask, inside)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_bad_probability_of_hints_is_refused():
    with pytest.raises(ValueError, match="at most 1. Received"):
        _drawn(1, hint_probability=0.0)


def test_as_many_age_as_are_to():
    age = _drawn(64, aged_share=0.5)["age"]
    fresh = age[:, 0] == 1
    assert 16 < fresh.sum() < 48
    np.testing.assert_array_equal(age[fresh], [[1, 0, 100, 0, 0]] * fresh.sum())


def test_age_is_distributed_as_that_of_tensorflow():
    count = 2000
    expected, rough = _for_seeds(
        lambda seed: augment.aging(seed, size=16, share=0.5),
        count,
        (tf.float32, tf.float32),
    )
    expected = np.concatenate([expected, np.std(rough, axis=(1, 2))], axis=-1)
    found = _drawn(count, aged_share=0.5)["age"]
    spread = expected.std(axis=0)
    np.testing.assert_allclose(
        found.mean(axis=0) / spread, expected.mean(axis=0) / spread, atol=0.1
    )
    np.testing.assert_allclose(found.std(axis=0), spread, rtol=0.1)


def test_borders_are_those_of_tensorflow():
    count = 4000
    (expected,) = _for_seeds(
        lambda seed: (augment.border(seed, size=_SIZE, share=0.2),),
        count,
        (tf.float32,),
    )
    found = _drawn(count, aged_share=1.0)["border"]
    spread = np.std(expected, axis=0)
    np.testing.assert_allclose(
        found.mean(axis=0) / spread,
        np.mean(expected, axis=0) / spread,
        atol=0.1,
    )
    np.testing.assert_allclose(found.std(axis=0), spread, rtol=0.15)


def test_a_border_has_no_color_and_gives_no_hint_of_one():
    rgb = np.stack([drawn.colored(i, 44, 44) for i in range(8)])
    random = _drawn(8)
    random["border"] = np.full([8, 5], 3, np.float32)
    random["border"][:, 4] = 80
    grain = np.zeros([8, _SIZE, _SIZE, 1], np.float32)
    inputs, targets = array_examples.examples(rgb, random, grain)
    edge = np.ones([_SIZE, _SIZE], bool)
    edge[3:-3, 3:-3] = False
    assert (np.asarray(inputs["L"])[:, edge] == 80).all()
    assert not np.asarray(targets["ab"])[:, edge].any()
    assert np.abs(np.asarray(targets["ab"])[:, ~edge]).mean() > 5


def test_examples_are_those_of_the_network():
    rgb = np.stack([drawn.colored(i, 44, 44) for i in range(3)])
    grain = np.zeros([3, _SIZE, _SIZE, 1], np.float32)
    inputs, targets = array_examples.examples(rgb, _drawn(3), grain)
    shapes = {name: tuple(x.shape) for name, x in (inputs | targets).items()}
    square = (3, _SIZE, _SIZE)
    assert shapes == {
        "L": (*square, 1),
        "hints": (*square, 2),
        "mask": (*square, 1),
        "ab": (*square, 2),
    }
    assert np.std(targets["ab"]) > 5
