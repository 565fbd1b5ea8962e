"""The parts that the SIGGRAPH'17 network and its relatives are made of.

The full-picture network, the instance network and the fusion network are one
trunk with different ends: the instance network hands on the `MAPS` of the
trunk, the fusion network changes them on their way.
"""

from collections.abc import Callable

import keras
from keras import layers
from keras import ops

from tfcolor.color import scaling

# Filters of blocks 1 to 10 at width 1.
FILTERS = (64, 128, 256, 512, 512, 512, 512, 256, 128, 128)

INITIALIZERS = ("normal", "he_normal")

# The 13 feature maps that instances and picture share, in the order in which
# they are computed, and the factor by which each is smaller than the picture.
# An `_up` map is the sum of the doubled map and its skip connection.
MAPS = {
    "block1": 1,
    "block2": 2,
    "block3": 4,
    "block4": 8,
    "block5": 8,
    "block6": 8,
    "block7": 8,
    "block8_up": 4,
    "block8": 4,
    "block9_up": 2,
    "block9": 2,
    "block10_up": 1,
    "block10": 1,
}

# PyTorch's defaults, under which the published weights were trained; its
# momentum 0.1 is Keras' 0.9.
_BN_EPSILON = 1e-5
_BN_MOMENTUM = 0.9
_LEAKY_SLOPE = 0.2


def block_filters(width: float) -> tuple[int, ...]:
    """Returns the filters of blocks 1 to 10.

    Args:
        width: float above 0.

    Returns:
        tuple of 10 int, each at least 1.

    Raises:
        ValueError: `width` is not above 0.
    """
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    return tuple(max(1, round(filters * width)) for filters in FILTERS)


def map_filters(width: float) -> dict[str, int]:
    """Returns the channels of each of the `MAPS`.

    Args:
        width: float above 0.

    Returns:
        dict of str to int.
    """
    filters = block_filters(width)
    return {
        name: filters[int(name.removesuffix("_up")[len("block") :]) - 1]
        for name in MAPS
    }


def picture_inputs(image_size: int | None = None) -> dict:
    """Makes the inputs of a picture: `L`, `hints` and `mask`, CIELAB.

    Args:
        image_size: int or None. Side in pixels of square pictures; None is
            any size.

    Returns:
        dict of str to keras.KerasTensor.
    """
    size = (image_size, image_size)
    return {
        "L": keras.Input((*size, 1), name="L"),
        "hints": keras.Input((*size, 2), name="hints"),
        "mask": keras.Input((*size, 1), name="mask"),
    }


def without_hints(L) -> dict:
    """Makes the inputs of pictures for which nobody gave a color.

    Args:
        L: float32 tensor [B, H, W, 1], 0..100.

    Returns:
        dict of "L", "hints" and "mask".
    """
    nothing = ops.zeros_like(L)
    hints = ops.concatenate([nothing, nothing], axis=-1)
    return {"L": L, "hints": hints, "mask": nothing}


class Blocks:
    """The repeating parts of the network, with their shared settings.

    Args:
        initializer: str, one of `INITIALIZERS`.
        bn_before_relu: bool. Puts the normalization of blocks 1 to 7 before
            their last ReLU, where no colorizer has it.
    """

    def __init__(self, initializer: str, *, bn_before_relu: bool = False):
        # A name, not an object: every layer then draws a seed of its own.
        if initializer not in INITIALIZERS:
            raise ValueError(
                f"`initializer` must be one of {INITIALIZERS}. "
                f"Received: initializer={initializer!r}"
            )
        self._initializer = initializer
        self._bn_before_relu = bn_before_relu

    def layer(self, kind: type, *, name: str, **options):
        """Makes each layer of the network; all others go through this one."""
        return kind(name=name, **options)

    def kernel_initializer(self):
        """Returns a new initializer of kernels."""
        if self._initializer == "he_normal":
            return keras.initializers.HeNormal()
        return keras.initializers.RandomNormal(0.0, 0.02)

    def conv(self, x, filters, *, name, dilation=1, activation=None):
        """A 3 x 3 convolution that keeps the size."""
        return self.layer(
            layers.Conv2D,
            name=name,
            filters=filters,
            kernel_size=3,
            padding="same",
            dilation_rate=dilation,
            activation=activation,
            kernel_initializer=self.kernel_initializer(),
        )(x)

    def bn(self, x, *, name):
        """A batch normalization with PyTorch's settings."""
        return self.layer(
            layers.BatchNormalization,
            name=name,
            momentum=_BN_MOMENTUM,
            epsilon=_BN_EPSILON,
            gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02),
        )(x)

    def convs(self, x, filters, *, name, first, last, dilation=1):
        """Convolutions `first`..`last` of a block, then its normalization."""
        for i in range(first, last + 1):
            plain = self._bn_before_relu and i == last
            x = self.conv(
                x,
                filters,
                name=f"{name}_conv{i}",
                dilation=dilation,
                activation=None if plain else "relu",
            )
        x = self.bn(x, name=f"{name}_bn")
        if self._bn_before_relu:
            x = self.layer(layers.ReLU, name=f"{name}_relu")(x)
        return x

    def down(self, x, *, name):
        """Keeps every second row and column, from the first on."""
        return self.layer(
            layers.MaxPooling2D, name=name, pool_size=1, strides=2
        )(x)

    def up(self, x, skip, filters, *, index, skip_index):
        """Doubles the size and adds the skip connection."""
        x = self.layer(
            layers.Conv2DTranspose,
            name=f"up{index}",
            filters=filters,
            kernel_size=4,
            strides=2,
            padding="same",
            kernel_initializer=self.kernel_initializer(),
        )(x)
        skip = self.conv(skip, filters, name=f"skip{skip_index}to{index}")
        return self.layer(layers.Add, name=f"block{index}_add")([x, skip])

    def head(self, x, filters, *, name, activation=None):
        """A 1 x 1 convolution in float32, whatever the precision before.

        It starts small under both initializers: block 10 is not normalized,
        and its tanh must not start saturated.
        """
        return self.layer(
            layers.Conv2D,
            name=name,
            filters=filters,
            kernel_size=1,
            activation=activation,
            dtype="float32",
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
        )(x)


