"""Classifiers as served models."""

import functools

import keras

from tfcolor.export import classifier_cases
from tfcolor.export.classifier_signatures import classifier_signatures
from tfcolor.export.served import Served
from tfcolor.inference import class_network
from tfcolor.weights.model_file import ModelInfo

NOTE = "classes are guesses from how a picture looks"
LABELS = "labels.txt"


def labels_text(labels: list[str]) -> str:
    """Returns what `LABELS` holds.

    Args:
        labels: list of str, the names of the classes, in order.

    Returns:
        str, a name a line.
    """
    return "\n".join(labels) + "\n"


def served(model: keras.Model, info: ModelInfo, *, max_pixels: int) -> Served:
    """Makes a classifier ready for export, as it was trained.

    Args:
        model: keras.Model of `task_transfer` or `alexnet`.
        info: its ModelInfo, with the names of its classes.
        max_pixels: int. Of the pictures of a request together.

    Returns:
        Served.

    Raises:
        ValueError: the file names no classes.
    """
    class_network.check(info, model.name)
    return Served(
        signatures=classifier_signatures(model, info, max_pixels=max_pixels),
        options={"image_size": info.image_size, "max_pixels": max_pixels},
        warm_up=classifier_cases.warm_up_requests(),
        cases=functools.partial(classifier_cases.cases, model, info),
        note=NOTE,
        labels=list(info.class_names),
    )
