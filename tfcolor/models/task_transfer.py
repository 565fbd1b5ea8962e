"""A classifier on the trunk of a colorization network.

Inputs: those of a colorizer, `L`, `hints` and `mask`. Output: `logits` over
the classes.

Architecture at `width=1` for pictures of S x S pixels: blocks 1 to 5 of the
colorizer (see `siggraph`), then

    layer    transfer1*  transfer2*  transfer3*  transfer4*  head
    size     S/8         S/8         S/8         S/8         1
    filters  256         128         64          32          num_classes

    * a 3 x 3 convolution of dilation 2, batch normalization, ReLU; at
      smaller widths no fewer than `min_filters`.

The head is a linear layer on all values of transfer4 ("flatten", for one
picture size) or on their means over the picture ("global_pooling").

The study this repeats (S.-A. Maria, "Image Classification as a Task Transfer",
its published notebook) differs in two ways that options bring back:

- `legacy_bn_order`: the trunk's normalizations stand before the last ReLU of
  their blocks, where the colorizer has them after it. Only the 26 tensors of
  its convolutions can be loaded then.
- `freeze="legacy"`: of the 54 trainable tensors, in the order of the layers,
  the first 51 are frozen: all but the offset of the last normalization and the
  linear layer, 327,722 weights at 256 px. Frozen normalizations go on using
  the statistics of the batch.
"""

import keras
from keras import layers

from tfcolor.color import scaling
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks
from tfcolor.models.takes import SIZE_MULTIPLE

HEADS = ("global_pooling", "flatten")
FREEZES = ("none", "trunk", "legacy")
# Filters of the new convolutions at width 1.
FILTERS = (256, 128, 64, 32)

_CONVS = {"block1": 2, "block2": 2, "block3": 3, "block4": 3, "block5": 3}
TRUNK_CONVS = tuple(
    f"{block}_conv{i}"
    for block, count in _CONVS.items()
    for i in range(1, count + 1)
)
TRUNK_BNS = tuple(f"{block}_bn" for block in _CONVS)


@architecture.remembered
def task_transfer(
    *,
    num_classes: int,
    width: float = 1.0,
    image_size: int | None = None,
    head: str = "global_pooling",
    freeze: str = "none",
    min_filters: int = 32,
    legacy_bn_order: bool = False,
    initializer: str = "normal",
    mask_center: float = scaling.MASK_CENTER,
    name: str = "task_transfer",
) -> keras.Model:
    """Builds the classifier.

    Args:
        num_classes: int, 2 or more.
        width: float above 0. Multiplies the filters of every layer.
        image_size: int or None. Side in pixels of square pictures, a multiple
            of 8; None is any size. "flatten" needs it.
        head: str. "global_pooling": classes are read from the mean of the
            features over the picture; "flatten": from every place by itself,
            as in the study.
        freeze: str. What does not learn: "none"; "trunk": blocks 1 to 5, with
            their statistics; "legacy": all but the last normalization's offset
            and the linear layer, as in the study.
        min_filters: int. No new convolution has fewer filters, however narrow
            the network: classes are read from the last of them.
        legacy_bn_order: bool. Normalizes the blocks of the trunk before
            their last ReLU, as the study and no colorizer does.
        initializer: str. Kernels of the convolutions: "normal" or "he_normal".
        mask_center: float. Subtracted from the mask; see `siggraph`.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100, "hints": float32
        [B, H, W, 2], CIELAB, "mask": float32 [B, H, W, 1], 0 or 1}` to
        `{"logits": float32 [B, num_classes]}`. H and W are multiples of 8.

    Raises:
        ValueError: an option has a value that is not listed above.

    Example:
        >>> model = task_transfer(num_classes=10, width=0.25)
        >>> L = tf.zeros([1, 64, 96, 1])
        >>> inputs = {"L": L, "hints": tf.zeros([1, 64, 96, 2]), "mask": L}
        >>> model(inputs)["logits"].shape
        TensorShape([1, 10])
    """
    _check(num_classes, image_size, head, freeze)
    blocks = siggraph_blocks.Blocks(initializer, bn_before_relu=legacy_bn_order)
    inputs = siggraph_blocks.picture_inputs(image_size)
    *_, x = siggraph_blocks.encoder(
        blocks,
        siggraph_blocks.network_input(blocks, inputs, mask_center=mask_center),
        width=width,
    )
    for i, filters in enumerate(FILTERS, start=1):
        filters = max(min_filters, round(filters * width))
        x = blocks.conv(x, filters, name=f"transfer{i}_conv", dilation=2)
        x = blocks.bn(x, name=f"transfer{i}_bn")
        x = layers.ReLU(name=f"transfer{i}_relu")(x)
    if head == "flatten":
        x = layers.Flatten(name="flatten")(x)
    else:
        x = layers.GlobalAveragePooling2D(name="pooling")(x)
    logits = layers.Dense(num_classes, dtype="float32", name="logits")(x)
    model = keras.Model(inputs=inputs, outputs={"logits": logits}, name=name)
    _freeze(model, freeze)
    return model


def trunk_layers(*, legacy_bn_order: bool = False) -> tuple[str, ...]:
    """Names the layers that a colorizer's weights fit.

    Args:
        legacy_bn_order: bool; see `task_transfer`.

    Returns:
        tuple of str: all 18 layers with weights of blocks 1 to 5, or their 13
        convolutions alone.
    """
    return TRUNK_CONVS if legacy_bn_order else TRUNK_CONVS + TRUNK_BNS


def _check(num_classes, image_size, head, freeze) -> None:
    if num_classes < 2:
        raise ValueError(
            "`num_classes` must be 2 or more. "
            f"Received: num_classes={num_classes}"
        )
    for name, value, allowed in (
        ("head", head, HEADS),
        ("freeze", freeze, FREEZES),
    ):
        if value not in allowed:
            raise ValueError(
                f"`{name}` must be one of {allowed}. Received: {name}={value!r}"
            )
    if head == "flatten" and image_size is None:
        raise ValueError(
            "`image_size` must be given for `head='flatten'`. Received: "
            "image_size=None"
        )
    if image_size is not None and (
        image_size <= 0 or image_size % SIZE_MULTIPLE
    ):
        raise ValueError(
            f"`image_size` must be a positive multiple of {SIZE_MULTIPLE}. "
            f"Received: image_size={image_size}"
        )


def _freeze(model: keras.Model, freeze: str) -> None:
    if freeze == "trunk":
        for name in TRUNK_CONVS + TRUNK_BNS:
            model.get_layer(name).trainable = False
    elif freeze == "legacy":
        # Weights and not layers: a frozen layer would stop normalizing by
        # the batch.
        kept = {
            id(model.get_layer("transfer4_bn").beta),
            *map(id, model.get_layer("logits").weights),
        }
        for weight in model.trainable_weights:
            weight.trainable = id(weight) in kept
