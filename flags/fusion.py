"""Flags: the fusion stage."""

from absl import flags

from flags import fields
from tfcolor.layers import instance_fusion
from tfcolor.models import fusion

FULL_WEIGHTS = flags.DEFINE_string(
    "full_weights",
    None,
    "Full-picture colorizer: the trunk of the fusion network starts from it, "
    "and it colors pictures without boxes.",
)
INSTANCE_WEIGHTS = flags.DEFINE_string(
    "instance_weights", None, "Instance colorizer, as train_instance makes it."
)

_values = fields.define(
    fusion.fusion,
    only=["blending", "background_bias"],
    choices={"blending": instance_fusion.BLENDINGS},
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values()
