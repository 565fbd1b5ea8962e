"""Flags: the grey AlexNet, beside --width of `model`, and its objective."""

from flags import fields
from flags import model as model_flags
from tfcolor.losses import label_objective
from tfcolor.models import alexnet

_options = fields.define(
    alexnet.alexnet, only=["dropout", "batch_norm", "enlarge"]
)
_objective = fields.define(
    label_objective.LabelObjectiveConfig,
    choices={"targets": label_objective.TARGETS},
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _options() | {"width": model_flags.options()["width"]}


def objective() -> label_objective.LabelObjectiveConfig:
    """Returns the flags' values."""
    return label_objective.LabelObjectiveConfig(**_objective())
