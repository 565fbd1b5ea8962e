"""The layers of colorizers on a pretrained encoder, on any Keras backend."""

import keras
from keras import ops

from tfcolor.color import scaling
from tfcolor.color import srgb
from tfcolor.layers.enlarge import enlarged

# CIE 15:2004: above this L, the cube root; below it, a line.
_L_THRESHOLD = 8.0
_LINE_SLOPE = 903.3
# Share of hinted pixels from which on a place counts as hinted.
_FEW_HINTS = 1e-3
_EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="tfcolor")
class GreyFromL(keras.layers.Layer):
    """Shows lightness as a grey picture, in the units of EfficientNet-Lite.

    Call arguments:
        L: float tensor [B, H, W, 1], 0..100.

    Returns:
        float tensor [B, H, W, 1]: (byte - 127) / 128, where byte is the
        encoded sRGB value, 0..255, of a grey of this L.
    """

    def call(self, L):
        """Returns the grey picture."""
        root = (ops.maximum(L, _L_THRESHOLD) + 16.0) / 116.0
        Y = ops.where(L > _L_THRESHOLD, root * root * root, L / _LINE_SLOPE)
        byte = srgb.linear_to_srgb(Y) * 255.0
        return (byte - scaling.BYTE_CENTER) / scaling.BYTE_SCALE

    def compute_output_shape(self, input_shape):
        """Returns the shape of L."""
        return input_shape


