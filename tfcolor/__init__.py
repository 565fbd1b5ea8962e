"""tfcolor: colorizes grey photos with deep networks in TensorFlow and Keras.

from tfcolor import Colorizer

colorizer = Colorizer()
rgb = colorizer.colorize(grey_or_rgb_uint8)
"""

import importlib
import os

from tfcolor.version import __version__

__all__ = [
    "Boxes",
    "Classifier",
    "Colorizer",
    "Detector",
    "HintPoint",
    "Outcome",
    "classify_album",
    "colorize_album",
    "detect_album",
    "evaluate",
    "list_models",
    "load_model",
    "prepare_shards",
    "__version__",
]

# TensorFlow reads it when it first uses a GPU: memory is taken as it is needed,
# instead of nearly all of it at once. "false" brings that back.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

# Where each name is, and what it is called there.
_NAMES = {
    "Boxes": ("tfcolor.boxes.picture_boxes", "PictureBoxes"),
    "Classifier": ("tfcolor.inference.classifier", "Classifier"),
    "Colorizer": ("tfcolor.inference.colorizer", "Colorizer"),
    "Detector": ("tfcolor.detection.detector", "Detector"),
    "HintPoint": ("tfcolor.inference.hint_points", "HintPoint"),
    "Outcome": ("tfcolor.data.outcome", "Outcome"),
    "classify_album": ("tfcolor.inference.classify_album", "classify_album"),
    "colorize_album": ("tfcolor.inference.album", "colorize_album"),
    "detect_album": ("tfcolor.detection.album", "detect_album"),
    "evaluate": ("tfcolor.evaluation.evaluate", "evaluate"),
    "list_models": ("tfcolor.weights.listing", "list_models"),
    "load_model": ("tfcolor.inference.colorization_model", "load_model"),
    "prepare_shards": ("tfcolor.data.shard_writer", "prepare_shards"),
}
_ROOMS = ("color", "data", "losses", "metrics", "models")


def __getattr__(name):
    # Loaded on first use: `import tfcolor` alone stays quick, and so does
    # every `tfcolor ... --help`.
    if name in _NAMES:
        module, inner = _NAMES[name]
        return getattr(importlib.import_module(module), inner)
    if name in _ROOMS:
        return importlib.import_module(f"tfcolor.{name}")
    raise AttributeError(f"module 'tfcolor' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_NAMES, *_ROOMS])
