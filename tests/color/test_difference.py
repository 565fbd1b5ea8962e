import pathlib

import numpy as np
import pytest
import tensorflow as tf
from skimage import color as skcolor

from tfcolor.color import lab
from tfcolor.color.difference import ciede2000

PAIRS = np.loadtxt(pathlib.Path(__file__).parent / "ciede2000_pairs.txt")


def _random_lab(seed, count):
    rng = np.random.default_rng(seed)
    return rng.uniform([0, -100, -100], [100, 100, 100], (count, 3))


def _gradients(lab1, lab2):
    lab1, lab2 = tf.constant(lab1, tf.float32), tf.constant(lab2, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([lab1, lab2])
        difference = ciede2000(lab1, lab2)
    return tape.gradient(difference, [lab1, lab2])


@pytest.mark.parametrize("row", PAIRS, ids=range(1, 35))
def test_ciede2000_matches_the_published_pairs(row):
    lab1, lab2, published = row[:3], row[3:6], row[6]
    np.testing.assert_allclose(
        skcolor.deltaE_ciede2000(lab1, lab2), published, atol=1e-4
    )
    np.testing.assert_allclose(ciede2000(lab1, lab2), published, atol=1e-3)
    np.testing.assert_allclose(ciede2000(lab2, lab1), published, atol=1e-3)


def test_all_34_published_pairs_are_there():
    assert PAIRS.shape == (34, 7)


def test_ciede2000_matches_skimage_on_random_colors():
    lab1, lab2 = _random_lab(0, 5000), _random_lab(1, 5000)
    np.testing.assert_allclose(
        ciede2000(lab1, lab2), skcolor.deltaE_ciede2000(lab1, lab2), atol=1e-3
    )


def test_ciede2000_is_symmetric():
    lab1, lab2 = _random_lab(2, 2000), _random_lab(3, 2000)
    np.testing.assert_allclose(
        ciede2000(lab1, lab2), ciede2000(lab2, lab1), atol=1e-4
    )


def test_ciede2000_is_zero_for_equal_colors():
    colors = np.concatenate([_random_lab(4, 500), np.zeros([1, 3])])
    np.testing.assert_array_equal(ciede2000(colors, colors), 0)


@pytest.mark.parametrize(
    "chroma", [0.0, 1e-30, 1e-22, 1e-20, 1e-12, 1e-6, 1e-3]
)
def test_ciede2000_has_finite_gradients_at_greys(chroma):
    lab1 = [[50, chroma, 0], [50, 0, chroma], [50, chroma, -chroma], [0, 0, 0]]
    lab2 = [[60, 0, 0], [50, 0, 0], [50, chroma, -chroma], [40, 20, -30]]
    for gradient in _gradients(lab1, lab2):
        assert np.isfinite(gradient).all()


def test_ciede2000_has_finite_gradients_at_equality_and_corners():
    rgb = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
    corners = lab.rgb_to_lab(rgb.astype(np.float32)).numpy()
    first, second = np.repeat(corners, 8, 0), np.tile(corners, (8, 1))
    for gradient in _gradients(first, second):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() < 1e3


def test_gradient_points_towards_the_other_color():
    # Weights of the formula change slowly: a small step must help.
    lab1, lab2 = _random_lab(5, 200), _random_lab(6, 200)
    gradient = _gradients(lab1, lab2)[0].numpy()
    step = lab1 - 1e-2 * gradient
    assert np.all(ciede2000(step, lab2) < ciede2000(lab1, lab2))
