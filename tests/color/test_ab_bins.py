import numpy as np
import pytest
import skimage
import tensorflow as tf

from tfcolor.color import ab_bins


def _logits(count=50, spread=3.0):
    rng = np.random.default_rng(0)
    return (spread * rng.normal(size=(count, 529))).astype(np.float32)


def test_there_are_529_centers_from_minus_110_to_110():
    centers = ab_bins.centers().numpy()
    assert centers.shape == (529, 2)
    assert centers.min() == -110 and centers.max() == 110
    np.testing.assert_array_equal(centers[0], [-110, -110])
    np.testing.assert_array_equal(centers[1], [-110, -100])
    np.testing.assert_array_equal(centers[264], [0, 0])


def test_encode_of_the_centers_is_the_identity():
    bins = ab_bins.encode(ab_bins.centers())
    assert bins.dtype == tf.int32
    np.testing.assert_array_equal(bins, np.arange(529))


def test_encode_finds_the_nearest_center():
    rng = np.random.default_rng(1)
    ab = rng.uniform(-110, 110, (500, 2)).astype(np.float32)
    centers = ab_bins.centers().numpy()
    distance = ((ab[:, None] - centers[None]) ** 2).sum(-1)
    np.testing.assert_array_equal(ab_bins.encode(ab), distance.argmin(-1))


def test_encode_rounds_halves_to_the_even_row():
    # (a + 110) / 10 is 0.5, 1.5, 2.5, 3.5: rows 0, 2, 2, 4.
    a = tf.constant([-105.0, -95.0, -85.0, -75.0])
    b = tf.fill([4], -110.0)
    rows = ab_bins.encode(tf.stack([a, b], -1)) // 23
    np.testing.assert_array_equal(rows, [0, 2, 2, 4])


def test_encode_clips_what_lies_beyond_the_grid():
    ab = tf.constant([[-500.0, 0.0], [500.0, 500.0], [0.0, -111.0]])
    np.testing.assert_array_equal(ab_bins.encode(ab), [11, 528, 11 * 23])


def test_count_counts_every_color():
    centers = ab_bins.centers().numpy()
    counts = ab_bins.count(centers[[[7, 528], [7, 264]]])
    assert counts.shape == (529,) and counts.dtype == np.float64
    assert counts[7] == 2 and counts[528] == counts[264] == 1
    assert counts.sum() == 4


def test_decode_argmax_returns_the_most_likely_center():
    logits = _logits()
    expected = ab_bins.centers().numpy()[logits.argmax(-1)]
    np.testing.assert_array_equal(ab_bins.decode_argmax(logits), expected)


def test_decode_mean_is_the_expected_color():
    logits = _logits().astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(
        ab_bins.decode_mean(logits), p @ ab_bins.centers().numpy(), atol=1e-3
    )


def test_annealed_mean_goes_from_the_mode_to_the_mean():
    logits = _logits()
    coldest = ab_bins.decode_annealed_mean(logits, temperature=1e-3)
    np.testing.assert_allclose(
        coldest, ab_bins.decode_argmax(logits), atol=1e-2
    )
    warmest = ab_bins.decode_annealed_mean(logits, temperature=1.0)
    np.testing.assert_array_equal(warmest, ab_bins.decode_mean(logits))


def test_annealed_mean_sharpens_as_in_equation_5():
    logits = _logits().astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    p = p ** (1 / 0.38)
    expected = p / p.sum(-1, keepdims=True) @ ab_bins.centers().numpy()
    np.testing.assert_allclose(
        ab_bins.decode_annealed_mean(logits), expected, atol=1e-3
    )


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_annealed_mean_refuses_temperatures_not_above_zero(temperature):
    with pytest.raises(ValueError, match="Received: temperature="):
        ab_bins.decode_annealed_mean(_logits(1), temperature=temperature)


def _colors_of_srgb(step=5):
    axis = np.arange(0, 256, step, np.uint8)
    rgb = np.stack(np.meshgrid(axis, axis, axis), -1).reshape(-1, 3)
    return skimage.color.rgb2lab(rgb / 255)[:, 1:].astype(np.float32)


def test_srgb_bins_are_those_that_hold_colors_of_srgb():
    bins = np.unique(ab_bins.encode(_colors_of_srgb()))
    assert ab_bins.NUM_SRGB_BINS == 261
    assert set(bins) <= set(ab_bins.SRGB_BINS)
    # Every fifth byte finds nearly all of them.
    assert len(bins) >= 258
    np.testing.assert_array_equal(
        ab_bins.centers(261), ab_bins.centers().numpy()[ab_bins.SRGB_BINS]
    )


def test_among_renumbers_bins_and_moves_strange_ones_to_a_neighbor():
    among = ab_bins.among(ab_bins.SRGB_BINS, 261)
    np.testing.assert_array_equal(among, np.arange(261))
    every = np.arange(529)
    np.testing.assert_array_equal(ab_bins.among(every, 529), every)
    centers = ab_bins.centers().numpy()
    moved = ab_bins.centers(261).numpy()[ab_bins.among(every, 261)]
    distance = ((centers[:, None] - ab_bins.centers(261)[None]) ** 2).numpy()
    nearest = distance.sum(-1).min(-1)
    np.testing.assert_allclose(
        ((centers - moved) ** 2).sum(-1), nearest, rtol=1e-5
    )


def test_261_logits_are_decoded_by_their_own_centers():
    logits = _logits()[..., :261]
    expected = ab_bins.centers(261).numpy()[logits.argmax(-1)]
    np.testing.assert_array_equal(ab_bins.decode_argmax(logits), expected)


@pytest.mark.parametrize(
    "use", [ab_bins.centers, lambda count: ab_bins.among([0], count)]
)
def test_other_numbers_of_bins_are_refused(use):
    with pytest.raises(ValueError, match="529 or 261. Received: num_bins=313"):
        use(313)
