"""The parts that the ResNet colorizer and the ensemble are made of.

The encoder is ResNet-18 with one input channel; its layers are named after
torchvision's, `layer2.0.conv1` as `layer2_0_conv1`. The decoder is that of
Melas-Kyriazi and Han. At `width=1`, for pictures of S x S pixels:

    part      conv1  pool  layer1  layer2  layer3  layer4  mean
    size      S/2    S/4   S/4     S/8     S/16    S/32    1
    filters   64     64    64      128     256     512     512

    part      decode1*  x2   decode2*  decode3*  x2   decode4  ab    x2
    size      S/8       S/4  S/4       S/4       S/2  S/2      S/2   S
    filters   128       128  64        64        64   32       2     2

    * with batch normalization.

Reference:
    K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image
    Recognition", CVPR 2016, table 1. L. Melas-Kyriazi, G. Han, "Automatic
    Image Colorization", 2018, and its released code. S. Iizuka, E. Simo-Serra,
    H. Ishikawa, "Let there be Color!", SIGGRAPH 2016, equation 2.
"""

import keras
from keras import layers

from tfcolor.color import scaling
from tfcolor.layers.enlarge import Enlarge
from tfcolor.layers.grey_value import GreyValue

# Filters and stride of the residual stages at width 1, two blocks each.
STAGES = {1: (64, 1), 2: (128, 2), 3: (256, 2), 4: (512, 2)}
BLOCKS = 2
STEM_FILTERS = 64
# Filters of the decoder's convolutions at width 1.
DECODER_FILTERS = (128, 64, 64, 32)
FUSION_FILTERS = 128
# The convolution that sees classes, if there are any, beside the features.
FUSION = "decode1"
FORMS = ("default", "faithful")

# PyTorch's defaults; its momentum 0.1 is Keras' 0.9.
_BN_EPSILON = 1e-5
_BN_MOMENTUM = 0.9


def scaled(filters: int, width: float) -> int:
    """Returns the filters of a layer at a width, at least 1.

    Args:
        filters: int, at width 1.
        width: float above 0.

    Returns:
        int.

    Raises:
        ValueError: `width` is not above 0.
    """
    if width <= 0:
        raise ValueError(f"`width` must be above 0. Received: width={width}")
    return max(1, round(filters * width))


def picture_input(image_size: int | None = None) -> keras.KerasTensor:
    """Makes the input of a picture's lightness, 0..100.

    Args:
        image_size: int or None. Side in pixels of square pictures; None is
            any size.

    Returns:
        keras.KerasTensor [B, H, W, 1].
    """
    return keras.Input((image_size, image_size, 1), name="L")


def imagenet_input(L):
    """Returns lightness as a network for ImageNet saw grey pictures."""
    deviation = scaling.GREY_DEVIATION
    return layers.Rescaling(
        1 / (scaling.L_SCALE * deviation),
        -scaling.GREY_MEAN / deviation,
        name="L_scaled",
    )(L)


def network_input(L, form: str):
    """Returns what the encoder sees.

    Args:
        L: tensor [B, H, W, 1], 0..100.
        form: str, one of `FORMS`. "default": `imagenet_input`; "faithful":
            the grey value, 0..1.

    Returns:
        Tensor [B, H, W, 1].

    Raises:
        ValueError: `form` is not known.
    """
    if form not in FORMS:
        raise ValueError(
            f"`form` must be one of {FORMS}. Received: form={form!r}"
        )
    if form == "faithful":
        return GreyValue(name="grey_value")(L)
    return imagenet_input(L)


