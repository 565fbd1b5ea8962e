"""Flags: the full-picture network."""

from flags import fields
from tfcolor.models import siggraph

_values = fields.define(
    siggraph.siggraph,
    only=["width", "gradient_stop", "initializer"],
    choices={
        "gradient_stop": siggraph.GRADIENT_STOPS,
        "initializer": siggraph.INITIALIZERS,
    },
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values()
