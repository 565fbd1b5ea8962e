"""What a method has to beat: grey, and one colour for everything."""

import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.evaluation import bands
from tfcolor.inference import finish

GREY = "grey"
MEAN_AB = "mean ab"


def constant_ab(rgb: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """Paints a whole picture in one colour, as a colorizer would finish it.

    Args:
        rgb: uint8 array [H, W, 3]; its lightness stays.
        ab: float array [2], CIELAB. Where sRGB cannot show it at a pixel's L,
            the pixel is less colourful.

    Returns:
        uint8 array [H, W, 3].
    """
    everywhere = np.asarray(ab, np.float32).reshape(1, 1, 2)
    return finish.finish(tf.constant(rgb), everywhere).numpy()


def mean_ab(rgb: np.ndarray) -> np.ndarray:
    """Returns a picture's mean a and b.

    Args:
        rgb: uint8 array [H, W, 3].

    Returns:
        float64 array [2].
    """
    total = np.zeros(2)
    height, width = rgb.shape[:2]
    for rows in bands.bands(height, width):
        ab = lab.rgb_to_lab(tf.cast(rgb[rows], tf.float32) / 255)[..., 1:]
        total += ab.numpy().sum(axis=(0, 1), dtype=np.float64)
    return total / (height * width)
