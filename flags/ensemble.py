"""Flags: the ensemble, beside those of `resnet`."""

from absl import flags

from flags import fields
from flags import resnet as resnet_flags
from tfcolor.data import class_colors
from tfcolor.models import alexnet
from tfcolor.models import ensemble

CLASSIFIER = flags.DEFINE_string(
    "classifier",
    None,
    "For --class_source=classifier: the .keras file that train_alexnet wrote. "
    "Without it a new AlexNet that has learned nothing, a control.",
)
CLASSIFIER_WIDTH = flags.DEFINE_float(
    "classifier_width", 1.0, "Width of that new AlexNet.", lower_bound=0.0
)
CLASS_INPUT = flags.DEFINE_enum(
    "class_input",
    "true",
    list(class_colors.CLASS_INPUTS[1:]),
    "For --class_source=given: the true classes (an oracle), or those of other "
    "pictures (a control).",
)

_values = fields.define(
    ensemble.ensemble,
    only=["class_source", "features", "train_classifier", "classifier_area"],
    choices={
        # Boxes have a trainer of their own.
        "class_source": [
            source for source in ensemble.CLASS_SOURCES if source != "boxes"
        ],
        "features": alexnet.FEATURES,
    },
)


def options() -> dict:
    """Returns the flags' values, as keyword arguments of the builder."""
    return _values() | resnet_flags.options()


def class_input() -> str:
    """Returns which classes the network gets, one of `CLASS_INPUTS`."""
    given = _values()["class_source"] == "given"
    return CLASS_INPUT.value if given else "none"
