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
    ignored = options.crop_size, options.saturation, options.image_size
    if ignored != (None, defaults.SATURATION, info.image_size):
        raise ValueError(
            "A classifier is exported as it was trained: it has no crop_size "
            f"and saturation, and image_size={info.image_size}. Received: "
            f"crop_size={ignored[0]}, saturation={ignored[1]}, "
            f"image_size={ignored[2]}"
        )
    made_with = dataclasses.asdict(options)
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
