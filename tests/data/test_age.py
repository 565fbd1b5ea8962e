import numpy as np
import pytest
import tensorflow as tf

from tfcolor.data import age


@pytest.mark.parametrize(
    ("count", "rule"),
    [
        (6, age.age_of),
        (11, lambda *u, **to: age.border_of(*u, size=100, **to)),
    ],
)
def test_numpy_and_keras_follow_the_same_rule(count, rule):
    u = np.random.default_rng(0).uniform(size=[count, 500]).astype(np.float32)
    found = rule(u, 0.5, math=np)
    assert found.shape == (500, 5) and found.any(axis=-1).any()
    np.testing.assert_allclose(rule(tf.constant(u), 0.5), found, rtol=1e-5)


def test_ages_are_within_their_ranges():
    # The least and the most of each, and a photograph that stays as it is.
    u = np.array([[0.1] * 6, [0.1, 0, 0, 0, 0, 0], [0.1] + [1] * 5, [0.6] * 6])
    found = age.age_of(u.T, 0.5, math=np)
    least, most = np.exp(-0.51), np.exp(0.53)
    np.testing.assert_allclose(found[1], [least, 0, 100, 1, 0])
    np.testing.assert_allclose(found[2], [most, 25, 75, 0, 5])
    np.testing.assert_allclose(found[3], [1, 0, 100, 0, 0])
    assert least < found[0, 0] < most


def test_borders_are_within_their_ranges():
    u = np.zeros([11, 5])
    u[0, 4] = 1  # None.
    u[1:5] = 1
    u[5:9, 1] = 1  # No width.
    u[9, 2:4] = 1  # Paper.
    u[10, [0, 3]] = 1
    found = age.border_of(u, 0.5, size=100, math=np)
    np.testing.assert_allclose(
        found,
        [
            [8, 8, 8, 8, 15],
            [0, 0, 0, 0, 0],
            [8, 8, 8, 8, 70],
            [8, 8, 8, 8, 100],
            [0, 0, 0, 0, 0],
        ],
    )


def test_lightness_fades_blurs_and_roughens():
    rng = np.random.default_rng(4)
    L = rng.uniform(0, 100, [2, 9, 9, 1]).astype(np.float32)
    L[:, 0] = 0
    grain = rng.normal(size=L.shape).astype(np.float32)
    changes = np.float32([[1.4, 10, 90, 0], [0.7, 5, 80, 1]])
    found = np.asarray(age.aged(L, changes, grain))
    sharp = 10 + (L[0] / 100) ** 1.4 * 80 + grain[0]
    np.testing.assert_allclose(found[0], sharp.clip(0, 100), atol=1e-3)
    inside = np.lib.stride_tricks.sliding_window_view(L[1, ..., 0], (3, 3))
    blurred = (inside.mean(axis=(2, 3)) / 100) ** 0.7
    blurred = 5 + blurred * 75 + grain[1, 1:-1, 1:-1, 0]
    np.testing.assert_allclose(
        found[1, 1:-1, 1:-1, 0], blurred.clip(0, 100), atol=1e-3
    )


@pytest.mark.parametrize("kind", [np.float32, tf.constant])
def test_a_border_is_a_frame(kind):
    borders = kind([[2.0, 0, 1, 3, 90], [0, 0, 0, 0, 0]])
    expected = np.zeros([2, 8, 8, 1], bool)
    expected[0, :2] = expected[0, -1:] = expected[0, :, -3:] = True
    np.testing.assert_array_equal(age.in_border(borders, 8), expected)
