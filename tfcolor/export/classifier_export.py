"""Classifiers as served models."""

import dataclasses
import functools

import keras

from tfcolor.export import classifier_cases
from tfcolor.export.classifier_signatures import classifier_signatures
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.served import Served
from tfcolor.inference import class_network
from tfcolor.inference import defaults
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


def served(
    model: keras.Model, info: ModelInfo, options: ColorizerOptions
) -> Served:
    """Makes a classifier ready for export.

    Args:
        model: keras.Model of `task_transfer` or `alexnet`.
        info: its ModelInfo, with the names of its classes.
        options: ColorizerOptions, of which `max_pixels` counts; the size of
            the network's square is that of training.

    Returns:
        Served.

    Raises:
        ValueError: the file names no classes, or an option is for colorizers.
    """
    class_network.check(info, model.name)
    made_with = dataclasses.asdict(options)
    as_trained = {
        "crop_size": None,
        "boxes_at_once": defaults.BOXES_AT_ONCE,
        "saturation": defaults.SATURATION,
        "upsampling": info.upsampling,
        "image_size": info.image_size,
    }
    received = {k: made_with[k] for k in as_trained}
    if received != as_trained:
        other = [k for k in as_trained if received[k] != as_trained[k]]
        raise ValueError(
            "A classifier is exported as it was trained, without crop_size, "
            "boxes_at_once, saturation and upsampling, and with image_size="
            f"{info.image_size}. Received: "
            f"{', '.join(f'{k}={received[k]}' for k in other)}"
        )
    return Served(
        signatures=classifier_signatures(
            model, info, max_pixels=options.max_pixels
        ),
        options={k: made_with[k] for k in ("image_size", "max_pixels")},
        warm_up=classifier_cases.warm_up_requests(),
        cases=functools.partial(classifier_cases.cases, model, info),
        note=NOTE,
        labels=list(info.class_names),
    )
