import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import ab_bins
from tfcolor.losses import classification


def _picture(ab_rows, logits_rows):
    """One picture whose 4 x 4 blocks have the colors given."""
    ab = np.repeat(np.repeat(np.array([ab_rows], np.float32), 4, 1), 4, 2)
    return tf.constant(ab), tf.constant([logits_rows], tf.float32)


def test_cross_entropy_of_uniform_logits_is_the_log_of_the_bins():
    ab = tf.random.uniform([2, 8, 12, 2], -110, 110, seed=0)
    loss = classification.bin_cross_entropy(ab, tf.zeros([2, 2, 3, 529]))
    np.testing.assert_allclose(loss, [np.log(529)] * 2, rtol=1e-5)


def test_cross_entropy_of_a_hand_computed_picture():
    grey, red = [0.0, 0.0], [60.0, 40.0]
    bins = ab_bins.encode(tf.constant([grey, red])).numpy()
    logits = np.zeros([2, 2, 529])
    logits[0, 0, bins[0]] = np.log(528)
    logits[1, 1, bins[1]] = np.log(528 * 3)
    ab, logits = _picture([[grey, grey], [grey, red]], logits)
    # Probabilities of the truth: 1/2, 1/529, 1/529, 3/4.
    expected = (np.log(2) + 2 * np.log(529) + np.log(4 / 3)) / 4
    loss = classification.bin_cross_entropy(ab, logits)
    np.testing.assert_allclose(loss, [expected], rtol=1e-5)


def test_bin_weights_weigh_positions_by_their_true_color():
    grey, red = [0.0, 0.0], [60.0, 40.0]
    bins = ab_bins.encode(tf.constant([grey, red])).numpy()
    weights = np.ones(529, np.float32)
    weights[bins[0]], weights[bins[1]] = 0.5, 4.0
    ab, logits = _picture([[grey, red]], np.zeros([1, 2, 529]))
    loss = classification.bin_cross_entropy(ab, logits, bin_weights=weights)
    np.testing.assert_allclose(loss, [np.log(529) * 4.5 / 2], rtol=1e-5)


def test_the_truth_is_sampled_at_every_fourth_pixel():
    ab = np.full([1, 8, 8, 2], 100.0, np.float32)
    ab[:, ::4, ::4] = 0
    logits = np.zeros([1, 2, 2, 529], np.float32)
    logits[..., 264] = 50
    loss = classification.bin_cross_entropy(ab, logits)
    np.testing.assert_allclose(loss, [0], atol=1e-6)


def test_cross_entropy_is_finite_for_a_confident_mistake():
    logits = tf.constant(1e4 * np.eye(529)[None, None, :1], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = classification.bin_cross_entropy(tf.zeros([1, 4, 4, 2]), logits)
    assert np.isfinite(loss).all()
    assert np.isfinite(tape.gradient(loss, logits)).all()


def _counts():
    """Mostly grey, some of one color, a little of another."""
    counts = np.zeros(529)
    counts[264], counts[300], counts[50] = 1e6, 1e4, 10
    return counts


def _smoothed(counts):
    centers = ab_bins.centers().numpy().astype(np.float64)
    square = ((centers[:, None] - centers) ** 2).sum(-1)
    smooth = np.exp(-square / 50) @ counts
    return smooth / smooth.sum()


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_rebalancing_weights_have_mean_one_under_the_smoothed_prior(share):
    weights = classification.rebalancing_weights(_counts(), uniform_share=share)
    assert weights.shape == (529,) and weights.dtype == np.float32
    np.testing.assert_allclose(
        (weights * _smoothed(_counts())).sum(), 1, rtol=1e-5
    )


def test_rebalancing_weights_follow_equation_4():
    weights = classification.rebalancing_weights(_counts(), uniform_share=0.5)
    expected = 1 / (0.5 * _smoothed(_counts()) + 0.5 / 3)
    np.testing.assert_allclose(
        weights / weights[0], expected / expected[0], rtol=1e-5
    )


def test_rare_colors_weigh_more_than_common_ones():
    weights = classification.rebalancing_weights(_counts())
    assert weights[50] > weights[300] > weights[264] > 0


def test_a_uniform_share_of_one_weighs_all_colors_alike():
    weights = classification.rebalancing_weights(_counts(), uniform_share=1.0)
    np.testing.assert_allclose(weights, 1, rtol=1e-6)


@pytest.mark.parametrize("counts", [np.zeros(529), np.ones(528)])
def test_rebalancing_refuses_counts_without_a_distribution(counts):
    with pytest.raises(ValueError, match="Received: shape="):
        classification.rebalancing_weights(counts)


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_rebalancing_refuses_shares_outside_zero_to_one(share):
    with pytest.raises(ValueError, match="Received: uniform_share="):
        classification.rebalancing_weights(_counts(), uniform_share=share)
