"""Flags: boxes of instances."""

from absl import flags

from flags import fields
from tfcolor.data import box_pipelines

BOXES = flags.DEFINE_string(
    "boxes",
    None,
    "Boxes of the pictures: a folder of .npz files, as `tfcolor detect` "
    "writes them, or COCO annotations (.json). Not needed where --images are "
    "prepared shards that have boxes.",
)

_values = fields.define(box_pipelines.BoxConfig)


def config() -> box_pipelines.BoxConfig:
    """Returns the flags' values."""
    return box_pipelines.BoxConfig(**_values())
