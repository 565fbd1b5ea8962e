"""The first layers of VGG16 with batch normalization: maps for a loss.

    map      conv1_1  conv2_1  conv3_1  conv4_1  conv5_1
    size     S        S/2      S/4      S/8      S/16
    filters  64       128      256      512      512

Reference:
    K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for
    Large-Scale Image Recognition", ICLR 2015, network D; the one of
    torchvision, vgg16_bn.
"""

import keras
from keras import layers

from tfcolor.color import scaling
from tfcolor.models import resnet_blocks

# Filters and convolutions of each block, up to the last map.
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 1))
_EPSILON = 1e-5


def vgg16_features(
    *, width: float = 1.0, name: str = "vgg16_features"
) -> keras.Model:
    """Builds the layers up to conv5_1; none of them learns.

    Args:
        width: float above 0. Multiplies the filters.
        name: str. Name of the model.

    Returns:
        keras.Model from float32 [B, H, W, 3], encoded sRGB, 0..1, H and W 16
        or more, to a dict of five maps, "conv1_1" to "conv5_1": convolutions
        before their normalizations.

    Raises:
        ValueError: `width` is not above 0.
    """
    rgb = keras.Input([None, None, 3], name="rgb")
    mean, deviation = scaling.IMAGENET_MEAN, scaling.IMAGENET_DEVIATION
    x = layers.Rescaling(
        [1 / d for d in deviation],
        [-m / d for m, d in zip(mean, deviation, strict=True)],
        dtype="float32",
        name="scaled",
    )(rgb)
    maps = {}
    for block, (filters, convs) in enumerate(BLOCKS, 1):
        if block > 1:
            x = layers.MaxPooling2D(2, name=f"pool{block - 1}")(x)
        for conv in range(1, convs + 1):
            place = f"{block}_{conv}"
            x = layers.Conv2D(
                resnet_blocks.scaled(filters, width),
                3,
                padding="same",
                name=f"conv{place}",
            )(x)
            if conv == 1:
                maps[f"conv{place}"] = x
            x = layers.BatchNormalization(epsilon=_EPSILON, name=f"bn{place}")(
                x
            )
            x = layers.ReLU(name=f"relu{place}")(x)
    model = keras.Model(rgb, maps, name=name)
    model.trainable = False
    return model
