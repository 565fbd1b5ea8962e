"""Flags: training pictures and what becomes of them."""

import math

from absl import flags

from flags import fields
from tfcolor.data import full_data_config
from tfcolor.pictures import pillow_limit

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
    "--validation_images. Without this flag, it is at least a tenth of "
    "them or 8, whichever is less.",
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
    "A picture whose header gives more pixels is not decoded but left out.",
    lower_bound=1,
    upper_bound=pillow_limit.MOST_PIXELS,
)

# Pictures that a validation should have, and the largest share for them.
_HELD_OUT, _HELD_OUT_SHARE = 8, 0.1

_values = fields.define(full_data_config.FullDataConfig)


def config() -> full_data_config.FullDataConfig:
    """Returns the flags' values."""
    return full_data_config.FullDataConfig(**_values())


def held_out(pictures: int) -> tuple[float, int]:
    """Says how many pictures are held out where no others validate.

    Args:
        pictures: int, training files.

    Returns:
        float, the share of them; int, the fewest: with --validation_share 1.
    """
    if flags.FLAGS["validation_share"].present:
        return VALIDATION_SHARE.value, 1
    fewest = min(_HELD_OUT, math.ceil(_HELD_OUT_SHARE * pictures))
    return VALIDATION_SHARE.value, fewest
