"""Flags: the task transfer experiment."""

from absl import flags

TRUNKS = flags.DEFINE_list(
    "trunks",
    ["random", "full=siggraph_small"],
    "Where trunks come from: random, and NAME=MODEL for each colorizer, a "
    "shipped name or a .keras file.",
)
FREEZES = flags.DEFINE_list(
    "freezes",
    ["trunk", "none"],
    "Values of --freeze to try.",
)
INPUT_MODES = flags.DEFINE_list(
    "input_modes", ["L", "L_ab"], "Values of --inputs to try."
)
SIZES = flags.DEFINE_list(
    "sizes",
    ["10", "25", "all"],
    "Training pictures of each class to try, numbers or all.",
)
SEEDS = flags.DEFINE_list(
    "seeds",
    ["0", "1", "2"],
    "Seeds: of the initial weights, the choice of pictures, their order.",
)
PRESET = flags.DEFINE_string(
    "preset",
    "flags/presets/task_transfer_small.cfg",
    "Flag file of every run.",
)
TRAIN_FLAGS = flags.DEFINE_multi_string(
    "train_flag",
    [],
    "A flag that every run gets after the preset, such as "
    "--train_flag=--epochs=9; may be given more than once.",
)
MINUTES = flags.DEFINE_float(
    "minutes",
    None,
    "Stop after so long; the run that is under way saves itself. The same "
    "command goes on from there.",
    lower_bound=0.0,
)
LIST = flags.DEFINE_bool(
    "list", False, "Only list the runs and which are done."
)
