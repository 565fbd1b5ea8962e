"""The SIGGRAPH'17 colorization network.

Inputs: `L`, a picture's lightness; `hints`, the colours a user gave; `mask`,
where. Outputs: `ab`, the colour of every pixel; `ab_logits`, a distribution
over the 529 ab bins on a grid of a quarter of the size.

Architecture at `width=1` for pictures of S x S pixels:

    block    1    2    3    4    5*   6*   7    8     9     10
    size     S    S/2  S/4  S/8  S/8  S/8  S/8  S/4   S/2   S
    filters  64   128  256  512  512  512  512  256   128   128
    convs    2    2    3    3    3    3    3    up+2  up+1  up+1

    * dilation 2. Blocks 8, 9 and 10 begin with a transposed convolution, to
    which a convolution of block 3, 2, 1 is added (`skip3to8` and so on).

Each block ends in a batch normalisation, which comes AFTER the last ReLU;
block 10 has none and ends in a leaky ReLU. Block 8 also feeds the class head.

Reference:
    R. Zhang, J.-Y. Zhu, P. Isola, X. Geng, A. S. Lin, T. Yu, A. A. Efros,
    "Real-Time User-Guided Image Colorization with Learned Deep Priors",
    SIGGRAPH 2017, section 3 and figure 2. https://arxiv.org/abs/1705.02999
"""

import keras
from keras import layers

from tfcolor.color import ab_bins
from tfcolor.color import scaling

# Filters of blocks 1 to 10 at width 1.
FILTERS = (64, 128, 256, 512, 512, 512, 512, 256, 128, 128)
# Heights and widths of pictures must be multiples of this.
SIZE_MULTIPLE = 8

# PyTorch's defaults, under which the published weights were trained; its
# momentum 0.1 is Keras' 0.9.
_BN_EPSILON = 1e-5
_BN_MOMENTUM = 0.9
_LEAKY_SLOPE = 0.2

GRADIENT_STOPS = ("none", "class_head", "ab_branch")
INITIALIZERS = ("normal", "he_normal")


class _Blocks:
    """The repeating parts of the network, with their shared settings."""

    def __init__(self, initializer: str):
        # A name, not an object: every layer then draws a seed of its own.
        self._initializer = initializer

    def _kernel_initializer(self):
        if self._initializer == "he_normal":
            return keras.initializers.HeNormal()
        return keras.initializers.RandomNormal(0.0, 0.02)

    def conv(self, x, filters, *, name, dilation=1, activation=None):
        return layers.Conv2D(
            filters,
            3,
            padding="same",
            dilation_rate=dilation,
            activation=activation,
            kernel_initializer=self._kernel_initializer(),
            name=name,
        )(x)

    def bn(self, x, *, name):
        return layers.BatchNormalization(
            momentum=_BN_MOMENTUM,
            epsilon=_BN_EPSILON,
            gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02),
            name=name,
        )(x)

    def convs(self, x, filters, *, name, first, last, dilation=1):
        """Convolutions `first`..`last` of a block, then its normalisation."""
        for i in range(first, last + 1):
            x = self.conv(
                x,
                filters,
                name=f"{name}_conv{i}",
                dilation=dilation,
                activation="relu",
            )
        return self.bn(x, name=f"{name}_bn")

    def down(self, x, *, name):
        """Keeps every second row and column, from the first on."""
        return layers.MaxPooling2D(1, strides=2, name=name)(x)

    def up(self, x, skip, filters, *, index, skip_index):
        """Doubles the size, adds the skip connection, applies ReLU."""
        x = layers.Conv2DTranspose(
            filters,
            4,
            strides=2,
            padding="same",
            kernel_initializer=self._kernel_initializer(),
            name=f"up{index}",
        )(x)
        skip = self.conv(skip, filters, name=f"skip{skip_index}to{index}")
        x = layers.Add(name=f"block{index}_add")([x, skip])
        return layers.ReLU(name=f"block{index}_relu")(x)

    def head(self, x, filters, *, name, activation=None):
        """A 1 x 1 convolution in float32, whatever the precision before.

        It starts small under both initializers: block 10 is not normalised,
        and its tanh must not start saturated.
        """
        return layers.Conv2D(
            filters,
            1,
            activation=activation,
            dtype="float32",
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
            name=name,
        )(x)


def _check_options(width, gradient_stop, initializer):
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    if gradient_stop not in GRADIENT_STOPS:
        raise ValueError(
            f"`gradient_stop` must be one of {GRADIENT_STOPS}. "
            f"Received: gradient_stop={gradient_stop!r}"
        )
    if initializer not in INITIALIZERS:
        raise ValueError(
            f"`initializer` must be one of {INITIALIZERS}. "
            f"Received: initializer={initializer!r}"
        )


