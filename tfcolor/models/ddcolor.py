"""DDColor: a ConvNeXt encoder and two decoders, of pixels and of colors.

Input `L`, lightness; output `ab`, the color of every pixel.

    map      S/32  S/16  S/8  S/4  S
    encoder  768   384   192  96          tiny; large has twice as many
    pixels         512   512  256  256    from left to right

The encoder sees the picture as a grey sRGB one. The pixel decoder enlarges its
maps by `PixelShuffle` and `CornerBlur` and joins them with the encoder's. The
color decoder is a transformer of 9 blocks: 100 queries look in turns at the
pixel decoder's maps of S/16, S/8 and S/4, and at each other. What becomes of a
query is a filter on the 256 maps of full size; ab is a mixture of the 100 maps
that these filters make, and of the picture.

All that comes after the last ReLU is linear. The mixture is therefore applied
to the filters, and these to the maps before they are shuffled and blurred: the
same numbers, without the 256 and the 100 maps of full size.

Differences to the published code, none of which changes what the network
computes: spectral norms are divided out when weights are imported, and
training is without them.

Reference:
    X. Kang et al., "DDColor: Towards Photo-Realistic Image Colorization via
    Dual Decoders", ICCV 2023. https://arxiv.org/abs/2212.11613
    github.com/piddnad/DDColor, ddcolor/model.py
"""

import keras
from keras import layers

from tfcolor.layers.ddcolor import AddRows
from tfcolor.layers.ddcolor import CornerBlur
from tfcolor.layers.ddcolor import ImagenetGrey
from tfcolor.layers.ddcolor import MapRows
from tfcolor.layers.ddcolor import PixelShuffle
from tfcolor.layers.ddcolor import Queries
from tfcolor.layers.ddcolor import ShuffledColors
from tfcolor.models import architecture
from tfcolor.models import convnext
from tfcolor.models import resnet_blocks

ENCODERS = tuple(convnext.VARIANTS)
SIZE_MULTIPLE = 32
# At width 1: channels of the pixel decoder's maps, of queries, and inside the
# feed-forward parts of the transformer.
PIXEL_FILTERS = (512, 512, 256)
QUERY_CHANNELS = 256
_HIDDEN = 2048
HEADS = 8
QUERIES = 100
BLOCKS = 9
# PyTorch's.
_EPSILON = 1e-5
_BN_MOMENTUM = 0.9
# From the map of S/4 to the picture.
_LAST_SCALE = 4


@architecture.remembered(size_multiple=SIZE_MULTIPLE)
def ddcolor(
    *,
    encoder: str = "large",
    width: float = 1.0,
    queries: int = QUERIES,
    decoder_blocks: int = BLOCKS,
    name: str = "ddcolor",
) -> keras.Model:
    """Builds the colorizer.

    Args:
        encoder: str, "tiny" or "large": ConvNeXt-T (55 million weights in all)
            or ConvNeXt-L (228 million).
        width: float above 0. Factor on the channels of all layers; 1 is the
            published network. 256 times it must be a multiple of 8.
        queries: int, colors that are looked for.
        decoder_blocks: int, of the color decoder; 3 or above, one for each map.
        name: str. Name of the model.

    Returns:
        keras.Model from `{"L": float32 [B, H, W, 1], 0..100}` to `{"ab":
        float32 [B, H, W, 2], CIELAB}`. H and W are multiples of 32 and may
        differ from call to call.

    Raises:
        ValueError: `encoder` is not known, or a number is out of range.
    """
    _check(encoder, width, queries, decoder_blocks)
    variant = convnext.VARIANTS[encoder]
    L = keras.Input([None, None, 1], name="L")
    picture = ImagenetGrey(dtype="float32", name="grey")(L)
    maps = convnext.feature_maps(
        picture,
        filters=resnet_blocks.scaled(variant.filters, width),
        depths=variant.depths,
    )
    pixels = _pixel_decoder(maps, width)
    filters = resnet_blocks.scaled(PIXEL_FILTERS[-1], width)
    found = _color_decoder(
        pixels, filters, width=width, queries=queries, blocks=decoder_blocks
    )
    # A mixture of the queries' maps; see above.
    colors = layers.Permute((2, 1), name="filters_by_query")(found)
    colors = layers.Dense(2, use_bias=False, dtype="float32", name="mixture")(
        colors
    )
    x = layers.Conv2D(filters * _LAST_SCALE**2, 1, name="last_shuffle")(
        pixels[-1]
    )
    x = layers.ReLU(name="last_shuffle_relu")(x)
    x = ShuffledColors(scale=_LAST_SCALE, dtype="float32", name="colors")(
        x, colors
    )
    x = CornerBlur(dtype="float32", name="colors_blur")(x)
    own = layers.Conv2D(2, 1, dtype="float32", name="mixture_of_picture")(
        picture
    )
    ab = layers.Add(dtype="float32", name="ab")([x, own])
    return keras.Model(inputs={"L": L}, outputs={"ab": ab}, name=name)


