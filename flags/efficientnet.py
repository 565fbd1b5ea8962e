"""Flags: the colorizer on an ImageNet encoder."""

from flags import fields
from tfcolor.models import efficientnet_lite
from tfcolor.models import efficientnet_unet

_values = fields.define(
    efficientnet_unet.efficientnet_unet,
    only=["variant", "frozen_blocks"],
    choices={"variant": list(efficientnet_lite.VARIANTS)},
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values()
