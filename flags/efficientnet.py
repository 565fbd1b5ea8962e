"""Flags: the colorizer on an ImageNet encoder."""

from flags import fields
from tfcolor.models import efficientnet_lite
from tfcolor.models import efficientnet_unet

_values = fields.define(
    efficientnet_unet.efficientnet_unet,
    only=["variant", "decoder", "frozen_blocks"],
    choices={
        "variant": list(efficientnet_lite.VARIANTS),
        "decoder": list(efficientnet_unet.DECODERS),
    },
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values()
