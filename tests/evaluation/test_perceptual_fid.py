import keras
import numpy as np
import pytest

from tfcolor.evaluation import perceptual


def _covariance(seed, size=6):
    factor = np.random.default_rng(seed).normal(size=(size, size))
    return factor @ factor.T


def test_the_distance_to_itself_is_zero():
    mean, covariance = np.arange(6.0), _covariance(0)
    distance = perceptual.frechet_distance(mean, covariance, mean, covariance)
    assert distance == pytest.approx(0, abs=1e-9)


def test_equal_covariances_leave_the_distance_of_the_means():
    covariance = _covariance(1)
    distance = perceptual.frechet_distance(
        np.zeros(6), covariance, np.full(6, 2.0), covariance
    )
    assert distance == pytest.approx(6 * 4)


def test_in_one_dimension_deviations_are_subtracted():
    distance = perceptual.frechet_distance(
        np.array([1.0]), np.array([[9.0]]), np.array([4.0]), np.array([[25.0]])
    )
    # (1 - 4)^2 + (3 - 5)^2
    assert distance == pytest.approx(9 + 4)


def test_covariances_that_commute_have_a_closed_form():
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))
    one, other = np.array([1, 4, 9, 16, 0.0]), np.array([4, 1, 0.0, 25, 2])
    distance = perceptual.frechet_distance(
        np.zeros(5),
        rotation @ np.diag(one) @ rotation.T,
        np.zeros(5),
        rotation @ np.diag(other) @ rotation.T,
    )
    expected = ((np.sqrt(one) - np.sqrt(other)) ** 2).sum()
    assert distance == pytest.approx(expected)


def test_two_by_two_covariances_have_a_closed_form():
    one = np.array([[2.0, 0.7], [0.7, 1.0]])
    other = np.array([[1.0, -0.4], [-0.4, 3.0]])
    # For 2 x 2: tr(root(M)) = sqrt(tr M + 2 sqrt(det M)).
    product = one @ other
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(one) + np.trace(other) - 2 * root
    distance = perceptual.frechet_distance(np.zeros(2), one, np.zeros(2), other)
    assert distance == pytest.approx(expected)
    assert distance == pytest.approx(
        perceptual.frechet_distance(np.zeros(2), other, np.zeros(2), one)
    )


def test_the_distance_of_features_is_that_of_their_moments():
    generator = np.random.default_rng(3)
    one, other = generator.random((9, 4)), generator.random((7, 4)) + 1
    expected = perceptual.frechet_distance(
        one.mean(axis=0), np.cov(one.T), other.mean(axis=0), np.cov(other.T)
    )
    assert perceptual.fid_distance(one, other) == pytest.approx(expected)
    assert perceptual.fid_distance(one, one[::-1]) == pytest.approx(0, abs=1e-9)


def test_fewer_pictures_than_features_are_allowed_but_not_one():
    features = np.random.default_rng(4).random((2, 50))
    assert perceptual.fid_distance(features, features + 1) == pytest.approx(50)
    with pytest.raises(ValueError, match="at least 2 pictures. Received: 1"):
        perceptual.fid_distance(features[:1], features)


def test_files_that_are_not_inception_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.h5"):
        perceptual.Fid(str(tmp_path / "none.h5"))


@pytest.mark.long
def test_inception_weights_are_read_and_give_its_features(tmp_path):
    model = keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg"
    )
    path = str(tmp_path / "inception.weights.h5")
    model.save_weights(path)
    rgb = np.random.default_rng(5).integers(
        0, 256, (299, 299, 3), dtype=np.uint8
    )
    expected = model.predict(rgb[np.newaxis] / 127.5 - 1.0, verbose=0)[0]
    features = perceptual.Fid(path)(rgb)
    assert features.shape == (perceptual.FID_FEATURES,)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)

    other = str(tmp_path / "other.weights.h5")
    layers = [keras.layers.Input((4,)), keras.layers.Dense(3)]
    keras.Sequential(layers).save_weights(other)
    with pytest.raises(ValueError, match="InceptionV3"):
        perceptual.Fid(other)
