"""The layers of DDColor: grey pictures in, rows of queries, colors out."""

import math

import keras
import numpy as np
from keras import ops

from tfcolor.color import lab
from tfcolor.color import scaling

# Of the sine positions, as published (N. Carion et al., "End-to-End Object
# Detection with Transformers", ECCV 2020).
_TEMPERATURE = 10000.0
_POSITION_EPSILON = 1e-6
# M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 1964,
# 7.1.26: p, and a5 to a1.
_ERF_SLOPE = 0.3275911
_ERF_FACTORS = (1.061405429, -1.453152027, 1.421413741, -0.284496736)
_ERF_FACTORS += (0.254829592,)


@keras.saving.register_keras_serializable(package="tfcolor")
class ImagenetGrey(keras.layers.Layer):
    """Shows lightness as a grey sRGB picture, in the units of ImageNet.

    Call arguments:
        L: float tensor [B, H, W, 1], 0..100.

    Returns:
        float tensor [B, H, W, 3]: (value - mean) / deviation of each channel,
        where value is the encoded sRGB value, 0..1, of a grey of this L.
    """

    def call(self, L):
        """Returns the grey picture."""
        grey = lab.L_to_grey(L)
        mean, deviation = (
            ops.convert_to_tensor(values, "float32")
            for values in (scaling.IMAGENET_MEAN, scaling.IMAGENET_DEVIATION)
        )
        return (grey - mean) / deviation

    def compute_output_shape(self, input_shape):
        """Returns the shape of the picture."""
        return (*input_shape[:-1], 3)


@keras.saving.register_keras_serializable(package="tfcolor")
class Gelu(keras.layers.Layer):
    """Gaussian error linear units, exact: x (1 + erf(x / sqrt(2))) / 2.

    TensorFlow's own is made of erfc, which ONNX does not know.

    Args:
        elementary: bool. Makes erf of exponentials, within 2e-7, for runtimes
            that do not have it.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor.

    Returns:
        float tensor of the same shape.

    Reference:
        D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units", 2016.
    """

    def __init__(self, *, elementary: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.elementary = elementary

    def call(self, x):
        """Returns the activations."""
        erf = _elementary_erf if self.elementary else ops.erf
        return x * ((erf(x * math.sqrt(0.5)) + 1.0) * 0.5)

    def compute_output_shape(self, input_shape):
        """Returns the same shape."""
        return input_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"elementary": self.elementary}


def _elementary_erf(x):
    """Returns the error function by Abramowitz and Stegun, 7.1.26."""
    size = ops.abs(x)
    t = 1.0 / (1.0 + _ERF_SLOPE * size)
    polynomial = 0.0
    for factor in _ERF_FACTORS:
        polynomial = (polynomial + factor) * t
    return ops.sign(x) * (1.0 - polynomial * ops.exp(-size * size))


@keras.saving.register_keras_serializable(package="tfcolor")
class ChannelScale(keras.layers.Layer):
    """Multiplies each channel by a weight of its own.

    Args:
        initial: float, what the weights begin with.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [..., C].

    Returns:
        float tensor of the same shape.

    Reference:
        H. Touvron et al., "Going deeper with Image Transformers", ICCV 2021,
        LayerScale.
    """

    def __init__(self, *, initial: float, **kwargs):
        super().__init__(**kwargs)
        self.initial = initial

    def build(self, input_shape):
        """Makes the weights."""
        self.scale = self.add_weight(
            name="scale",
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial),
        )

    def call(self, x):
        """Returns the scaled channels."""
        return x * self.scale

    def compute_output_shape(self, input_shape):
        """Returns the same shape."""
        return input_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"initial": self.initial}


