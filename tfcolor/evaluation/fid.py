"""Fréchet Inception distance between two sets of pictures.

The features are those of Keras' Inception-v3, whose ImageNet weights the user
brings. They are not the weights of pytorch-fid (a port of the Inception of
2015), so numbers are near, but not equal, to those of that program; compare
only numbers made here.

Reference:
    M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, "GANs
    Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium", NeurIPS 2017, equation 6.
"""

import os

import keras
import numpy as np
import tensorflow as tf

# Inception-v3's own input size.
_SIZE = 299
NUM_FEATURES = 2048
# With fewer pictures than features the covariances are singular and the
# distance is biased upwards.
ENOUGH_PICTURES = NUM_FEATURES


def frechet_distance(
    mean1: np.ndarray,
    covariance1: np.ndarray,
    mean2: np.ndarray,
    covariance2: np.ndarray,
) -> float:
    """Computes the squared Fréchet distance of two normal distributions.

    Args:
        mean1: float64 array [D].
        covariance1: float64 array [D, D], symmetric, not negative.
        mean2: float64 array [D].
        covariance2: float64 array [D, D], symmetric, not negative.

    Returns:
        float, at least 0: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    Reference:
        D. C. Dowson, B. V. Landau, "The Fréchet distance between multivariate
        normal distributions", Journal of Multivariate Analysis 12 (3), 1982.
    """
    # C1 C2 has the eigenvalues of the symmetric R C2 R, where R R = C1;
    # those are real, and rounding below 0 can be cut off.
    values, vectors = np.linalg.eigh(covariance1)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ covariance2 @ root)
    trace_of_root = np.sqrt(np.maximum(product, 0)).sum()
    squared = np.sum((mean1 - mean2) ** 2)
    traces = np.trace(covariance1) + np.trace(covariance2)
    return max(0.0, float(squared + traces - 2 * trace_of_root))


def features_distance(features1: np.ndarray, features2: np.ndarray) -> float:
    """Computes the distance of two sets of feature vectors.

    Args:
        features1: float array [N1, D], N1 at least 2.
        features2: float array [N2, D], N2 at least 2.

    Returns:
        float, at least 0.

    Raises:
        ValueError: a set has fewer than two vectors.
    """
    fewest = min(len(features1), len(features2))
    if fewest < 2:
        raise ValueError(f"FID needs at least 2 pictures. Received: {fewest}")
    moments = []
    for features in (features1, features2):
        features = np.asarray(features, np.float64)
        covariance = np.atleast_2d(np.cov(features, rowvar=False))
        moments += [features.mean(axis=0), covariance]
    return frechet_distance(*moments)


class Fid:
    """Inception features of pictures, and the distance of sets of them."""

    def __init__(self, path: str):
        """Loads Inception-v3.

        Args:
            path: str. Weights of `keras.applications.InceptionV3` without its
                top: the file that Keras calls
                `inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5`, or
                one written by `save_weights` of such a model.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file does not hold these weights.
        """
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"FID weights must be a file. Received: {path!r}"
            )
        try:
            self._model = keras.applications.InceptionV3(
                weights=path, include_top=False, pooling="avg"
            )
        except Exception as error:
            raise ValueError(
                "FID weights must be those of keras.applications.InceptionV3 "
                f"with include_top=False (.h5). Received: {path!r}"
            ) from error

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Computes the features of a picture.

        Args:
            rgb: uint8 array [H, W, 3]; squashed to 299 x 299, antialiased.

        Returns:
            float32 array [2048].
        """
        pictures = tf.image.resize(
            rgb[np.newaxis], [_SIZE, _SIZE], antialias=True
        )
        features = self._model(pictures / 127.5 - 1, training=False)
        return keras.ops.convert_to_numpy(features)[0]

    distance = staticmethod(features_distance)
