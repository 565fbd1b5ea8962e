"""Flags: what is trained from arrays, and from which teacher."""

from absl import flags

NETWORK = flags.DEFINE_enum(
    "network",
    "efficientnet_unet",
    ["efficientnet_unet", "siggraph"],
    "What is trained.",
)
TEACHER = flags.DEFINE_string(
    "teacher",
    None,
    "Model whose colors are learned beside the true ones, a .keras file or the "
    "name of one that ships; --teacher= for none where a preset names one.",
)
TEACHER_SHARE = flags.DEFINE_float(
    "teacher_share",
    0.5,
    "What the colors of --teacher count; the true ones count the rest.",
    lower_bound=0,
    upper_bound=1,
)
