"""What a colorizer is judged by while it trains."""

import tensorflow as tf

from tfcolor.color import lab
from tfcolor.metrics import colorfulness
from tfcolor.metrics import psnr


def to_rgb(inputs: dict, ab: tf.Tensor) -> tf.Tensor:
    """Joins lightness and colour; channels are clipped to 0..1.

    Args:
        inputs: dict with "L", float32 [B, H, W, 1].
        ab: float32 tensor [B, H, W, 2], CIELAB.

    Returns:
        float32 tensor [B, H, W, 3], 0..1.
    """
    return lab.lab_to_rgb(tf.concat([inputs["L"], ab], axis=-1))


def colorizer_metrics(inputs: dict, targets: dict, outputs: dict) -> dict:
    """Measures a batch of colorized pictures at the network's size.

    Args:
        inputs: dict with "L".
        targets: dict with "ab".
        outputs: dict with "ab".

    Returns:
        dict of float32 tensors [B]: "psnr" in decibels; "grey_psnr", of the
        same pictures without colour; "colorfulness" and "true_colorfulness".
    """
    true = to_rgb(inputs, targets["ab"])
    predicted = to_rgb(inputs, outputs["ab"])
    grey = to_rgb(inputs, tf.zeros_like(targets["ab"]))
    return {
        "psnr": psnr.psnr(true, predicted),
        "grey_psnr": psnr.psnr(true, grey),
        "colorfulness": colorfulness.colorfulness_signed(predicted),
        "true_colorfulness": colorfulness.colorfulness_signed(true),
    }


def draw_triples(inputs: dict, targets: dict, outputs: dict) -> tf.Tensor:
    """Puts grey, predicted and true pictures side by side.

    Args:
        inputs: dict with "L".
        targets: dict with "ab".
        outputs: dict with "ab".

    Returns:
        uint8 tensor [B, H, 3 W, 3].
    """
    triple = [
        to_rgb(inputs, ab)
        for ab in (
            tf.zeros_like(targets["ab"]),
            outputs["ab"],
            targets["ab"],
        )
    ]
    return tf.image.convert_image_dtype(
        tf.concat(triple, axis=2), tf.uint8, saturate=True
    )


class FirstTriples:
    """Looks at a validation: `draw_triples` of its first batch."""

    def __init__(self):
        self._drawn = None

    def add(self, inputs: dict, targets: dict, outputs: dict) -> None:
        """Takes a batch."""
        if self._drawn is None:
            self._drawn = draw_triples(inputs, targets, outputs)

    def pictures(self) -> dict[str, tf.Tensor]:
        """Returns the pictures by their tag for TensorBoard."""
        return {"grey | predicted | true": self._drawn}
