"""One object that says what a picture shows."""

import os
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfcolor import keras_backend
from tfcolor.inference import checks
from tfcolor.inference import class_network
from tfcolor.inference import defaults
from tfcolor.inference import prepare
from tfcolor.weights import model_file


class Classifier:
    """Classifies pictures of any size.

    A picture is squashed to the network's square, as in training.

    Example:
        from tfcolor.inference.classifier import Classifier

        classifier = Classifier("runs/fruits/model.keras")
        name, probability = classifier.classify(rgb)[0]

    Args:
        model: str, the path of a `.keras` file that `train_classifier` or
            `train_alexnet` wrote.
        batch_size: int. Pictures that go through the network at once.

    Attributes:
        class_names: tuple of K str.
        image_size: int. Side of the network's square in pixels.
        batch_size: int.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds no classifier, `batch_size` is no integer of
            1 or above, or Keras has another backend than TensorFlow.
    """

    def __init__(
        self,
        model: str | os.PathLike,
        *,
        batch_size: int = defaults.BATCH_SIZE,
    ):
        checks.check_batch_size(batch_size)
        keras_backend.require_tensorflow("A classifier")
        network, info = _load(os.fspath(model))
        self.class_names = info.class_names
        self.image_size = info.image_size
        self.batch_size = batch_size
        self._network = class_network.probabilities_function(network, info)

    def classify(self, rgb: np.ndarray) -> list[tuple[str, float]]:
        """Classifies a picture.

        Args:
            rgb: uint8 or uint16 array [H, W, 3] (sRGB), or of a grey picture
                [H, W, 1] or [H, W].

        Returns:
            list of K pairs of class and probability, the best first.

        Raises:
            ValueError: `rgb` has another dtype or shape.
        """
        (row,) = self.probabilities([rgb])
        best = np.argsort(-row, kind="stable")
        return [(self.class_names[i], float(row[i])) for i in best]

    def probabilities(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Classifies pictures, which may differ in size.

        Args:
            pictures: sequence of uint8 or uint16 arrays; see `classify`.

        Returns:
            float32 array [N, K], in the order of `class_names`.

        Raises:
            ValueError: a picture has another dtype or shape.
        """
        rows = [np.zeros([0, len(self.class_names)], np.float32)]
        for start in range(0, len(pictures), self.batch_size):
            batch = pictures[start : start + self.batch_size]
            squares = tf.stack([self._square(rgb) for rgb in batch])
            rows.append(self._network(squares).numpy())
        return np.concatenate(rows)

    def _square(self, rgb: np.ndarray) -> tf.Tensor:
        """Returns a picture as float32 [S, S, 3], 0..1."""
        picture = checks.as_picture(rgb)
        return prepare.traced(prepare.network_rgb, picture, self.image_size)


def _load(path: str) -> tuple[keras.Model, model_file.ModelInfo]:
    model, info = model_file.load(path)
    class_network.check(info, path)
    return model, info
