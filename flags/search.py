"""Flags: the search for AlexNet's settings, beside those of `experiment`."""

from absl import flags

from tfcolor.losses import label_objective

BATCH_SIZES = flags.DEFINE_list(
    "batch_sizes", ["128", "512"], "Values of --batch_size to try."
)
L2S = flags.DEFINE_list(
    "l2s", ["0", "2.5e-4", "2.5e-3"], "Values of --l2 to try."
)
LEARNING_RATES = flags.DEFINE_list(
    "learning_rates",
    ["5e-5", "2e-4", "1e-3"],
    "Values of --learning_rate to try.",
)
TARGET_KINDS = flags.DEFINE_list(
    "target_kinds",
    list(label_objective.TARGETS),
    "Values of --targets to try.",
)
SEARCH_PRESET = flags.DEFINE_string(
    "search_preset",
    "flags/presets/alexnet_small.cfg",
    "Flag file of every cell of the grid.",
)
