"""Flags: labelled pictures, beside those of `data`."""

from absl import flags

from flags import fields
from tfcolor.data import labelled

TEST_IMAGES = flags.DEFINE_string(
    "test_images",
    None,
    "Test pictures, in the forms of --images. Without it, the folder `test` "
    "of --images, or --test_share of the training files.",
)

_values = fields.define(
    labelled.LabelConfig,
    choices={"inputs": labelled.INPUTS, "crops": labelled.CROPS},
)


def config() -> labelled.LabelConfig:
    """Returns the flags' values."""
    return labelled.LabelConfig(**_values())
