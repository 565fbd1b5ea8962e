"""Colorization models as served ones."""

import dataclasses
import functools

import keras

from tfcolor.export import colorizer_cases
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.colorizer_signatures import colorizer_signatures
from tfcolor.export.served import Served
from tfcolor.inference import colorization_model
from tfcolor.weights.model_file import ModelInfo


def served(
    model: keras.Model, info: ModelInfo, options: ColorizerOptions
) -> Served:
    """Makes a colorization model ready for export.

    Args:
        model: keras.Model with the inputs `L`, `hints` and `mask`, perhaps
            those of boxes too, and the output `ab`.
        info: ModelInfo; colorizers have nothing in it that is served.
        options: ColorizerOptions.

    Returns:
        Served.

    Raises:
        ValueError: the model is no colorization model.
    """
    del info
    colorization_model.check(model)
    made_with = dataclasses.asdict(options)
    if not colorization_model.takes_boxes(model):
        del made_with["crop_size"]
    return Served(
        signatures=colorizer_signatures(model, options),
        options=made_with,
        warm_up=colorizer_cases.warm_up_requests(model, options),
        cases=functools.partial(colorizer_cases.cases, model, options),
    )
