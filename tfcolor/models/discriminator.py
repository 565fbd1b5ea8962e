"""A discriminator of pictures, and a colorizer that is judged by it.

    map      S    S/2  S/4      S/8  S/16  S/16 - 3
    filters  3    64   128 *    256  512   1
    * every place also looks at every other one

4 x 4 convolutions of stride 2 make a map smaller, each after a 3 x 3 one but
the first; all have spectral norm and, but for the last, a ReLU. The result
says of each part of a picture how true it looks, in logits.

Reference:
    X. Kang et al., ICCV 2023; github.com/piddnad/DDColor,
    basicsr/archs/discriminator_arch.py: DynamicUNetDiscriminator. T. Miyato et
    al., "Spectral Normalization for Generative Adversarial Networks", ICLR
    2018. H. Zhang et al., "Self-Attention Generative Adversarial Networks",
    ICML 2019.
"""

import keras
from keras import layers
from keras import ops

from tfcolor.color import lab
from tfcolor.models import resnet_blocks

FILTERS = 64
_BLOCKS = 3
_EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="tfcolor")
class SpectralConv(keras.layers.Layer):
    """A convolution whose kernel is divided by its largest singular value.

    Training refines the estimate of that value by a round of the power method
    in each call.

    Args:
        filters: int.
        size: int, side of the kernel, pixels.
        stride: int.
        padding: int, pixels of zeros around the map.
        use_bias: bool.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float tensor [B, H, W, C].

    Returns:
        float tensor [B, (H + 2 padding - size) // stride + 1, ..., filters].
    """

    def __init__(
        self, filters, size, *, stride=1, padding=0, use_bias=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.filters, self.size, self.stride = filters, size, stride
        self.padding, self.use_bias = padding, use_bias

    def build(self, input_shape):
        """Makes the weights."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, input_shape[-1], self.filters),
            initializer="he_normal",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.filters,), initializer="zeros"
            )
        # Replicas see the same kernel: their estimates are equal.
        self.direction = self.add_weight(
            name="direction",
            shape=(1, self.filters),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            trainable=False,
            aggregation="mean",
        )

    def call(self, x, training=False):
        """Returns the convolved map."""
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        fixed = ops.stop_gradient(ops.cast(matrix, "float32"))
        left = ops.cast(self.direction, "float32")
        right = _unit(ops.matmul(left, ops.transpose(fixed)))
        if training:
            left = _unit(ops.matmul(right, fixed))
            self.direction.assign(left)
        left = _unit(left)
        norm = ops.sum(ops.matmul(right, ops.cast(matrix, "float32")) * left)
        kernel = self.kernel / ops.cast(norm, self.kernel.dtype)
        border = (self.padding, self.padding)
        x = ops.pad(x, ((0, 0), border, border, (0, 0)))
        x = ops.conv(x, ops.cast(kernel, x.dtype), self.stride)
        return x if self.bias is None else x + self.bias

    def compute_output_shape(self, input_shape):
        """Returns the shape of the map."""
        batch, *sides, _ = input_shape
        sides = (
            side and (side + 2 * self.padding - self.size) // self.stride + 1
            for side in sides
        )
        return (batch, *sides, self.filters)

    def get_config(self):
        """Returns what rebuilds the layer."""
        names = ("filters", "size", "stride", "padding", "use_bias")
        return super().get_config() | {n: getattr(self, n) for n in names}


def _unit(vector):
    return vector / (ops.norm(vector) + _EPSILON)


@keras.saving.register_keras_serializable(package="tfcolor")
class PlacesByPlaces(keras.layers.Layer):
    """Adds to a map what its places say, as one learned share of it.

    Call arguments:
        x: float tensor [B, H, W, C], the map.
        query: float tensor [B, H, W, c].
        key: float tensor [B, H, W, c].
        value: float tensor [B, H, W, C].

    Returns:
        float tensor [B, H, W, C].
    """

    def build(self, x_shape, query_shape, key_shape, value_shape):
        """Makes the weight."""
        del x_shape, query_shape, key_shape, value_shape
        self.share = self.add_weight(
            name="share", shape=(1,), initializer="zeros"
        )

    def call(self, x, query, key, value):
        """Returns the map."""
        batch, height, width, channels = ops.shape(x)
        rows = [
            ops.reshape(part, (batch, height * width, part.shape[-1]))
            for part in (query, key, value)
        ]
        scores = ops.matmul(rows[0], ops.transpose(rows[1], (0, 2, 1)))
        # As published, the softmax goes over the places that ask.
        shares = ops.softmax(scores, axis=1)
        found = ops.matmul(ops.transpose(shares, (0, 2, 1)), rows[2])
        found = ops.reshape(found, (batch, height, width, channels))
        return x + self.share * found

    def compute_output_shape(
        self, x_shape, query_shape, key_shape, value_shape
    ):
        """Returns the shape of the map."""
        del query_shape, key_shape, value_shape
        return x_shape


def discriminator(
    *, width: float = 1.0, name: str = "discriminator"
) -> keras.Model:
    """Builds the discriminator.

    Args:
        width: float above 0. Multiplies the filters.
        name: str. Name of the model.

    Returns:
        keras.Model from float32 [B, H, W, 3], encoded sRGB, 0..1, H and W 64
        or more, to float32 [B, h, w, 1], logits: above 0 looks true.

    Raises:
        ValueError: `width` is not above 0.
    """
    filters = resnet_blocks.scaled(FILTERS, width)
    rgb = keras.Input([None, None, 3], name="rgb")
    x = _conv(rgb, filters, 4, 2, name="conv0")
    for block in range(1, _BLOCKS + 1):
        x = _conv(x, filters, 3, 1, name=f"conv{block}a")
        filters *= 2
        x = _conv(x, filters, 4, 2, name=f"conv{block}b")
        if block == 1:
            x = _self_attention(x, filters)
    x = _conv(x, filters, 3, 1, name=f"conv{_BLOCKS + 1}")
    logits = SpectralConv(1, 4, use_bias=False, name="logits")(x)
    return keras.Model(rgb, logits, name=name)


def _conv(x, filters, size, stride, *, name):
    x = SpectralConv(filters, size, stride=stride, padding=1, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _self_attention(x, filters):
    parts = [
        SpectralConv(count, 1, use_bias=False, name=f"attention_{name}")(x)
        for name, count in (
            ("query", max(1, filters // 8)),
            ("key", max(1, filters // 8)),
            ("value", filters),
        )
    ]
    return PlacesByPlaces(name="attention")(x, *parts)


class Judged(keras.Model):
    """A colorizer beside a discriminator, for training both in one step.

    Args:
        colorizer: keras.Model from a dict with "L" to one with "ab".
        judge: keras.Model of `discriminator`.
        **kwargs: of `keras.Model`.

    Call arguments:
        inputs: dict with all that the colorizer takes; "rgb", float32 [B, H,
            W, 3], true pictures, encoded sRGB, 0..1; and, where the L of the
            colorizer is not theirs, "judged_L", float32 [B, H, W, 1], 0..100.

    Returns:
        dict: what the colorizer gives, and logits [B, h, w, 1]: "true_logits";
        "predicted_logits", from which the discriminator learns alone; and
        "fooling_logits", the same from which the colorizer learns alone.
    """

    def __init__(self, colorizer: keras.Model, judge: keras.Model, **kwargs):
        super().__init__(**kwargs)
        self.colorizer = colorizer
        self.judge = judge
        # Both have their variables.
        self.built = True

    def call(self, inputs, training=False):
        """Returns colors and logits."""
        taken = {name: inputs[name] for name in self.colorizer.input}
        outputs = self.colorizer(taken, training=training)
        L = inputs.get("judged_L", inputs["L"])
        rgb = lab.lab_to_rgb(ops.concatenate([L, outputs["ab"]], axis=-1))
        fooling, _ = self.judge.stateless_call(
            [ops.stop_gradient(v.value) for v in self.judge.trainable_weights],
            [v.value for v in self.judge.non_trainable_weights],
            rgb,
            training=False,
        )
        return outputs | {
            "true_logits": self.judge(inputs["rgb"], training=training),
            "predicted_logits": self.judge(
                ops.stop_gradient(rgb), training=training
            ),
            "fooling_logits": fooling,
        }
