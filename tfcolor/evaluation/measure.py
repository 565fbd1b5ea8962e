"""All numbers of one predicted picture, and the baselines it has to beat."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.inference import finish
from tfcolor.metrics import SSIM_WINDOW
from tfcolor.metrics import ab_rmse
from tfcolor.metrics import colorfulness_absolute
from tfcolor.metrics import colorfulness_signed
from tfcolor.metrics import mean_ciede2000
from tfcolor.metrics import mean_L_difference
from tfcolor.metrics import psnr
from tfcolor.metrics import ssim


@dataclasses.dataclass(frozen=True)
class Metric:
    """A column of the tables.

    Attributes:
        key: str, name in the CSV.
        title: str, name for people.
        digits: int, decimals shown.
        better: str, "higher", "lower", or "truth" where the true picture's
            own value is the aim.
    """

    key: str
    title: str
    digits: int
    better: str


METRICS = (
    Metric("psnr", "PSNR (dB)", 2, "higher"),
    Metric("ssim", "SSIM", 4, "higher"),
    Metric("ciede2000", "CIEDE2000", 2, "lower"),
    Metric("ab_rmse", "ab RMSE", 2, "lower"),
    Metric("L_difference", "L kept: mean abs. dL", 3, "lower"),
    Metric("colorfulness_signed", "colorfulness (signed)", 2, "truth"),
    Metric("colorfulness_absolute", "colorfulness (absolute)", 2, "truth"),
)
COLORFULNESS = tuple(m for m in METRICS if m.better == "truth")
# SSIM needs windows of pixels, which parts of a picture need not have.
PIXEL_METRICS = tuple(m for m in METRICS if m.key != "ssim")
LPIPS = Metric("lpips", "LPIPS (AlexNet, 0.1)", 4, "lower")


def _ssim(rgb_true: tf.Tensor, rgb_predicted: tf.Tensor) -> float:
    """The SSIM of a picture from that of its bands of windows."""
    height, width = rgb_true.shape[:2]
    overlap = min(height, SSIM_WINDOW) - 1
    windows = height - overlap
    total = 0.0
    for band in row_bands(windows, width):
        rows = slice(band.start, band.stop + overlap)
        similarity = ssim(rgb_true[rows], rgb_predicted[rows])
        total += float(similarity) * (band.stop - band.start)
    return total / windows


def _lab_metrics(rgb_true: tf.Tensor, rgb_predicted: tf.Tensor) -> dict:
    """CIEDE2000, ab RMSE and L kept, from those of the picture's bands."""
    height, width = rgb_true.shape[:2]
    ciede2000 = ab_square = L_difference = 0.0
    for rows in row_bands(height, width):
        true = lab.rgb_to_lab(rgb_true[rows])
        predicted = lab.rgb_to_lab(rgb_predicted[rows])
        share = (rows.stop - rows.start) / height
        ciede2000 += share * float(mean_ciede2000(true, predicted))
        rmse = float(ab_rmse(true[..., 1:], predicted[..., 1:]))
        ab_square += share * rmse**2
        L_difference += share * float(
            mean_L_difference(true[..., :1], predicted[..., :1])
        )
    return {
        "ciede2000": ciede2000,
        "ab_rmse": ab_square**0.5,
        "L_difference": L_difference,
    }


def colorfulness(rgb: np.ndarray) -> dict[str, float]:
    """Measures the colorfulness of a picture in both definitions.

    Args:
        rgb: uint8 array [H, W, 3].

    Returns:
        dict from the keys of `COLORFULNESS` to float.
    """
    rgb = tf.cast(rgb, tf.float32) / 255
    return {
        "colorfulness_signed": float(colorfulness_signed(rgb)),
        "colorfulness_absolute": float(colorfulness_absolute(rgb)),
    }


def measure(
    rgb_true: np.ndarray, rgb_predicted: np.ndarray
) -> dict[str, float]:
    """Measures a predicted picture against the true one.

    Args:
        rgb_true: uint8 array [H, W, 3].
        rgb_predicted: uint8 array [H, W, 3].

    Returns:
        dict from the keys of `METRICS` to float.

    Raises:
        ValueError: the shapes differ.
    """
    if rgb_true.shape != rgb_predicted.shape:
        raise ValueError(
            "`rgb_true` and `rgb_predicted` must have one shape. Received: "
            f"{rgb_true.shape} and {rgb_predicted.shape}"
        )
    true = tf.cast(rgb_true, tf.float32) / 255
    predicted = tf.cast(rgb_predicted, tf.float32) / 255
    return {
        "ssim": _ssim(true, predicted),
        **_pixel_metrics(true, predicted),
        **colorfulness(rgb_predicted),
    }


def measure_pixels(
    rgb_true: np.ndarray, rgb_predicted: np.ndarray, chosen: np.ndarray
) -> dict[str, float]:
    """Measures some pixels of a predicted picture, as if there were no others.

    Args:
        rgb_true: uint8 array [H, W, 3].
        rgb_predicted: uint8 array [H, W, 3].
        chosen: bool array [H, W] with at least one pixel.

    Returns:
        dict from the keys of `PIXEL_METRICS` to float.
    """
    # A picture one pixel wide: none of these metrics looks at neighbors.
    true, predicted = rgb_true[chosen][:, None], rgb_predicted[chosen][:, None]
    return {
        **_pixel_metrics(
            tf.cast(true, tf.float32) / 255,
            tf.cast(predicted, tf.float32) / 255,
        ),
        **colorfulness(predicted),
    }


def _pixel_metrics(true: tf.Tensor, predicted: tf.Tensor) -> dict:
    return {
        "psnr": float(psnr(true, predicted)),
        **_lab_metrics(true, predicted),
    }


# A picture of 24 megapixels at once would take several gigabytes.
BAND_PIXELS = 2**21


def row_bands(height: int, width: int) -> Iterator[slice]:
    """Yields slices of rows of about `PIXELS` pixels that cover a picture.

    Args:
        height: int.
        width: int.

    Yields:
        slice, at least one row each.
    """
    rows = max(1, BAND_PIXELS // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


GREY = "grey"
MEAN_AB = "mean ab"


def constant_ab(rgb: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """Paints a whole picture in one color, as a colorizer would finish it.

    Args:
        rgb: uint8 array [H, W, 3]; its lightness stays.
        ab: float array [2], CIELAB. Where sRGB cannot show it at a pixel's L,
            the pixel is less colorful.

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
    for rows in row_bands(height, width):
        ab = lab.rgb_to_lab(tf.cast(rgb[rows], tf.float32) / 255)[..., 1:]
        total += ab.numpy().sum(axis=(0, 1), dtype=np.float64)
    return total / (height * width)