def _check(encoder, width, queries, decoder_blocks) -> None:
    if encoder not in ENCODERS:
        raise ValueError(
            f"`encoder` must be one of {ENCODERS}. Received: "
            f"encoder={encoder!r}"
        )
    if resnet_blocks.scaled(QUERY_CHANNELS, width) % HEADS:
        raise ValueError(
            f"{QUERY_CHANNELS} times `width` must be a multiple of {HEADS}. "
            f"Received: width={width}"
        )
    if queries < 1 or decoder_blocks < len(PIXEL_FILTERS):
        raise ValueError(
            "`queries` must be 1 or above, `decoder_blocks` "
            f"{len(PIXEL_FILTERS)} or above. Received: queries={queries}, "
            f"decoder_blocks={decoder_blocks}"
        )


def _pixel_decoder(maps, width) -> list:
    """Builds the maps of S/16, S/8 and S/4, from those of the encoder."""
    *skips, x = maps
    pixels = []
    for i, filters in enumerate(PIXEL_FILTERS):
        x = _join(
            x,
            skips[-1 - i],
            resnet_blocks.scaled(filters, width),
            name=f"pixels{i}",
        )
        pixels.append(x)
    return pixels


def _join(x, skip, filters, *, name):
    """Enlarges a map and joins it with one of the encoder."""
    x = layers.Conv2D(
        4 * filters,
        1,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_shuffle",
    )(x)
    x = _batch_norm(x, name=f"{name}_shuffle_bn")
    x = layers.ReLU(name=f"{name}_shuffle_relu")(x)
    x = PixelShuffle(scale=2, name=f"{name}_enlarge")(x)
    x = CornerBlur(name=f"{name}_blur")(x)
    skip = _batch_norm(skip, name=f"{name}_skip_bn")
    x = layers.Concatenate(name=f"{name}_join")([x, skip])
    x = layers.ReLU(name=f"{name}_join_relu")(x)
    x = layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.ReLU(name=f"{name}_conv_relu")(x)
    return _batch_norm(x, name=f"{name}_conv_bn")


def _batch_norm(x, *, name):
    return layers.BatchNormalization(
        momentum=_BN_MOMENTUM, epsilon=_EPSILON, name=name
    )(x)


def _color_decoder(pixels, filters, *, width, queries, blocks):
    """Builds the queries' filters, [B, queries, filters]."""
    channels = resnet_blocks.scaled(QUERY_CHANNELS, width)
    hidden = resnet_blocks.scaled(_HIDDEN, width)
    levels = []
    for i, x in enumerate(pixels):
        x = layers.Conv2D(channels, 1, name=f"level{i}_conv")(x)
        levels.append(MapRows(name=f"level{i}_rows")(x))
    x = Queries(count=queries, name="queries")(levels[0][0])
    placed = AddRows(name="query_places")
    for i in range(blocks):
        values, keys = levels[i % len(levels)]
        name = f"decoder{i}"
        x = _attend(x, placed(x), values, keys, name=f"{name}_look")
        x = _attend(x, placed(x), x, placed(x), name=f"{name}_exchange")
        y = layers.Dense(hidden, activation="relu", name=f"{name}_expand")(x)
        y = layers.Dense(channels, name=f"{name}_project")(y)
        x = _add_and_norm(x, y, name=name)
    x = convnext.norm(x, epsilon=_EPSILON, name="decoder_norm")
    for i in range(2):
        x = layers.Dense(channels, activation="relu", name=f"filters{i}")(x)
    return layers.Dense(filters, name="filters2")(x)


def _attend(x, query, values, keys, *, name):
    """Adds to queries what they find, by attention with several heads."""
    found = layers.MultiHeadAttention(HEADS, x.shape[-1] // HEADS, name=name)(
        query, values, keys
    )
    return _add_and_norm(x, found, name=name)


def _add_and_norm(x, y, *, name):
    x = layers.Add(name=f"{name}_add")([x, y])
    return convnext.norm(x, epsilon=_EPSILON, name=f"{name}_norm")
