"""Flags: DDColor and its objective, beside --width of `model`."""

from absl import flags

from flags import fields
from flags import model as model_flags
from tfcolor.losses import colorized
from tfcolor.models import ddcolor

ENCODER_WEIGHTS = flags.DEFINE_string(
    "encoder_weights",
    None,
    "ImageNet weights that the encoder begins with: ConvNeXt's published file, "
    "such as convnext_tiny_22k_224.pth, or an .npz file with the same arrays.",
)
VGG_WEIGHTS = flags.DEFINE_string(
    "vgg_weights",
    None,
    "Weights for --perceptual_weight: torchvision's file "
    "vgg16_bn-6c64b313.pth, or an .npz file with the same arrays.",
)

_values = fields.define(
    ddcolor.ddcolor,
    only=["encoder", "queries", "decoder_blocks"],
    choices={"encoder": ddcolor.ENCODERS},
)
_objective = fields.define(colorized.ColorizedConfig)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values() | {"width": model_flags.options()["width"]}


def objective() -> colorized.ColorizedConfig:
    """Returns the flags' values."""
    return colorized.ColorizedConfig(**_objective())
