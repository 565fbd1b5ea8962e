"""Flags: making a trained model part of the package."""

from absl import flags

from flags import fields
from tfcolor.models import siggraph_blend

NAME = flags.DEFINE_string(
    "name",
    None,
    "Name of the shipped model: lower-case letters, digits and underscores.",
)
DESCRIPTION = flags.DEFINE_string(
    "description", "", "One line for people, kept with the model."
)
NETWORK_SIZE = flags.DEFINE_integer(
    "network_size",
    None,
    "Side in pixels of the square at which the network is used; default: that "
    "at which it was trained.",
    lower_bound=8,
)

_values = fields.define(
    siggraph_blend.siggraph_blend,
    only=["class_share", "temperature", "saturation", "mirrored"],
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values()
