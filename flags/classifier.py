"""Flags: the classifier on the colorization trunk, beside those of `model`."""

from absl import flags

from flags import fields
from flags import model as model_flags
from tfcolor.models import task_transfer

COLORIZER = flags.DEFINE_string(
    "colorizer",
    None,
    "Colorizer for the figure of test pictures at the end: a shipped name or "
    "a .keras file. Without it there is no such figure.",
)

_values = fields.define(
    task_transfer.task_transfer,
    only=["head", "freeze", "legacy_bn_order"],
    choices={
        "head": task_transfer.HEADS,
        "freeze": task_transfer.FREEZES,
    },
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    shared = model_flags.options()
    return _values() | {name: shared[name] for name in ("width", "initializer")}
