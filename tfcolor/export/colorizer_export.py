"""Colorization models as served ones."""

import dataclasses
import functools

import keras

from tfcolor.export import colorizer_cases
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.colorizer_signatures import colorizer_signatures
from tfcolor.export.served import Served
from tfcolor.inference import checks
from tfcolor.inference.tensorflow_runtime import TensorFlowRuntime
from tfcolor.weights.model_file import ModelInfo

# What people should know of colors.
NOTE = (
    "colors are guesses from lightness; they are no evidence of what a thing "
    "looked like"
)


def served(
    model: keras.Model, info: ModelInfo, options: ColorizerOptions
) -> Served:
    """Makes a colorization model ready for export.

    Args:
        model: keras.Model; see `colorization_model.load`.
        info: ModelInfo, of which the names of classes are served.
        options: ColorizerOptions.

    Returns:
        Served.

    Raises:
        ValueError: the model is no colorization model, `image_size` is none
            that it can work on, or `crop_size` comes for a model without
            boxes.
    """
    runtime = TensorFlowRuntime(
        model,
        image_size=options.image_size,
        style=None,
        crop_size=options.crop_size,
        boxes_at_once=options.boxes_at_once,
    )
    checks.check_crop_size(options.crop_size, runtime.takes)
    made_with = dataclasses.asdict(options)
    if not runtime.takes.boxes:
        del made_with["crop_size"], made_with["boxes_at_once"]
    return Served(
        signatures=colorizer_signatures(runtime, options),
        options=made_with,
        warm_up=colorizer_cases.warm_up_requests(model, options),
        cases=functools.partial(colorizer_cases.cases, model, options),
        note=NOTE,
        labels=list(info.class_names),
    )
