"""Flags that benchmarks share, beside those of flags/."""

from absl import flags

REPEATS = flags.DEFINE_integer(
    "repeats", 7, "Timed turns, after two that are not.", lower_bound=1
)
ORIGINAL = flags.DEFINE_string(
    "original",
    None,
    "A checkout of InstColorization: its own networks are timed instead of "
    "those of benchmarks/pytorch_networks.py. Needs --width=1.",
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


def declare(*names: str) -> None:
    """Lists flags of other modules in a program's --help.

    Args:
        *names: str.
    """
    flags.disclaim_key_flags()
    for name in names:
        flags.declare_key_flag(name)
