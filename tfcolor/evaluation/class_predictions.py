"""What a classifier says of each test picture."""

import csv
import dataclasses
import io
import os

import keras
import numpy as np
import tensorflow as tf

from tfcolor.data import encode

_HEADER = ("picture", "true", "predicted", "probability")


@dataclasses.dataclass(frozen=True)
class ClassPredictions:
    """True and predicted classes of pictures.

    Attributes:
        names: list of N str, the pictures.
        labels: int array [N], the true classes.
        probabilities: float array [N, K].
        class_names: tuple of K str.
    """

    names: list[str]
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]

    def predicted(self) -> np.ndarray:
        """Returns the best class of each picture, int array [N]."""
        return self.probabilities.argmax(axis=-1)

    def right(self, top: int = 1) -> np.ndarray:
        """Tells which pictures have their class among the best `top`.

        Args:
            top: int, 1 or more.

        Returns:
            float64 array [N], 0 or 1.
        """
        best = np.argsort(-self.probabilities, axis=-1, kind="stable")
        return (
            (best[:, :top] == self.labels[:, None]).any(axis=-1).astype(float)
        )

    def confusion(self) -> np.ndarray:
        """Counts pictures by true (rows) and predicted class, int [K, K]."""
        matrix = np.zeros([len(self.class_names)] * 2, int)
        np.add.at(matrix, (self.labels, self.predicted()), 1)
        return matrix


def predict(
    model: keras.Model, dataset: tf.data.Dataset, class_names: tuple[str, ...]
) -> ClassPredictions:
    """Classifies a data set.

    Args:
        model: keras.Model with the output "logits".
        dataset: Dataset of (inputs, {"label": int64 [B], "name": string [B]}),
            as of `labelled.labelled_dataset`.
        class_names: tuple of str.

    Returns:
        ClassPredictions.
    """
    forward = tf.function(
        lambda inputs: tf.nn.softmax(model(inputs, training=False)["logits"])
    )
    names, labels, probabilities = [], [], []
    for inputs, targets in dataset:
        probabilities.append(forward(inputs).numpy())
        labels.append(targets["label"].numpy())
        names += [os.fsdecode(name) for name in targets["name"].numpy()]
    return ClassPredictions(
        names,
        np.concatenate(labels),
        np.concatenate(probabilities),
        tuple(class_names),
    )


def write_csv(predictions: ClassPredictions, path: str) -> None:
    """Writes a row for every picture.

    Args:
        predictions: ClassPredictions.
        path: str.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    names = predictions.class_names
    writer.writerow([*_HEADER, *(f"p({name})" for name in names)])
    for name, label, best, row in zip(
        predictions.names,
        predictions.labels,
        predictions.predicted(),
        predictions.probabilities,
        strict=True,
    ):
        cells = [name, names[label], names[best], f"{row[best]:.6f}"]
        writer.writerow([*cells, *(f"{value:.6f}" for value in row)])
    encode.write_atomically(
        path, file.getvalue().encode(errors="backslashreplace")
    )


def read_csv(path: str) -> ClassPredictions:
    """Reads what `write_csv` wrote.

    Args:
        path: str.

    Returns:
        ClassPredictions, with probabilities to six digits.

    Raises:
        ValueError: the file is another one.
    """
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    class_names = tuple(cell[2:-1] for cell in header[len(_HEADER) :])
    if tuple(header[: len(_HEADER)]) != _HEADER or not class_names or not rows:
        raise ValueError(
            f"Predictions must be a CSV file that begins with {_HEADER}. "
            f"Received: {path!r}"
        )
    return ClassPredictions(
        [row[0] for row in rows],
        np.array([class_names.index(row[1]) for row in rows]),
        np.array([row[len(_HEADER) :] for row in rows], float),
        class_names,
    )
