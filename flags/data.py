"""Flags: training pictures and what becomes of them."""

from absl import flags

from flags import fields
from tfcolor.data import pillow_limit
from tfcolor.data import pipelines

IMAGES = flags.DEFINE_string(
    "images",
    None,
    "Training pictures: comma-separated files, folders and globs of pictures, "
    "or of .tfrecord shards; a folder that `tfcolor prepare` made; or "
    "tfds:NAME/SPLIT, a prepared tensorflow-datasets data set.",
)
VALIDATION_IMAGES = flags.DEFINE_string(
    "validation_images",
    None,
    "Validation pictures, in the same forms. Without it, a share of the "
    "training files is held out, chosen by a hash of their names.",
)
VALIDATION_SHARE = flags.DEFINE_float(
    "validation_share",
    0.02,
    "Share of the training files that is held out when there is no "
    "--validation_images.",
    lower_bound=0.0,
    upper_bound=0.9,
)
DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Where tensorflow-datasets keeps its data sets."
)
SKIP_CORRUPT = flags.DEFINE_bool(
    "skip_corrupt",
    False,
    "Goes on without the pictures of damaged shards, and counts them, instead "
    "of ending with an error.",
)

MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    pillow_limit.MAX_PIXELS,
    "A picture of more pixels, as its head says, is not decoded but left out.",
    lower_bound=1,
    upper_bound=pillow_limit.MOST_PIXELS,
)

_values = fields.define(pipelines.FullDataConfig)


def config() -> pipelines.FullDataConfig:
    """Returns the flags' values."""
    return pipelines.FullDataConfig(**_values())
