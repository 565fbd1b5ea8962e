"""Flags: the ResNet colorizer, beside --width of `model`."""

from absl import flags

from flags import fields
from flags import model as model_flags
from tfcolor.data import lightness
from tfcolor.models import resnet_colorizer

LIGHTNESS = flags.DEFINE_enum(
    "lightness",
    "picture",
    list(lightness.LIGHTNESSES),
    "What training sees: the lightness of the picture's colors, or, as the "
    "study of ensembles does, that of its rgb2gray picture.",
)

_values = fields.define(
    resnet_colorizer.resnet_colorizer,
    only=["form", "global_features"],
    choices={"form": resnet_colorizer.FORMS},
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values() | {"width": model_flags.options()["width"]}
