"""Which lightness a network sees of a color picture in training."""

import tensorflow as tf

from tfcolor.color import lab
from tfcolor.data.epochs import View

LIGHTNESSES = ("picture", "grey")
# ITU-R BT.709, as scikit-image's rgb2gray has them.
_GREY_WEIGHTS = (0.2125, 0.7154, 0.0721)


def lightness_of_grey(L: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Returns the lightness of the picture that rgb2gray makes.

    It is not that of the colors: rgb2gray weights values that are already
    encoded, which makes saturated colors darker.

    Args:
        L: float32 tensor [..., 1], 0..100.
        ab: float32 tensor [..., 2], CIELAB, colors that sRGB holds.

    Returns:
        float32 tensor [..., 1], 0..100.
    """
    rgb = lab.lab_to_rgb(tf.concat([L, ab], axis=-1))
    grey = tf.reduce_sum(rgb * tf.constant(_GREY_WEIGHTS), -1, keepdims=True)
    return lab.grey_to_L(grey)


def lightness_only(view: View, lightness: str) -> View:
    """Keeps of a colorizer's inputs what a network without hints takes.

    Args:
        view: View to (inputs, targets), dicts with "L" and "ab".
        lightness: str, one of `LIGHTNESSES`. "picture": L as it is; "grey":
            see `lightness_of_grey`.

    Returns:
        View to ({"L": ..., and "classes" where it is}, targets).

    Raises:
        ValueError: `lightness` is not known.
    """
    if lightness not in LIGHTNESSES:
        raise ValueError(
            f"`lightness` must be one of {LIGHTNESSES}. "
            f"Received: lightness={lightness!r}"
        )

    def kept(inputs, targets):
        kept = {k: v for k, v in inputs.items() if k in ("L", "classes")}
        if lightness == "grey":
            kept["L"] = lightness_of_grey(inputs["L"], targets["ab"])
        return kept, targets

    return view.then(kept)