def _conv(x, filters, size, *, stride=1, name):
    """A convolution with PyTorch's padding, the same on all sides."""
    if size > 1:
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_padding")(x)
    return layers.Conv2D(
        filters,
        size,
        strides=stride,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def batch_norm(x, *, name: str):
    """Returns a map after batch normalization, with PyTorch's settings."""
    return layers.BatchNormalization(
        momentum=_BN_MOMENTUM, epsilon=_BN_EPSILON, name=name
    )(x)


def _residual_block(x, filters, *, stride, name):
    shortcut = x
    if stride > 1:
        # The first block of a stage that halves the size.
        shortcut = _conv(
            x, filters, 1, stride=stride, name=f"{name}_downsample_0"
        )
        shortcut = batch_norm(shortcut, name=f"{name}_downsample_1")
    x = _conv(x, filters, 3, stride=stride, name=f"{name}_conv1")
    x = layers.ReLU(name=f"{name}_relu1")(batch_norm(x, name=f"{name}_bn1"))
    x = batch_norm(
        _conv(x, filters, 3, name=f"{name}_conv2"), name=f"{name}_bn2"
    )
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _stages(x, stages, width):
    for stage in stages:
        filters, stride = STAGES[stage]
        for block in range(BLOCKS):
            x = _residual_block(
                x,
                scaled(filters, width),
                stride=stride if block == 0 else 1,
                name=f"layer{stage}_{block}",
            )
    return x


def encoder(x, *, width: float):
    """Builds ResNet-18 up to layer2.

    Args:
        x: tensor [B, H, W, 1].
        width: float above 0.

    Returns:
        Tensor [B, H/8, W/8, 128 * width].
    """
    x = _conv(x, scaled(STEM_FILTERS, width), 7, stride=2, name="conv1")
    x = layers.ReLU(name="relu1")(batch_norm(x, name="bn1"))
    # After a ReLU, zeros are as good as PyTorch's minus infinity.
    x = layers.ZeroPadding2D(1, name="pool1_padding")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    return _stages(x, (1, 2), width)


def whole_picture(x, *, width: float):
    """Builds layer3, layer4 and the mean over the picture.

    Args:
        x: tensor, the result of `encoder`.
        width: float above 0.

    Returns:
        Tensor [B, 512 * width].
    """
    x = _stages(x, (3, 4), width)
    return layers.GlobalAveragePooling2D(name="mean")(x)


def tiled(vector, x):
    """Repeats a vector at every place of a map.

    Args:
        vector: tensor [B, K].
        x: tensor [B, h, w, C], of which only the size plays a part.

    Returns:
        Tensor [B, h, w, K].
    """
    return keras.ops.zeros_like(x[..., :1]) + vector[:, None, None, :]


def fuse_whole_picture(x, *, width: float):
    """Joins the features of the whole picture to those of every place.

    Args:
        x: tensor, the result of `encoder`.
        width: float above 0.

    Returns:
        Tensor [B, H/8, W/8, 128 * width]: a linear layer at every place, and
        a ReLU.
    """
    whole = tiled(whole_picture(x, width=width), x)
    x = layers.Concatenate(name="fusion_input")([x, whole])
    return layers.Conv2D(
        scaled(FUSION_FILTERS, width),
        1,
        activation="relu",
        kernel_initializer="he_normal",
        name="fusion",
    )(x)


def _decoder_conv(x, filters, *, name, activation="relu", normalized=True):
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        activation=None if normalized else activation,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    if normalized:
        x = batch_norm(x, name=f"{name}_bn")
        x = layers.Activation(activation, name=f"{name}_{activation}")(x)
    return x


def decoder(x, *, width: float, form: str):
    """Builds the decoder.

    Args:
        x: tensor [B, H/8, W/8, C].
        width: float above 0.
        form: str, one of `FORMS`. "faithful" is as released by the study: no
            normalization and a sigmoid on hidden layers, colors repeated
            from half the size. "default" has normalizations and ReLUs all
            through, and enlarges the colors smoothly.

    Returns:
        float32 tensor [B, H, W, 2], CIELAB: inside +-110 for "default", not
        bounded for "faithful".
    """
    f1, f2, f3, f4 = (scaled(filters, width) for filters in DECODER_FILTERS)
    faithful = form == "faithful"
    x = _decoder_conv(x, f1, name=FUSION)
    x = Enlarge(2, name="enlarge1")(x)
    x = _decoder_conv(x, f2, name="decode2")
    x = _decoder_conv(x, f3, name="decode3", normalized=not faithful)
    x = Enlarge(2, name="enlarge2")(x)
    x = _decoder_conv(
        x,
        f4,
        name="decode4",
        activation="sigmoid" if faithful else "relu",
        normalized=not faithful,
    )
    x = layers.Conv2D(
        2,
        3,
        padding="same",
        activation=None if faithful else "tanh",
        dtype="float32",
        # Small: a tanh must not start saturated.
        kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
        name="ab_out",
    )(x)
    method = "nearest" if faithful else "bilinear"
    x = Enlarge(2, method=method, dtype="float32", name="enlarge3")(x)
    if faithful:
        scale, offset = scaling.AB_RANGE, -scaling.AB_OFFSET
    else:
        scale, offset = scaling.AB_SCALE, 0.0
    return layers.Rescaling(scale, offset, dtype="float32", name="ab")(x)
