"""The SIGGRAPH'17 network, its two answers blended.

The regression output predicts a mean or median colour; the class head a
distribution, decoded by its annealed mean. Their errors differ: the blend of a
small network's two answers is better than either.

    ab = saturation * ((1 - class_share) * regression + class_share * classes)

Weights are those of `siggraph`, layer by layer.
"""

import keras
from keras import layers

from tfcolor.layers.bin_colors import BinColors
from tfcolor.models.siggraph import siggraph

# Pixels of the picture for each class distribution, in both directions.
_CLASS_STEP = 4


def siggraph_blend(
    *,
    width: float = 1.0,
    class_share: float = 0.5,
    temperature: float = 0.7,
    saturation: float = 1.0,
    name: str = "siggraph_blend",
) -> keras.Model:
    """Builds the full-picture colorizer with a blended answer, for inference.

    Args:
        width: float above 0; see `siggraph`.
        class_share: float in 0..1. Share of the class head's colour.
        temperature: float above 0, of the annealed mean.
        saturation: float above 0. Factor on the blended colour.
        name: str. Name of the model.

    Returns:
        keras.Model with the inputs and outputs of `siggraph`; `ab` is blended.

    Raises:
        ValueError: `class_share` is outside 0..1, or another option not above
            0.
    """
    if not 0 <= class_share <= 1:
        raise ValueError(
            "`class_share` must be in 0..1. "
            f"Received: class_share={class_share}"
        )
    if temperature <= 0 or saturation <= 0:
        raise ValueError(
            "`temperature` and `saturation` must be above 0. Received: "
            f"temperature={temperature}, saturation={saturation}"
        )
    model = siggraph(width=width)
    outputs = dict(model.output)
    classes = BinColors(
        temperature=temperature, scale=_CLASS_STEP, name="class_colors"
    )(outputs["ab_logits"])
    parts = [
        layers.Rescaling(
            saturation * (1 - class_share), dtype="float32", name="ab_share"
        )(outputs["ab"]),
        layers.Rescaling(
            saturation * class_share, dtype="float32", name="class_share"
        )(classes),
    ]
    ab = layers.Add(dtype="float32", name="ab_blend")(parts)
    return keras.Model(
        inputs=model.input, outputs=outputs | {"ab": ab}, name=name
    )
