"""EfficientNet-Lite0, the encoder of colorizers that begin with ImageNet.

Normalizations are part of the convolutions before them: `fold` makes kernels
and biases of published weights that do the same, exactly. The network is then
convolutions, clipped at 6, and sums.

    block    stem 0    1-2   3-4   5-7   8-10  11-14  15
    stride   2    1    2     2     2     1     2      1
    kernel   3    3    3     5     3     5     5      3
    filters  32   16   24    40    80    112   192    320

A block widens its input six times (the first does not), filters each channel
by itself, and narrows the result; where shapes agree its input is added.

References:
    M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
    Neural Networks", ICML 2019. https://arxiv.org/abs/1905.11946
    The Lite variants, of TensorFlow's TPU models: no squeeze-and-excite, ReLU6
    instead of swish.
"""

import math
from collections.abc import Iterator
from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from tfcolor.color import scaling

STEM_FILTERS = 32
HEAD_FILTERS = 1280
HEAD = "head"
# Name of the published network: factors on filters and on repeats.
VARIANTS = {"lite0": (1.0, 1.0), "lite1": (1.0, 1.1), "lite2": (1.1, 1.2)}
# Repeats, kernel size, stride, expansion, filters of the stages.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_BN_EPSILON = 1e-3


class Block(NamedTuple):
    """One block of the network.

    Attributes:
        kernel_size: int, pixels.
        stride: int.
        expansion: int. Factor on the channels in between.
        inputs: int, channels.
        filters: int, channels of the result.
    """

    kernel_size: int
    stride: int
    expansion: int
    inputs: int
    filters: int


def blocks(variant: str = "lite0") -> list[Block]:
    """Lists the blocks of a network.

    Args:
        variant: str, one of `VARIANTS`.

    Returns:
        list of Block.

    Raises:
        ValueError: `variant` is not known.
    """
    if variant not in VARIANTS:
        raise ValueError(
            f"`variant` must be one of {tuple(VARIANTS)}. "
            f"Received: variant={variant!r}"
        )
    width, depth = VARIANTS[variant]
    found, inputs = [], STEM_FILTERS
    for stage, (repeats, kernel_size, stride, *rest) in enumerate(_STAGES):
        expansion, filters = rest
        filters = _multiple_of_8(filters * width)
        if stage not in (0, len(_STAGES) - 1):
            repeats = math.ceil(repeats * depth)
        for index in range(repeats):
            found.append(
                Block(
                    kernel_size,
                    1 if index else stride,
                    expansion,
                    inputs,
                    filters,
                )
            )
            inputs = filters
    return found


def _multiple_of_8(filters: float) -> int:
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def bytes_scaled(grey):
    """Brings encoded grey values into the units of the network.

    Args:
        grey: tensor, encoded sRGB, 0..1.

    Returns:
        tensor of the same shape.
    """
    return (grey * 255.0 - scaling.BYTE_CENTER) / scaling.BYTE_SCALE


def feature_maps(x, *, variant: str = "lite0", frozen_blocks: int = 0) -> list:
    """Builds stem and blocks on a tensor.

    Args:
        x: tensor [B, H, W, C], in units of `bytes_scaled`.
        variant: str, one of `VARIANTS`.
        frozen_blocks: int. So many blocks do not learn; the stem learns if
            all blocks do.

    Returns:
        list of five tensors: the last map of each size, from 1/2 to 1/32.
    """

    def conv(x, filters, *, name, learns, kernel_size=1, strides=1):
        return layers.Conv2D(
            filters,
            kernel_size,
            strides=strides,
            padding="same",
            trainable=learns,
            kernel_initializer="he_normal",
            name=name,
        )(x)

    x = conv(
        *(x, STEM_FILTERS),
        name="stem",
        learns=frozen_blocks == 0,
        kernel_size=3,
        strides=2,
    )
    x = layers.ReLU(6.0, name="stem_relu")(x)
    maps = []
    for index, block in enumerate(blocks(variant)):
        name, learns = f"block{index}", index >= frozen_blocks
        if block.stride == 2:
            maps.append(x)
        entered = x
        if block.expansion != 1:
            x = conv(
                *(x, block.inputs * block.expansion),
                name=f"{name}_expand",
                learns=learns,
            )
            x = layers.ReLU(6.0, name=f"{name}_expand_relu")(x)
        x = layers.DepthwiseConv2D(
            block.kernel_size,
            strides=block.stride,
            padding="same",
            trainable=learns,
            # He's, for one channel: Keras counts all of them.
            depthwise_initializer=keras.initializers.RandomNormal(
                0.0, math.sqrt(2) / block.kernel_size
            ),
            name=f"{name}_depthwise",
        )(x)
        x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
        x = conv(x, block.filters, name=f"{name}_project", learns=learns)
        if block.stride == 1 and block.inputs == block.filters:
            x = layers.Add(name=f"{name}_add")([entered, x])
    return [*maps, x]


def efficientnet_lite(
    *, variant: str = "lite0", channels: int = 3, name: str = "efficientnet"
) -> keras.Model:
    """Builds the encoder by itself.

    Args:
        variant: str, one of `VARIANTS`.
        channels: int. 3, or 1 for grey pictures, which are then seen as if
            each were given three times.
        name: str. Name of the model.

    Returns:
        keras.Model from float32 [B, H, W, channels], in units of
        `bytes_scaled`, to a list of five maps, from [B, H/2, W/2, 16] to
        [B, H/32, W/32, 320]. H and W are multiples of 32.
    """
    x = keras.Input((None, None, channels), name="picture")
    return keras.Model(x, feature_maps(x, variant=variant), name=name)


