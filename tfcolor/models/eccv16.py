"""The network of "Colorful Image Colorization", which answers with bins of ab.

Input: `L`, a picture's lightness. Outputs: `ab`, the color of every pixel;
`ab_logits`, a distribution over 313 color bins on a grid of a quarter of the
size.

Architecture at `width=1` for pictures of S x S pixels:

    block    1    2    3    4    5*   6*   7    8
    size     S/2  S/4  S/8  S/8  S/8  S/8  S/8  S/4
    filters  64   128  256  512  512  512  512  256
    convs    2    2    3    3    3    3    3    up+2

    * dilation 2. The last convolution of blocks 1, 2 and 3 has stride 2. Block
    8 begins with a transposed convolution and has no normalization; in all
    others it comes AFTER the last ReLU.

The color of a place is the mean of the bins' colors, weighted by a softmax
over the logits: the annealed mean of the paper with the temperature inside the
published weights. It is enlarged bilinearly. The colors of the bins come with
the weights: `bin_colors` is not trained.

Reference:
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016,
    section 2 and the released network (github.com/richzhang/colorization,
    colorizers/eccv16.py). https://arxiv.org/abs/1603.08511
"""

import keras
from keras import layers

from tfcolor.color import scaling
from tfcolor.layers.enlarge import Enlarge
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks

NUM_BINS = 313
# Of blocks 1 to 7: convolutions, dilation, stride of the last one.
_BLOCKS = (
    *((2, 1, 2), (2, 1, 2), (3, 1, 2)),
    *((3, 1, 1), (3, 2, 1), (3, 2, 1), (3, 1, 1)),
)
# From the grid of the bins to the picture.
_ENLARGEMENT = 4


@architecture.remembered
def eccv16(
    *,
    width: float = 1.0,
    initializer: str = "normal",
    name: str = "eccv16",
) -> keras.Model:
    """Builds the colorizer.

    Args:
        width: float above 0. Multiplies the filters of every block, rounded,
            at least 1. `1` has 32,235,385 trainable weights.
        initializer: str. "normal", N(0, 0.02), or "he_normal".
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100}` to `{"ab":
        float32 [B, H, W, 2], CIELAB, "ab_logits": float32 [B, H/4, W/4,
        313]}`. H and W are multiples of 8 and may differ from call to call.

    Raises:
        ValueError: an option has a value that is not listed above.

    Example:
        >>> model = eccv16(width=0.25)
        >>> model({"L": tf.zeros([1, 64, 96, 1])})["ab"].shape
        TensorShape([1, 64, 96, 2])
    """
    blocks = siggraph_blocks.Blocks(initializer)
    filters = siggraph_blocks.block_filters(width)
    L = keras.Input((None, None, 1), name="L")
    x = layers.Rescaling(
        1 / scaling.L_SCALE,
        offset=-scaling.L_CENTER / scaling.L_SCALE,
        name="L_scaled",
    )(L)
    for i, (convs, dilation, stride) in enumerate(_BLOCKS):
        block = f"block{i + 1}"
        last = convs - 1 if stride > 1 else convs
        for j in range(1, last + 1):
            x = blocks.conv(
                x,
                filters[i],
                name=f"{block}_conv{j}",
                dilation=dilation,
                activation="relu",
            )
        if stride > 1:
            x = _halved(blocks, x, filters[i], name=f"{block}_conv{convs}")
        x = blocks.bn(x, name=f"{block}_bn")
    ab_logits = _logits(blocks, x, filters[7])
    ab = _mean_color(ab_logits)
    return keras.Model(
        inputs={"L": L}, outputs={"ab": ab, "ab_logits": ab_logits}, name=name
    )


def _halved(blocks, x, filters, *, name):
    """A convolution of stride 2, padded as PyTorch pads: on all four sides."""
    x = layers.ZeroPadding2D(1, name=f"{name}_padding")(x)
    return layers.Conv2D(
        filters,
        3,
        strides=2,
        activation="relu",
        kernel_initializer=blocks.kernel_initializer(),
        name=name,
    )(x)


def _logits(blocks, x, filters):
    """Builds block 8, which doubles the size, and the logits of the bins."""
    x = layers.Conv2DTranspose(
        filters,
        4,
        strides=2,
        padding="same",
        activation="relu",
        kernel_initializer=blocks.kernel_initializer(),
        name="up8",
    )(x)
    for j in (2, 3):
        x = blocks.conv(x, filters, name=f"block8_conv{j}", activation="relu")
    return blocks.head(x, NUM_BINS, name="ab_logits")


def _mean_color(ab_logits):
    """Returns ab at the picture's size, float32, CIELAB."""
    shares = layers.Softmax(dtype="float32", name="bin_shares")(ab_logits)
    ab = layers.Conv2D(
        2,
        1,
        use_bias=False,
        dtype="float32",
        kernel_initializer=keras.initializers.RandomUniform(-1.0, 1.0),
        trainable=False,
        name="bin_colors",
    )(shares)
    ab = Enlarge(
        _ENLARGEMENT, method="bilinear", dtype="float32", name="ab_enlarged"
    )(ab)
    return layers.Rescaling(scaling.AB_SCALE, dtype="float32", name="ab")(ab)
