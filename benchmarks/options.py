"""Flags that benchmarks share, beside those of flags/."""

from absl import flags

REPEATS = flags.DEFINE_integer(
    "repeats", 7, "Timed turns, after those that warm up.", lower_bound=1
)
ORIGINAL = flags.DEFINE_string(
    "original",
    None,
    "A checkout of InstColorization: its own networks are timed instead of "
    "those of benchmarks/pytorch_networks.py. Needs --width=1.",
)
REPOSITORY = flags.DEFINE_string(
    "repository", None, "A checkout of the authors' repository."
)
SIDE = flags.DEFINE_integer("side", 512, "Side of the pictures, pixels.")
BATCH = flags.DEFINE_integer("batch", 4, "Pictures of the larger batch.")
WARMUP = flags.DEFINE_integer("warmup", 1, "Turns that do not count.")
ENCODERS = flags.DEFINE_list(
    "encoders", ["tiny", "large"], "Encoders of DDColor: tiny, large."
)
MEMORY = flags.DEFINE_bool(
    "memory", True, "Whether to measure peak memory, in processes of its own."
)
MODEL = flags.DEFINE_string(
    "model", None, "Model: a .keras file, or the name of shipped weights."
)
BOX_SCALE = flags.DEFINE_float(
    "box_scale",
    1.0,
    "Factor on the sides of boxes, which are those of the sample pictures.",
    lower_bound=0.01,
    upper_bound=1.0,
)
PICTURE_COUNT = flags.DEFINE_integer(
    "picture_count",
    None,
    "Pictures of a pass; default: 384 for input_pipeline, else 100.",
    lower_bound=2,
)
LONG_SIDE = flags.DEFINE_integer(
    "long_side",
    None,
    "Longer side of the pictures, pixels; default: as they are.",
    lower_bound=1,
)
MEGAPIXELS = flags.DEFINE_list(
    "megapixels",
    None,
    "Sizes of the pictures; default: 6,12,24,48 for large_pictures, 1,4,12,24 "
    "for upsampling.",
)


def declare(*names: str) -> None:
    """Lists flags of other modules in a program's --help.

    Args:
        *names: str.
    """
    flags.disclaim_key_flags()
    for name in names:
        flags.declare_key_flag(name)
