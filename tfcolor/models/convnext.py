"""ConvNeXt, the encoder of DDColor.

    map      S/4  S/8  S/16  S/32
    tiny     96   192  384   768    blocks 3, 3, 9, 3
    large    192  384  768   1536   blocks 3, 3, 27, 3

A block filters each channel by itself (7 x 7), normalizes every place over its
channels, goes through four times as many channels and is added to its input.

Reference:
    Z. Liu et al., "A ConvNet for the 2020s", CVPR 2022.
    https://arxiv.org/abs/2201.03545
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import layers

from tfcolor.layers.ddcolor import ChannelScale
from tfcolor.layers.ddcolor import Gelu


class Variant(NamedTuple):
    """Sizes of a network.

    Attributes:
        filters: int, of the first stage; each next one has twice as many.
        depths: tuple of int, blocks of the four stages.
    """

    filters: int
    depths: tuple[int, ...]


VARIANTS = {
    "tiny": Variant(96, (3, 3, 9, 3)),
    "large": Variant(192, (3, 3, 27, 3)),
}
_NORM_EPSILON = 1e-6
_EXPANSION = 4
_INITIAL_SCALE = 1e-6


def feature_maps(x, *, filters: int, depths: Sequence[int]) -> list:
    """Builds the network on a tensor.

    Args:
        x: tensor [B, H, W, 3], in the units of ImageNet; H and W multiples of
            32.
        filters: int, of the first stage.
        depths: sequence of int, blocks of the stages.

    Returns:
        list of tensors, the normalized map of each stage: [B, H/4, W/4,
        filters], [B, H/8, W/8, 2 filters] and so on.
    """
    maps = []
    for stage, depth in enumerate(depths):
        name = f"stage{stage}"
        if stage:
            x = norm(x, name=f"{name}_norm")
            x = _conv(x, filters * 2**stage, 2, name=f"{name}_conv")
        else:
            x = _conv(x, filters, 4, name=f"{name}_conv")
            x = norm(x, name=f"{name}_norm")
        for block in range(depth):
            x = _block(x, filters * 2**stage, name=f"{name}_block{block}")
        maps.append(norm(x, name=f"{name}_map"))
    return maps


def norm(x, *, name: str, epsilon: float = _NORM_EPSILON):
    """Normalizes every place over its channels.

    Args:
        x: tensor [..., C].
        name: str, of the layer.
        epsilon: float.

    Returns:
        tensor of the same shape.
    """
    return layers.LayerNormalization(epsilon=epsilon, name=name)(x)


def _initializer():
    return keras.initializers.TruncatedNormal(0.0, 0.02)


def _conv(x, filters, size, *, name):
    """A convolution that makes a map smaller."""
    return layers.Conv2D(
        filters, size, size, kernel_initializer=_initializer(), name=name
    )(x)


def _block(x, filters, *, name):
    entry = x
    x = layers.DepthwiseConv2D(
        7,
        padding="same",
        depthwise_initializer=_initializer(),
        name=f"{name}_depthwise",
    )(x)
    x = norm(x, name=f"{name}_norm")
    x = layers.Dense(
        _EXPANSION * filters,
        kernel_initializer=_initializer(),
        name=f"{name}_expand",
    )(x)
    x = Gelu(name=f"{name}_gelu")(x)
    x = layers.Dense(
        filters, kernel_initializer=_initializer(), name=f"{name}_project"
    )(x)
    x = ChannelScale(initial=_INITIAL_SCALE, name=f"{name}_scale")(x)
    return layers.Add(name=f"{name}_add")([entry, x])
