"""Flags: what a colorizer is trained for."""

from flags import fields
from tfcolor.losses import objective

_values = fields.define(objective.ObjectiveConfig)


def config() -> objective.ObjectiveConfig:
    """Returns the flags' values."""
    return objective.ObjectiveConfig(**_values())
