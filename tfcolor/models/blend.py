"""One answer made of a network's two: what ships.

The regression output predicts a mean or median color; the class head a
distribution, decoded by its annealed mean. Their errors differ, as do those
for a picture and its mirror image: the blend of a small network's answers is
better than any of them. Its options decide how lively colors are:

    ab = saturation * ((1 - class_share) * regression + class_share * classes)

Weights are those of the network, which is a layer of the model.
"""

import keras
from keras import layers
from keras import ops

from tfcolor.layers.bin_colors import BinColors
from tfcolor.layers.joint_bilateral import JointBilateral
from tfcolor.layers.unet import HintCorrection
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks
from tfcolor.models.efficientnet_unet import SIZE_MULTIPLE
from tfcolor.models.efficientnet_unet import efficientnet_unet
from tfcolor.models.siggraph import siggraph

# Pixels of the picture for each class distribution, in both directions.
CLASS_STEP = 4
_NETWORKS = ("siggraph", "efficientnet_unet")


@architecture.remembered
def siggraph_blend(
    *,
    width: float = 1.0,
    class_share: float = 0.5,
    temperature: float = 0.7,
    saturation: float = 1.0,
    mirrored: bool = False,
    name: str = "siggraph_blend",
) -> keras.Model:
    """Builds the SIGGRAPH'17 colorizer with a blended answer, for inference.

    Args:
        width: float above 0; see `siggraph`.
        class_share: float in 0..1. Share of the class head's color.
        temperature: float above 0, of the annealed mean.
        saturation: float above 0. Factor on the blended color.
        mirrored: bool. Also asks for the mirror image of the picture, and
            takes the mean of both colors. Takes twice the time.
        name: str. Name of the model.

    Returns:
        keras.Model from the inputs of `siggraph` to `{"ab": float32 [B, H, W,
        2], CIELAB}`.

    Raises:
        ValueError: `class_share` is outside 0..1, or another option not above
            0.
    """
    return blend(
        siggraph(width=width),
        class_share=class_share,
        temperature=temperature,
        saturation=saturation,
        mirrored=mirrored,
        name=name,
    )


@architecture.remembered(size_multiple=SIZE_MULTIPLE)
def efficientnet_unet_blend(
    *,
    variant: str = "lite0",
    decoder: str = "small",
    class_share: float = 0.5,
    temperature: float = 0.7,
    saturation: float = 1.0,
    mirrored: bool = False,
    bilateral_radius: int = 0,
    hint_window: int = 7,
    name: str = "efficientnet_unet_blend",
) -> keras.Model:
    """Builds the colorizer on an ImageNet encoder with a blended answer.

    Args:
        variant: str; see `efficientnet_unet`.
        decoder: str; see `efficientnet_unet`.
        class_share: float in 0..1. Share of the class head's color.
        temperature: float above 0, of the annealed mean.
        saturation: float above 0. Factor on the blended color.
        mirrored: bool; see `siggraph_blend`.
        bilateral_radius: int, 0 or more. Keeps colors inside surfaces: `radius`
            of `JointBilateral`; 0: leaves them as they are.
        hint_window: int, odd, above 0. How far hints reach: `window` of
            `HintCorrection`.
        name: str. Name of the model.

    Returns:
        keras.Model from the inputs of `efficientnet_unet` to `{"ab": float32
        [B, H, W, 2], CIELAB}`.

    Raises:
        ValueError: as `siggraph_blend`, or `hint_window` is even or below 1,
            or `bilateral_radius` is below 0.
    """
    return blend(
        efficientnet_unet(variant=variant, decoder=decoder),
        class_share=class_share,
        temperature=temperature,
        saturation=saturation,
        mirrored=mirrored,
        name=name,
        bilateral_radius=bilateral_radius,
        hint_window=hint_window,
    )


def blend(
    network: keras.Model,
    *,
    class_share: float,
    temperature: float,
    saturation: float,
    mirrored: bool,
    name: str,
    bilateral_radius: int = 0,
    hint_window: int | None = None,
) -> keras.Model:
    """Puts the blend behind a network with "ab" and "ab_logits".

    Args:
        network: keras.Model with the inputs and outputs of `siggraph`.
        class_share: float in 0..1.
        temperature: float above 0.
        saturation: float above 0.
        mirrored: bool.
        name: str. Name of the model.
        bilateral_radius: int; see `efficientnet_unet_blend`.
        hint_window: int or None. Moves colors towards hints, as far as
            `window` of `HintCorrection` says; None: leaves them.

    Returns:
        keras.Model; see `siggraph_blend`.

    Raises:
        ValueError: as `efficientnet_unet_blend`.
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
    inputs = siggraph_blocks.picture_inputs()
    outputs = network(_with_mirror(inputs) if mirrored else inputs)
    classes = BinColors(
        temperature=temperature, scale=CLASS_STEP, name="class_colors"
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
    ab = settled(
        ab, inputs["L"], mirrored=mirrored, bilateral_radius=bilateral_radius
    )
    if hint_window is not None:
        ab = HintCorrection(
            hint_window, dtype="float32", name="hint_correction"
        )(ab, inputs["L"], inputs["hints"], inputs["mask"])
    return keras.Model(inputs=inputs, outputs={"ab": ab}, name=name)


def settled(ab, L, *, mirrored: bool, bilateral_radius: int):
    """Makes one color of those of a picture and its mirror, inside surfaces.

    Args:
        ab: float tensor [B, H, W, 2], CIELAB; [2 * B, H, W, 2] with `mirrored`:
            mirror images last.
        L: float tensor [B, H, W, 1], 0..100.
        mirrored: bool; see `siggraph_blend`.
        bilateral_radius: int; see `efficientnet_unet_blend`.

    Returns:
        float tensor [B, H, W, 2].

    Raises:
        ValueError: `bilateral_radius` is below 0.
    """
    if mirrored:
        seen, mirror = ops.split(ab, 2, axis=0)
        ab = (seen + ops.flip(mirror, axis=2)) / 2
    if bilateral_radius:
        ab = JointBilateral(
            bilateral_radius, dtype="float32", name="joint_bilateral"
        )(ab, L)
    return ab


def network(model: keras.Model) -> keras.Model:
    """Returns the network that has a model's weights.

    Args:
        model: keras.Model, of a blend or of any other builder.

    Returns:
        keras.Model: the network inside a blend, or `model` itself.
    """
    networks = architecture.of(model).networks
    inner = [name for name in networks if networks[name].name in _NETWORKS]
    return model.get_layer(inner[0]) if inner else model


def _with_mirror(inputs: dict) -> dict:
    """Appends mirror images to a batch of pictures."""
    return {
        key: ops.concatenate([x, ops.flip(x, axis=2)], axis=0)
        for key, x in inputs.items()
    }
