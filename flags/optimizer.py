"""Flags: optimizer and learning rate."""

from flags import fields
from tfcolor.training import optimizer

_values = fields.define(
    optimizer.OptimizerConfig,
    choices={
        "optimizer": optimizer.OPTIMIZERS,
        "schedule": optimizer.SCHEDULES,
    },
)


def config() -> optimizer.OptimizerConfig:
    """Returns the flags' values."""
    return optimizer.OptimizerConfig(**_values())
