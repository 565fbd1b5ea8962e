"""Flags: the colorizer that is conditional on the classes of boxes."""

from absl import flags

KNOW_BOXES = flags.DEFINE_bool(
    "know_boxes",
    True,
    "Gives the network the classes of the boxes; without, it is the colorizer "
    "alone.",
)