@keras.saving.register_keras_serializable(package="tfcolor")
class PooledHints(keras.layers.Layer):
    """Brings color hints to the size of a smaller map.

    Args:
        size: int. Height and width are divided by this.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        hints: float tensor [B, H, W, 2], CIELAB, 0 where there is none.
        hinted: float tensor [B, H, W, 1], 0 or 1.

    Returns:
        float tensor [B, H / size, W / size, 3]: mean hinted color in network
        units, times a confidence; and that confidence, from 0 without hints
        towards 1 with many.
    """

    def __init__(self, *, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, hints, hinted):
        """Returns the pooled hints."""
        joined = ops.concatenate([hints / scaling.AB_SCALE, hinted], axis=-1)
        pooled = ops.average_pool(joined, self.size, self.size)
        color, share = pooled[..., :2], pooled[..., 2:]
        confidence = share / (share + _FEW_HINTS)
        return ops.concatenate(
            [color / (share + _EPSILON) * confidence, confidence], axis=-1
        )

    def compute_output_shape(self, hints_shape, hinted_shape):
        """Returns the shape of the pooled hints."""
        del hinted_shape
        batch, *sides, _ = hints_shape
        return (batch, *(side and side // self.size for side in sides), 3)

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"size": self.size}


@keras.saving.register_keras_serializable(package="tfcolor")
class GlobalAttention(keras.layers.Layer):
    """Lets every place of a map look at every other one.

    Multi-head self-attention over all places, without positions, added to the
    map: colors agree across a surface, and hints reach their whole object.

    Args:
        heads: int. Divides the channels.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, C].

    Returns:
        float tensor [B, H, W, C].

    Reference:
        A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section
        3.2.
    """

    def __init__(self, *, heads: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape):
        """Makes the weights."""
        channels = input_shape[-1]
        if channels % self.heads:
            raise ValueError(
                "Channels must be a multiple of `heads`. Received: "
                f"{channels} channels, heads={self.heads}"
            )
        self.norm = keras.layers.LayerNormalization(
            name="norm", dtype=self.dtype_policy
        )
        self.norm.build(input_shape)
        self.qkv = self.add_weight(
            name="qkv_kernel",
            shape=(channels, 3 * channels),
            initializer="glorot_uniform",
        )
        self.out = self.add_weight(
            name="out_kernel",
            shape=(channels, channels),
            # Small: the layer begins by changing little.
            initializer=keras.initializers.RandomNormal(0.0, 0.02),
        )

    def call(self, x):
        """Returns the map, with what was found added."""
        batch, height, width, channels = ops.shape(x)
        depth = channels // self.heads
        split = ops.reshape(
            ops.matmul(self.norm(x), self.qkv),
            (batch, height * width, 3, self.heads, depth),
        )
        query, key, value = (
            ops.transpose(split[:, :, i], (0, 2, 1, 3)) for i in range(3)
        )
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        found = ops.matmul(ops.softmax(scores * depth**-0.5), value)
        found = ops.reshape(
            ops.transpose(found, (0, 2, 1, 3)), (batch, height, width, channels)
        )
        return x + ops.matmul(found, self.out)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the map."""
        return input_shape

    def get_config(self):
        """Returns what rebuilds the layer."""
        return super().get_config() | {"heads": self.heads}


@keras.saving.register_keras_serializable(package="tfcolor")
class HintCorrection(keras.layers.Layer):
    """Moves predicted colors towards hints, on places that look alike.

    What hints say and what was predicted there differ; the difference spreads
    to places that are near and of similar lightness, by a normalized blur on a
    bilateral grid, and fades with distance.

    Args:
        window: int, odd, above 0. Side of the blur in cells of 8 pixels; it is
            repeated three times. A good side is a quarter of the picture's: 7
            cells at 224 pixels, 9 at 288.
        **kwargs: Options of the layer.

    Call arguments:
        ab: float tensor [B, H, W, 2], CIELAB; H and W multiples of 8.
        L: float tensor [B, H, W, 1], 0..100.
        hints: float tensor [B, H, W, 2], CIELAB, 0 where there is none.
        hinted: float tensor [B, H, W, 1], 0 or 1.

    Returns:
        float tensor [B, H, W, 2], CIELAB; `ab` itself where nothing is hinted.

    Reference:
        J. Chen, S. Paris, F. Durand, "Real-time Edge-Aware Image Processing
        with the Bilateral Grid", SIGGRAPH 2007.
    """

    # Pixels of a grid cell, levels of L, how often the blur is repeated, and
    # the blurred share of hinted pixels that counts as much as no hint at all.
    cell, levels, repeats, doubt = 8, 9, 3, 2e-4

    def __init__(self, window: int = 7, **kwargs):
        super().__init__(**kwargs)
        if window < 1 or window % 2 == 0:
            raise ValueError(
                f"`window` must be odd and above 0. Received: window={window}"
            )
        self.window = window

    def call(self, ab, L, hints, hinted):
        """Returns the corrected colors."""
        places = ops.arange(self.levels, dtype="float32")
        level = L / 100.0 * (self.levels - 1)
        # How much of a pixel belongs to each level of L.
        shares = ops.maximum(0.0, 1.0 - ops.abs(level - places))
        difference = (hints - ab) * hinted
        parts = [
            self._spread(shares * value)
            for value in (difference[..., :1], difference[..., 1:], hinted)
        ]
        weight = parts[2] + self.doubt
        found = [
            ops.sum(
                shares * enlarged(part / weight, self.cell, method="bilinear"),
                axis=-1,
                keepdims=True,
            )
            for part in parts[:2]
        ]
        return ab + ops.concatenate(found, axis=-1)

    def _spread(self, x):
        """Blurs values of [B, H, W, levels] over cells and levels."""
        x = ops.average_pool(x, self.cell, self.cell)
        for _ in range(self.repeats):
            x = ops.average_pool(x, self.window, 1, padding="same")
        left = ops.concatenate([x[..., :1], x[..., :-1]], axis=-1)
        right = ops.concatenate([x[..., 1:], x[..., -1:]], axis=-1)
        return (left + 2 * x + right) / 4

    def compute_output_shape(
        self, ab_shape, L_shape, hints_shape, hinted_shape
    ):
        """Returns the shape of the colors."""
        del L_shape, hints_shape, hinted_shape
        return ab_shape

    def get_config(self):
        """Returns the layer's options."""
        return super().get_config() | {"window": self.window}
