"""Flags: making a trained model part of the package."""

from absl import flags

from flags import fields
from tfcolor.inference import finish
from tfcolor.models import blend
from tfcolor.weights import shipped

NAME = flags.DEFINE_string(
    "name",
    None,
    "Name of the shipped model: lower-case letters, digits and underscores.",
)
DESCRIPTION = flags.DEFINE_string(
    "description", "", "One line for people, kept with the model."
)
NETWORK_SIZE = flags.DEFINE_integer(
    "network_size",
    None,
    "Side in pixels of the square at which the network is used; default: that "
    "at which it was trained.",
    lower_bound=8,
)

VIVID = flags.DEFINE_list(
    "vivid",
    None,
    "Class share, temperature and saturation of the style 'vivid'; the flags "
    "of these names are those of 'natural'. Default: the model has no styles.",
)
UPSAMPLING = flags.DEFINE_enum(
    "upsampling",
    "bilinear",
    list(finish.UPSAMPLINGS),
    "How its ab comes to the size of a picture.",
)

_values = fields.define(
    blend.siggraph_blend,
    only=["class_share", "temperature", "saturation", "mirrored"],
)
surface_options = fields.define(
    blend.efficientnet_unet_blend, only=["bilateral_radius", "hint_window"]
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values()


def styles() -> dict[str, dict[str, float]]:
    """Returns the options of each style; nothing without --vivid."""
    if VIVID.value is None:
        return {}
    if len(VIVID.value) != len(shipped.STYLE_OPTIONS):
        raise ValueError(
            f"--vivid must be {', '.join(shipped.STYLE_OPTIONS)}. "
            f"Received: --vivid={','.join(VIVID.value)}"
        )
    natural = {name: _values()[name] for name in shipped.STYLE_OPTIONS}
    numbers = map(float, VIVID.value)
    vivid = dict(zip(shipped.STYLE_OPTIONS, numbers, strict=True))
    return dict(zip(shipped.STYLES, (natural, vivid), strict=True))
