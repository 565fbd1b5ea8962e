"""tfcolor: colorizes grey photos with deep networks in TensorFlow and Keras.

from tfcolor import Colorizer

colorizer = Colorizer()
rgb = colorizer.colorize(grey_or_rgb_uint8)
"""

import importlib
import os

from tfcolor.version import __version__

__all__ = ["Colorizer", "HintPoint", "__version__"]

# TensorFlow reads it when it first uses a GPU: memory is taken as it is needed,
# instead of nearly all of it at once. "false" brings that back.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

_MODULES = {
    "Colorizer": "tfcolor.inference.colorizer",
    "HintPoint": "tfcolor.inference.hint_points",
}


def __getattr__(name):
    # Loaded on first use: `import tfcolor` alone stays quick, and so does
    # every `tfcolor ... --help`.
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'tfcolor' has no attribute {name!r}")