def _shuffled(x, scale: int):
    """Spreads groups of channels over squares of pixels.

    Args:
        x: tensor [B, H, W, scale * scale * C]: row, column, channel.
        scale: int.

    Returns:
        tensor [B, scale * H, scale * W, C].
    """
    batch, height, width, channels = ops.shape(x)
    row = channels // scale
    x = ops.reshape(x, (-1, width, scale, row))
    x = ops.transpose(x, (0, 2, 1, 3))
    shape = (batch, height * scale, width * scale, row // scale)
    return ops.reshape(x, shape)


@keras.saving.register_keras_serializable(package="tfcolor")
class PixelShuffle(keras.layers.Layer):
    """Spreads groups of channels over squares of pixels.

    Args:
        scale: int, the side of a square.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, scale * scale * C], where channel
            `(row * scale + column) * C + c` is channel c of a pixel.

    Returns:
        float tensor [B, scale * H, scale * W, C].

    Reference:
        W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using
        an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016. There,
        and in PyTorch, c comes before row and column.
    """

    def __init__(self, *, scale: int, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x):
        """Returns the larger map."""
        return _shuffled(x, self.scale)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the larger map."""
        batch, *size, channels = input_shape
        size = (side and side * self.scale for side in size)
        return (batch, *size, channels // self.scale**2)

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"scale": self.scale}


@keras.saving.register_keras_serializable(package="tfcolor")
class CornerBlur(keras.layers.Layer):
    """Means over squares of 2 x 2 pixels, against patterns of squares.

    A pixel becomes the mean of itself and its neighbors above, to the left and
    between these; the picture's first row and column are repeated outwards.

    Call arguments:
        x: float tensor [B, H, W, C].

    Returns:
        float tensor of the same shape.

    Reference:
        Y. Sugawara, S. Shiota, H. Kiya, "Super-Resolution using Convolutional
        Neural Networks without Any Checkerboard Artifacts", ICIP 2018.
    """

    def call(self, x):
        """Returns the blurred map."""
        above = ops.concatenate([x[:, :1], x[:, :-1]], axis=1)
        x = (x + above) * 0.5
        left = ops.concatenate([x[:, :, :1], x[:, :, :-1]], axis=2)
        return (x + left) * 0.5

    def compute_output_shape(self, input_shape):
        """Returns the same shape."""
        return input_shape


@keras.saving.register_keras_serializable(package="tfcolor")
class MapRows(keras.layers.Layer):
    """Lays out a map as rows that queries look at.

    Call arguments:
        x: float tensor [B, H, W, C], C a multiple of 4.

    Returns:
        Two float tensors [B, H * W, C]. Values: the places of the map plus a
        weight, the embedding of its level. Keys: these plus sines and cosines
        of the place's row (the first half of the channels) and column, counted
        from 1 and divided by the map's height and width.

    Reference:
        X. Kang et al., ICCV 2023, section 3.2.2; the positions are those of
        N. Carion et al., ECCV 2020.
    """

    def build(self, input_shape):
        """Makes the weight."""
        channels = input_shape[-1]
        if channels % 4:
            raise ValueError(
                "Channels must be a multiple of 4. "
                f"Received: {channels} channels"
            )
        self.level = self.add_weight(
            name="level",
            shape=(channels,),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )

    def call(self, x):
        """Returns values and keys."""
        batch, height, width, channels = ops.shape(x)
        x = x + self.level
        rows = (batch, height * width, channels)
        keys = x + ops.cast(_positions(height, width, channels), x.dtype)
        return ops.reshape(x, rows), ops.reshape(keys, rows)

    def compute_output_shape(self, input_shape):
        """Returns the shapes of values and keys."""
        batch, height, width, channels = input_shape
        count = height * width if height and width else None
        return (batch, count, channels), (batch, count, channels)


def _positions(height, width, channels: int):
    """Returns sines and cosines of places, float32 [1, H, W, C]."""
    vertical = _waves(height, channels // 2)[None, :, None]
    horizontal = _waves(width, channels // 2)[None, None]
    size = (1, height, width, channels // 2)
    return ops.concatenate(
        [ops.broadcast_to(vertical, size), ops.broadcast_to(horizontal, size)],
        axis=-1,
    )


def _waves(count, channels: int):
    """Returns sine and cosine in turns, of slower and slower waves."""
    place = ops.cast(ops.arange(1, count + 1, dtype="int32"), "float32")
    place = place / (ops.cast(count, "float32") + _POSITION_EPSILON)
    # Both of a pair have the same wave length.
    exponents = 2 * np.arange(channels // 2) / channels
    lengths = (_TEMPERATURE**exponents).astype(np.float32)
    angle = (place * (2 * math.pi))[:, None] / lengths
    pairs = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
    return ops.reshape(pairs, (count, channels))


@keras.saving.register_keras_serializable(package="tfcolor")
class Queries(keras.layers.Layer):
    """Learned rows, the same for every picture.

    Args:
        count: int, rows.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, ..., C], of which only the shape counts.

    Returns:
        float tensor [B, count, C].
    """

    def __init__(self, *, count: int, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    def build(self, input_shape):
        """Makes the weights."""
        self.rows = self.add_weight(
            name="rows",
            shape=(self.count, input_shape[-1]),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )

    def call(self, x):
        """Returns the rows."""
        shape = (ops.shape(x)[0], *self.rows.shape)
        return ops.broadcast_to(ops.cast(self.rows, self.compute_dtype), shape)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the rows."""
        return (input_shape[0], self.count, input_shape[-1])

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"count": self.count}


@keras.saving.register_keras_serializable(package="tfcolor")
class AddRows(keras.layers.Layer):
    """Adds learned rows, the same for every picture.

    Call arguments:
        x: float tensor [B, N, C].

    Returns:
        float tensor of the same shape.
    """

    def build(self, input_shape):
        """Makes the weights."""
        self.rows = self.add_weight(
            name="rows",
            shape=tuple(input_shape[1:]),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )

    def call(self, x):
        """Returns the sum."""
        return x + self.rows

    def compute_output_shape(self, input_shape):
        """Returns the same shape."""
        return input_shape


@keras.saving.register_keras_serializable(package="tfcolor")
class ShuffledColors(keras.layers.Layer):
    """Makes colors of maps that are still to be shuffled.

    `PixelShuffle` and then a product of each pixel's channels with a matrix;
    in the other order, which is the same and never makes the large maps.

    Args:
        scale: int, of the shuffle.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, scale * scale * C], see `PixelShuffle`.
        colors: float tensor [B, C, 2], the matrix of each picture.

    Returns:
        float tensor [B, scale * H, scale * W, 2].
    """

    def __init__(self, *, scale: int, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x, colors):
        """Returns the colors."""
        batch, height, width, _ = ops.shape(x)
        _, channels, count = ops.shape(colors)
        parts = self.scale**2
        rows = ops.reshape(x, (batch, height * width * parts, channels))
        ab = ops.matmul(rows, colors)
        ab = ops.reshape(ab, (batch, height, width, parts * count))
        return _shuffled(ab, self.scale)

    def compute_output_shape(self, x_shape, colors_shape):
        """Returns the shape of the colors."""
        batch, *size, _ = x_shape
        size = (side and side * self.scale for side in size)
        return (batch, *size, colors_shape[-1])

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"scale": self.scale}