def siggraph(
    *,
    width: float = 1.0,
    gradient_stop: str = "class_head",
    initializer: str = "normal",
    mask_center: float = scaling.MASK_CENTER,
    name: str = "siggraph",
) -> keras.Model:
    """Builds the full-picture colorizer.

    Args:
        width: float above 0. Multiplies the filters of every block, rounded,
            at least 1. `1` has 34,187,027 trainable weights.
        gradient_stop: str. "class_head": the class head learns from block 8
            without changing it (the published regression stage). "ab_branch":
            blocks 9 and 10 learn without changing blocks 1, 2 and 8 (the
            published classification stage). "none": both train everything.
        initializer: str. "normal", N(0, 0.02) as published, or "he_normal".
        mask_center: float. Subtracted from the mask; 0 for weights that come
            from the first Caffe release.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100, "hints": float32
        [B, H, W, 2], CIELAB, "mask": float32 [B, H, W, 1], 0 or 1}` to
        `{"ab": float32 [B, H, W, 2], CIELAB, inside +-110, "ab_logits":
        float32 [B, H/4, W/4, 529]}`. H and W are multiples of 8 and may
        differ from call to call.

    Raises:
        ValueError: an option has a value that is not listed above.

    Example:
        >>> model = siggraph(width=0.25)
        >>> L = tf.zeros([1, 64, 96, 1])
        >>> model({"L": L, "hints": tf.zeros([1, 64, 96, 2]), "mask": L})
    """
    _check_options(width, gradient_stop, initializer)
    f1, f2, f3, f4, f5, f6, f7, f8, f9, f10 = (
        max(1, round(filters * width)) for filters in FILTERS
    )
    blocks = _Blocks(initializer)

    def stopped(x, stop):
        return keras.ops.stop_gradient(x) if gradient_stop == stop else x

    L = keras.Input((None, None, 1), name="L")
    hints = keras.Input((None, None, 2), name="hints")
    mask = keras.Input((None, None, 1), name="mask")

    # Encoder
    x = layers.Concatenate(name="network_input")(
        [
            layers.Rescaling(
                1 / scaling.L_SCALE,
                -scaling.L_CENTER / scaling.L_SCALE,
                name="L_scaled",
            )(L),
            layers.Rescaling(1 / scaling.AB_SCALE, name="hints_scaled")(hints),
            layers.Rescaling(1.0, -mask_center, name="mask_centered")(mask),
        ]
    )
    block1 = blocks.convs(x, f1, name="block1", first=1, last=2)
    x = blocks.down(block1, name="block1_pool")
    block2 = blocks.convs(x, f2, name="block2", first=1, last=2)
    x = blocks.down(block2, name="block2_pool")
    block3 = blocks.convs(x, f3, name="block3", first=1, last=3)
    x = blocks.down(block3, name="block3_pool")
    x = blocks.convs(x, f4, name="block4", first=1, last=3)

    # Bottleneck
    x = blocks.convs(x, f5, name="block5", first=1, last=3, dilation=2)
    x = blocks.convs(x, f6, name="block6", first=1, last=3, dilation=2)
    x = blocks.convs(x, f7, name="block7", first=1, last=3)

    # Decoder
    x = blocks.up(x, block3, f8, index=8, skip_index=3)
    block8 = blocks.convs(x, f8, name="block8", first=2, last=3)
    x = blocks.up(
        stopped(block8, "ab_branch"),
        stopped(block2, "ab_branch"),
        f9,
        index=9,
        skip_index=2,
    )
    x = blocks.convs(x, f9, name="block9", first=2, last=2)
    x = blocks.up(
        x,
        stopped(block1, "ab_branch"),
        f10,
        index=10,
        skip_index=1,
    )
    x = blocks.conv(x, f10, name="block10_conv2")
    x = layers.LeakyReLU(_LEAKY_SLOPE, name="block10_relu2")(x)

    ab = blocks.head(x, 2, name="ab_out", activation="tanh")
    ab = layers.Rescaling(scaling.AB_SCALE, dtype="float32", name="ab")(ab)
    ab_logits = blocks.head(
        stopped(block8, "class_head"),
        ab_bins.NUM_BINS,
        name="ab_logits",
    )
    return keras.Model(
        inputs={"L": L, "hints": hints, "mask": mask},
        outputs={"ab": ab, "ab_logits": ab_logits},
        name=name,
    )
