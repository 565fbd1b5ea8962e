import numpy as np
import pytest
import tensorflow as tf

from tfcolor.data import hints


def _ab(height=32, width=40, seed=0):
    rng = np.random.default_rng(seed)
    ab = rng.uniform(1, 100, [height, width, 2]).astype(np.float32)
    return tf.constant(ab)


@tf.function(reduce_retracing=True)
def _hints(ab, number, probability=0.125):
    seed = tf.stack([number, 1])
    return hints.random_hints(ab, seed, probability=probability)


def test_equal_seeds_give_equal_hints_and_others_differ():
    ab = _ab()
    first, again, other = (_hints(ab, tf.constant(n)) for n in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_hints_lie_where_the_mask_says_and_nowhere_else():
    for number in range(20):
        values, mask = _hints(_ab(), tf.constant(number))
        assert values.shape == (32, 40, 2) and mask.shape == (32, 40, 1)
        assert set(np.unique(mask)) <= {0.0, 1.0}
        given = np.any(values.numpy() != 0, axis=-1)
        np.testing.assert_array_equal(given, mask.numpy()[..., 0] == 1)


def test_a_single_hint_is_the_mean_of_a_square_patch():
    ab, singles = _ab(), 0
    for number in range(60):
        values, mask = _hints(ab, tf.constant(number), 0.5)
        rows, columns = np.nonzero(mask[..., 0])
        if not rows.size:
            continue
        top, bottom = rows.min(), rows.max() + 1
        left, right = columns.min(), columns.max() + 1
        if mask.numpy().sum() != (bottom - top) * (right - left):
            continue
        if len(np.unique(values.numpy()[top:bottom, left:right])) != 2:
            continue
        singles += 1
        assert bottom - top == right - left <= hints.MAX_PATCH_SIDE
        patch = ab.numpy()[top:bottom, left:right].mean((0, 1))
        np.testing.assert_allclose(values[top, left], patch, rtol=1e-4)
    assert singles >= 10


def _patch_counts(probability, pictures):
    """Numbers of patches, told apart by their colors."""
    counts = []
    # Every pixel has a color of its own, and so has every patch.
    ab = tf.reshape(tf.range(1.0, 2 * 256 * 256 + 1), [256, 256, 2])
    for number in range(pictures):
        values, mask = _hints(ab, tf.constant(number), probability)
        given = values.numpy()[mask.numpy()[..., 0] == 1]
        counts.append(len(np.unique(given[:, 0])) if given.size else 0)
    return np.array(counts)


@pytest.mark.slow
def test_the_number_of_hints_is_geometric():
    counts = _patch_counts(0.125, 250)
    # Mean 7, deviation 7.5; a few patches hide behind others.
    assert 5.5 < counts.mean() < 8.2
    # P(0) = 1/8; three deviations are 0.06.
    assert 0.065 < (counts == 0).mean() < 0.185


def test_hints_gather_around_the_middle():
    total = np.zeros([32, 40])
    for number in range(150):
        total += _hints(_ab(), tf.constant(number))[1].numpy()[..., 0]
    rows, columns = total.sum(1), total.sum(0)
    np.testing.assert_allclose(
        np.average(np.arange(32), weights=rows), 15.5, atol=1.2
    )
    np.testing.assert_allclose(
        np.average(np.arange(40), weights=columns), 19.5, atol=1.5
    )
    assert total[12:20, 15:25].mean() > 2 * total[:4, :5].mean()


def test_probability_one_gives_no_hints():
    values, mask = hints.random_hints(_ab(), [1, 2], probability=1)
    assert not np.any(values) and not np.any(mask)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_pictures_smaller_than_a_patch_get_hints_too(size):
    ab, given = _ab(*size), 0
    for number in range(10):
        values, mask = _hints(ab, tf.constant(number))
        assert values.shape == (*size, 2) and np.isfinite(values).all()
        given += mask.numpy().sum()
    assert given > 0


@pytest.mark.parametrize("probability", [0, -0.5, 1.5])
def test_probabilities_outside_zero_to_one_are_refused(probability):
    with pytest.raises(ValueError, match="Received: probability="):
        hints.random_hints(_ab(), [0, 0], probability=probability)
