"""The SIGGRAPH'17 colorization network.

Inputs: `L`, a picture's lightness; `hints`, the colors a user gave; `mask`,
where. Outputs: `ab`, the color of every pixel; `ab_logits`, a distribution
over the 529 ab bins on a grid of a quarter of the size.

Architecture at `width=1` for pictures of S x S pixels:

    block    1    2    3    4    5*   6*   7    8     9     10
    size     S    S/2  S/4  S/8  S/8  S/8  S/8  S/4   S/2   S
    filters  64   128  256  512  512  512  512  256   128   128
    convs    2    2    3    3    3    3    3    up+2  up+1  up+1

    * dilation 2. Blocks 8, 9 and 10 begin with a transposed convolution, to
    which a convolution of block 3, 2, 1 is added (`skip3to8` and so on).

Each block ends in a batch normalization, which comes AFTER the last ReLU;
block 10 has none and ends in a leaky ReLU. Block 8 also feeds the class head.

Reference:
    R. Zhang, J.-Y. Zhu, P. Isola, X. Geng, A. S. Lin, T. Yu, A. A. Efros,
    "Real-Time User-Guided Image Colorization with Learned Deep Priors",
    SIGGRAPH 2017, section 3 and figure 2. https://arxiv.org/abs/1705.02999
"""

import keras

from tfcolor.color import ab_bins
from tfcolor.color import scaling
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks

FILTERS = siggraph_blocks.FILTERS
INITIALIZERS = siggraph_blocks.INITIALIZERS
GRADIENT_STOPS = ("none", "class_head", "ab_branch")


@architecture.remembered
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
    if gradient_stop not in GRADIENT_STOPS:
        raise ValueError(
            f"`gradient_stop` must be one of {GRADIENT_STOPS}. "
            f"Received: gradient_stop={gradient_stop!r}"
        )
    blocks = siggraph_blocks.Blocks(initializer)

    def stopped(x, stop):
        return keras.ops.stop_gradient(x) if gradient_stop == stop else x

    inputs = siggraph_blocks.picture_inputs()
    block8, block10 = siggraph_blocks.trunk(
        blocks,
        siggraph_blocks.network_input(blocks, inputs, mask_center=mask_center),
        width=width,
        stopped=lambda x: stopped(x, "ab_branch"),
    )
    ab = siggraph_blocks.ab_output(blocks, block10)
    ab_logits = blocks.head(
        stopped(block8, "class_head"),
        ab_bins.NUM_BINS,
        name="ab_logits",
    )
    return keras.Model(
        inputs=inputs,
        outputs={"ab": ab, "ab_logits": ab_logits},
        name=name,
    )