def network_input(blocks: Blocks, inputs: dict, *, mask_center: float):
    """Joins the inputs of a picture in network units.

    Args:
        blocks: Blocks.
        inputs: dict, of `picture_inputs`.
        mask_center: float, subtracted from the mask.

    Returns:
        Tensor [B, H, W, 4].
    """

    def scaled(key, name, scale, offset=0.0):
        return blocks.layer(
            layers.Rescaling, name=name, scale=scale, offset=offset
        )(inputs[key])

    return blocks.layer(layers.Concatenate, name="network_input")(
        [
            scaled(
                *("L", "L_scaled", 1 / scaling.L_SCALE),
                -scaling.L_CENTER / scaling.L_SCALE,
            ),
            scaled("hints", "hints_scaled", 1 / scaling.AB_SCALE),
            scaled("mask", "mask_centered", 1.0, -mask_center),
        ]
    )


def encoder(
    blocks: Blocks,
    x,
    *,
    width: float,
    change: Callable = lambda name, x: x,
) -> tuple:
    """Builds blocks 1 to 5.

    Args:
        blocks: Blocks.
        x: tensor [B, H, W, 4], network units.
        width: float above 0.
        change: function of a name in `MAPS` and the map; see `trunk`.

    Returns:
        The results of blocks 1, 2, 3 and 5.
    """
    f1, f2, f3, f4, f5 = block_filters(width)[:5]
    x = blocks.convs(x, f1, name="block1", first=1, last=2)
    block1 = change("block1", x)
    x = blocks.down(block1, name="block1_pool")
    x = blocks.convs(x, f2, name="block2", first=1, last=2)
    block2 = change("block2", x)
    x = blocks.down(block2, name="block2_pool")
    x = blocks.convs(x, f3, name="block3", first=1, last=3)
    block3 = change("block3", x)
    x = blocks.down(block3, name="block3_pool")
    x = blocks.convs(x, f4, name="block4", first=1, last=3)
    x = change("block4", x)
    x = blocks.convs(x, f5, name="block5", first=1, last=3, dilation=2)
    return block1, block2, block3, change("block5", x)


def trunk(
    blocks: Blocks,
    x,
    *,
    width: float,
    change: Callable = lambda name, x: x,
    stopped: Callable = lambda x: x,
) -> tuple:
    """Builds blocks 1 to 10.

    Args:
        blocks: Blocks.
        x: tensor [B, H, W, 4], network units.
        width: float above 0.
        change: function of a name in `MAPS` and the map. What it returns
            takes the map's place, in skip connections too.
        stopped: function, applied to what blocks 9 and 10 take from blocks
            8, 2 and 1.

    Returns:
        The results of blocks 8 and 10.
    """
    f6, f7, f8, f9, f10 = block_filters(width)[5:]

    # Encoder
    block1, block2, block3, x = encoder(blocks, x, width=width, change=change)

    # Bottleneck
    x = blocks.convs(x, f6, name="block6", first=1, last=3, dilation=2)
    x = change("block6", x)
    x = blocks.convs(x, f7, name="block7", first=1, last=3)
    x = change("block7", x)

    # Decoder
    x = blocks.up(x, block3, f8, index=8, skip_index=3)
    x = change("block8_up", x)
    x = blocks.layer(layers.ReLU, name="block8_relu")(x)
    x = blocks.convs(x, f8, name="block8", first=2, last=3)
    block8 = change("block8", x)
    x = blocks.up(stopped(block8), stopped(block2), f9, index=9, skip_index=2)
    x = change("block9_up", x)
    x = blocks.layer(layers.ReLU, name="block9_relu")(x)
    x = blocks.convs(x, f9, name="block9", first=2, last=2)
    x = change("block9", x)
    x = blocks.up(x, stopped(block1), f10, index=10, skip_index=1)
    x = change("block10_up", x)
    x = blocks.layer(layers.ReLU, name="block10_relu")(x)
    x = blocks.conv(x, f10, name="block10_conv2")
    x = blocks.layer(
        layers.LeakyReLU, name="block10_relu2", negative_slope=_LEAKY_SLOPE
    )(x)
    return block8, change("block10", x)


def ab_output(blocks: Blocks, x):
    """Returns the colors, float32 [B, H, W, 2], CIELAB, inside +-110.

    Args:
        blocks: Blocks.
        x: tensor, the result of block 10.
    """
    ab = blocks.head(x, 2, name="ab_out", activation="tanh")
    return blocks.layer(
        layers.Rescaling, name="ab", scale=scaling.AB_SCALE, dtype="float32"
    )(ab)
