"""Flags: the run itself."""

from absl import flags

from flags import fields
from tfcolor.training import strategy
from tfcolor.training.task import FitConfig

WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder of the run. Started again with the same command, a run goes on "
    "where it stopped.",
)
INITIAL_WEIGHTS = flags.DEFINE_string(
    "initial_weights",
    None,
    "Model to start from: a name that `tfcolor models` lists, or a .keras, "
    ".pth or .safetensors file. A run that goes on does not read it again.",
)
STRATEGY = flags.DEFINE_enum(
    "strategy",
    "one",
    list(strategy.STRATEGIES),
    "Where to train: one device, mirrored over all local GPUs, or over several "
    "processes that TF_CONFIG lists (docs/scaling.md).",
)
PRECISION = flags.DEFINE_enum(
    "precision",
    "float32",
    list(strategy.PRECISIONS),
    "Number format. The mixed policies are for GPUs; onednn_bfloat16 makes "
    "CPUs with bfloat16 instructions faster.",
)

_values = fields.define(FitConfig)


def config() -> FitConfig:
    """Returns the flags' values."""
    return FitConfig(**_values())