def head(x):
    """Builds the convolution after the last block: [B, h, w, 1280]."""
    x = layers.Conv2D(HEAD_FILTERS, 1, name=HEAD)(x)
    return layers.ReLU(6.0, name=f"{HEAD}_relu")(x)


def efficientnet_features(
    *, variant: str = "lite0", name: str = "efficientnet_features"
) -> keras.Model:
    """Builds the network as a judge of colors; none of its layers learns.

    Args:
        variant: str, one of `VARIANTS`.
        name: str. Name of the model.

    Returns:
        keras.Model from float32 [B, H, W, 3], encoded sRGB, 0..1, H and W
        multiples of 32, to a dict of maps: "map1" of H/2 x W/2 to "map5" of
        H/32 x W/32, and "map6", of the head.
    """
    rgb = keras.Input((None, None, 3), name="rgb")
    x = layers.Rescaling(
        255.0 / scaling.BYTE_SCALE,
        -scaling.BYTE_CENTER / scaling.BYTE_SCALE,
        dtype="float32",
        name="scaled",
    )(rgb)
    maps = feature_maps(x, variant=variant)
    maps.append(head(maps[-1]))
    named = {f"map{i}": x for i, x in enumerate(maps, 1)}
    model = keras.Model(rgb, named, name=name)
    model.trainable = False
    return model


def _published_convs(variant: str) -> Iterator[tuple[str, str, str]]:
    """Yields our layer's name and the published conv's and norm's."""
    yield "stem", "_conv_stem", "_bn0"
    for index, block in enumerate(blocks(variant)):
        ours, theirs = f"block{index}", f"_blocks.{index}"
        if block.expansion != 1:
            yield f"{ours}_expand", f"{theirs}._expand_conv", f"{theirs}._bn0"
        yield (
            f"{ours}_depthwise",
            f"{theirs}._depthwise_conv",
            f"{theirs}._bn1",
        )
        yield f"{ours}_project", f"{theirs}._project_conv", f"{theirs}._bn2"


def names_of(conv: str, norm: str) -> list[str]:
    """Names the published arrays of a convolution, as `folded_conv` has them.

    Args:
        conv: str, name of the convolution.
        norm: str, name of the normalization after it.

    Returns:
        list of 5 str.
    """
    parts = ("weight", "bias", "running_mean", "running_var")
    return [f"{conv}.weight", *(f"{norm}.{part}" for part in parts)]


def folded_conv(
    kernel, gamma, beta, mean, variance, *, depthwise: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Makes a convolution of one and of the normalization after it.

    Formula:
        s = gamma / sqrt(variance + 0.001)
        kernel = s * published kernel;  bias = beta - s * mean

    Args:
        kernel: float array [out, in, h, w].
        gamma: float array [out].
        beta: float array [out].
        mean: float array [out].
        variance: float array [out].
        depthwise: bool. The kernel is [channels, 1, h, w] there and [h, w,
            channels, 1] here.

    Returns:
        kernel, in Keras' layout, and bias, float32.
    """
    kernel, gamma, beta, mean, variance = (
        np.asarray(array, np.float64)
        for array in (kernel, gamma, beta, mean, variance)
    )
    scale = gamma / np.sqrt(variance + _BN_EPSILON)
    kernel = kernel * scale[:, None, None, None]
    kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    return kernel.astype(np.float32), (beta - scale * mean).astype(np.float32)


def fold(
    arrays: Mapping[str, np.ndarray], *, variant: str = "lite0"
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Makes kernels and biases of the published arrays; see `folded_conv`.

    Args:
        arrays: mapping from the names of the published PyTorch file to
            arrays, kernels [out, in, h, w].
        variant: str, one of `VARIANTS`.

    Returns:
        dict from the names of our layers to kernel, in Keras' layout with 3
        input channels in the stem, and bias.

    Raises:
        ValueError: an array is missing, or one is there that this network does
            not have. Those of its head count as known.
    """
    left, folded = dict(arrays), {}
    for ours, conv, norm in _published_convs(variant):
        parts = names_of(conv, norm)
        missing = [part for part in parts if part not in left]
        if missing:
            raise ValueError(
                f"Weights of {variant!r} must have all arrays. "
                f"Received: none named {missing}"
            )
        folded[ours] = folded_conv(
            *(left.pop(part) for part in parts), depthwise="_depthwise" in ours
        )
        left.pop(f"{norm}.num_batches_tracked", None)
    unknown = [
        k for k in left if not k.startswith(("_conv_head", "_bn1", "_fc"))
    ]
    if unknown:
        raise ValueError(
            f"Weights of {variant!r} must have no other arrays. "
            f"Received: {unknown}"
        )
    return folded


def fold_head(
    arrays: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Makes kernel and bias of `head`.

    Args:
        arrays: mapping from the names of the published PyTorch file to
            arrays; those of `_conv_head` and `_bn1`.

    Returns:
        kernel, float32 [1, 1, C, 1280], and bias, float32 [1280].

    Raises:
        ValueError: an array is missing.
    """
    names = names_of("_conv_head", "_bn1")
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ValueError(
            "EfficientNet-Lite must have the arrays of its head. "
            f"Received: none named {missing}"
        )
    return folded_conv(*(arrays[name] for name in names))


def set_folded(model: keras.Model, folded: Mapping) -> None:
    """Gives the layers of an encoder folded weights.

    Args:
        model: keras.Model with the layers of `feature_maps`.
        folded: dict, of `fold`.

    Raises:
        ValueError: shapes differ.
    """
    for name, (kernel, bias) in folded.items():
        layer = model.get_layer(name)
        if name == "stem" and layer.kernel.shape[2] == 1:
            # All three channels show the same picture.
            kernel = kernel.sum(axis=2, keepdims=True)
        layer.set_weights([kernel, bias])
