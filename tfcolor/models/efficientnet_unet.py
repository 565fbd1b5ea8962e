"""A colorizer on an ImageNet encoder: EfficientNet-Lite and a small U-net.

Inputs and outputs are those of `siggraph`: `L`, `hints` and `mask`; `ab`, the
color of every pixel, and `ab_logits`, a distribution over the 261 ab bins that
hold colors of sRGB, on a grid of a quarter of the size.

Architecture for pictures of S x S pixels:

    map        S/2  S/4  S/8  S/16  S/32
    encoder    16   24   40   112   320      see `efficientnet_lite`
    "small"         64   80   160   160      the decoder, from right to left
    "large"         96   128  192   256

The encoder sees grey alone. Each map of the decoder is the sum of the next
smaller one, doubled, of the encoder's map, and of the hints pooled to its
size; all three go through 1 x 1 convolutions first. 3 x 3 convolutions with
batch normalization follow; at S/16 every place also looks at every other one.
Both outputs come from the map of S/4.
"""

import keras
from keras import layers

from tfcolor.color import ab_bins
from tfcolor.color import scaling
from tfcolor.layers.enlarge import Enlarge
from tfcolor.layers.unet import GlobalAttention
from tfcolor.layers.unet import GreyFromL
from tfcolor.layers.unet import PooledHints
from tfcolor.models import architecture
from tfcolor.models import efficientnet_lite
from tfcolor.models import siggraph_blocks

SIZE_MULTIPLE = 32
# Decoder maps at 1/32, 1/16, 1/8 and 1/4 of the size: filters, and the 3 x 3
# convolutions of each.
DECODERS = {
    "small": ((160, 160, 80, 64), (0, 2, 2, 1)),
    "large": ((256, 192, 128, 96), (0, 2, 2, 2)),
}
_SCALES = (32, 16, 8, 4)
_BN_MOMENTUM = 0.97
_HEADS = 4


@architecture.remembered(size_multiple=SIZE_MULTIPLE)
def efficientnet_unet(
    *,
    variant: str = "lite0",
    decoder: str = "small",
    frozen_blocks: int = 0,
    name: str = "efficientnet_unet",
) -> keras.Model:
    """Builds the colorizer.

    Args:
        variant: str, "lite0", "lite1" or "lite2": the encoder.
        decoder: str, "small" or "large".
        frozen_blocks: int. So many of the encoder's blocks do not learn: 0
            of the 16 of "lite0" up to all.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100, "hints": float32
        [B, H, W, 2], CIELAB, "mask": float32 [B, H, W, 1], 0 or 1}` to
        `{"ab": float32 [B, H, W, 2], CIELAB, "ab_logits": float32 [B, H/4,
        W/4, 261]}`. H and W are multiples of 32 and may differ from call to
        call.

    Raises:
        ValueError: `variant` or `decoder` is not known, or the encoder has
            fewer blocks.
    """
    if decoder not in DECODERS:
        raise ValueError(
            f"`decoder` must be one of {tuple(DECODERS)}. "
            f"Received: decoder={decoder!r}"
        )
    count = len(efficientnet_lite.blocks(variant))
    if not 0 <= frozen_blocks <= count:
        raise ValueError(
            f"`frozen_blocks` must be in 0..{count} for {variant!r}. "
            f"Received: frozen_blocks={frozen_blocks}"
        )
    inputs = siggraph_blocks.picture_inputs()
    x = GreyFromL(dtype="float32", name="grey")(inputs["L"])
    maps = efficientnet_lite.feature_maps(
        x, variant=variant, frozen_blocks=frozen_blocks
    )
    x = None
    stages = zip(_SCALES, *DECODERS[decoder], reversed(maps[1:]), strict=True)
    for scale, filters, convs, skip in stages:
        hints = PooledHints(size=scale, dtype="float32", name=f"hints{scale}")(
            inputs["hints"], inputs["mask"]
        )
        parts = [
            _pointwise(skip, filters, name=f"skip{scale}"),
            _pointwise(hints, filters, name=f"hints{scale}_conv"),
        ]
        if x is not None:
            x = _pointwise(x, filters, name=f"up{scale}")
            parts.append(Enlarge(2, name=f"up{scale}_double")(x))
        x = layers.Add(name=f"decoder{scale}_add")(parts)
        x = layers.ReLU(name=f"decoder{scale}_add_relu")(x)
        for i in range(1, convs + 1):
            x = _conv(x, filters, name=f"decoder{scale}_conv{i}")
            if scale == 16:
                x = GlobalAttention(
                    heads=_HEADS, name=f"decoder{scale}_attention{i}"
                )(x)
    ab = Enlarge(
        _SCALES[-1], method="bilinear", dtype="float32", name="ab_large"
    )(_head(x, 2, name="ab_out"))
    ab = layers.Rescaling(scaling.AB_SCALE, dtype="float32", name="ab")(ab)
    ab_logits = _head(x, ab_bins.NUM_SRGB_BINS, name="ab_logits")
    return keras.Model(
        inputs=inputs, outputs={"ab": ab, "ab_logits": ab_logits}, name=name
    )


def check_size(image_size: int) -> None:
    """Refuses pictures that the network cannot take.

    Args:
        image_size: int. Side in pixels.

    Raises:
        ValueError: it is no multiple of 32 above 0.
    """
    if image_size < SIZE_MULTIPLE or image_size % SIZE_MULTIPLE:
        raise ValueError(
            f"`image_size` must be {SIZE_MULTIPLE} or a multiple of it for "
            "efficientnet_unet, which halves pictures five times. Received: "
            f"image_size={image_size}"
        )


def _pointwise(x, filters, *, name):
    return layers.Conv2D(filters, 1, name=name)(x)


def _conv(x, filters, *, name):
    """A 3 x 3 convolution, normalized, with ReLU."""
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    x = layers.BatchNormalization(momentum=_BN_MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _head(x, filters, *, name):
    """A 1 x 1 convolution in float32 that starts small."""
    return layers.Conv2D(
        filters,
        1,
        dtype="float32",
        kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
        name=name,
    )(x)
