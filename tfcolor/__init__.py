"""tfcolor: colorizes grey photos with deep networks in TensorFlow and Keras.

from tfcolor import Colorizer

colorizer = Colorizer()
rgb = colorizer.colorize(grey_or_rgb_uint8)
"""

from tfcolor.version import __version__

__all__ = ["Colorizer", "__version__"]


def __getattr__(name):
    # Loaded on first use: `import tfcolor` alone stays quick, and so does
    # every `tfcolor ... --help`.
    if name == "Colorizer":
        from tfcolor.inference.colorizer import Colorizer

        return Colorizer
    raise AttributeError(f"module 'tfcolor' has no attribute {name!r}")
