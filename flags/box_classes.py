"""Flags: the ensemble that is told what lies in boxes."""

from absl import flags

KNOW_BOXES = flags.DEFINE_bool(
    "know_boxes",
    True,
    "Tells the network what the boxes show; without, it is the colorizer "
    "alone.",
)
