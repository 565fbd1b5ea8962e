"""The signatures of an exported colorization model.

`serving_default`  picture_bytes, string [B] -> png_bytes, string [B]
`colorize_rgb`     rgb, uint8 [B, H, W, 3] -> rgb of the same shape
`predict_ab`       L, float32 [B, H, W, 1] -> ab, float32 [B, H, W, 2]

A model that colors boxes by themselves takes `boxes` too, float32 [B, N, 4],
in the first two; rows without area, such as zeros, are no boxes. In between
lies what `inference.Colorizer` does: `prepare`, the network, `finish`.
"""

import dataclasses

import keras
import tensorflow as tf

from tfcolor.export import box_inputs
from tfcolor.export import decode_graph
from tfcolor.export import defaults
from tfcolor.export.signature import Signature
from tfcolor.inference import colorization_model
from tfcolor.inference import defaults as inference_defaults
from tfcolor.inference import finish
from tfcolor.inference import network
from tfcolor.inference import prepare
from tfcolor.models import siggraph_blocks

_BOXES = tf.TensorSpec([None, None, 4], name="boxes")


@dataclasses.dataclass(frozen=True)
class ColorizerOptions:
    """How an exported model colorizes; as of `inference.Colorizer`.

    Attributes:
        image_size: int. Side in pixels of the network's square.
        saturation: float, 0 or above.
        crop_size: int or None. Side of the squares of boxes; None for
            `image_size`.
        max_pixels: int. Of the pictures of a request together.
    """

    image_size: int
    saturation: float = inference_defaults.SATURATION
    crop_size: int | None = None
    max_pixels: int = defaults.MAX_PIXELS


def colorizer_signatures(
    model: keras.Model, options: ColorizerOptions
) -> list[Signature]:
    """Makes the signatures of a colorization model.

    Args:
        model: keras.Model of `colorization_model.load`.
        options: ColorizerOptions.

    Returns:
        list of Signature.
    """
    graph = _Graph(model, options)
    boxes = (_BOXES,) if graph.takes_boxes else ()
    pictures = tf.TensorSpec([None], tf.string, "picture_bytes")
    pngs = tf.TensorSpec([None], tf.string, "png_bytes")
    rgb = tf.TensorSpec([None, None, None, 3], tf.uint8, "rgb")
    L = tf.TensorSpec([None, None, None, 1], name="L")
    ab = tf.TensorSpec([None, None, None, 2], name="ab")
    return [
        Signature(
            defaults.DEFAULT_SIGNATURE,
            graph.colorize_encoded,
            (pictures, *boxes),
            (pngs,),
        ),
        Signature("colorize_rgb", graph.colorize_rgb, (rgb, *boxes), (rgb,)),
        Signature("predict_ab", graph.predict_ab, (L,), (ab,)),
    ]


class _Graph:
    """The functions of the signatures, over one model."""

    def __init__(self, model, options):
        self._network = network.network_function(model)
        self.options = options
        self.takes_boxes = colorization_model.takes_boxes(model)
        self.crop_size = options.crop_size or options.image_size

    def colorize_encoded(self, picture_bytes, boxes=None):
        """Encoded pictures to encoded PNGs, each of its own size."""
        pictures = decode_graph.Pictures(
            picture_bytes, max_pixels=self.options.max_pixels
        )

        def encode(picture, ab):
            rgb = picture.apply(
                lambda pixels: tf.io.encode_png(self._finish(pixels, ab))
            )
            return tf.ensure_shape(rgb, [])

        encoded = self._colorize(
            pictures,
            pictures.count,
            boxes,
            finish_one=encode,
            output=tf.TensorSpec([], tf.string),
        )
        return {"png_bytes": encoded}

    def colorize_rgb(self, rgb, boxes=None):
        """Pictures of one size to colorized ones."""
        rgb = decode_graph.check_count(rgb)
        pixels = tf.reduce_prod(tf.shape(rgb, tf.int64)[:3])
        checks = [
            decode_graph.check_pixels(pixels, self.options.max_pixels),
            tf.debugging.Assert(
                pixels > 0, ["`rgb` must have pixels. Received:", tf.shape(rgb)]
            ),
        ]
        with tf.control_dependencies(checks):
            rgb = tf.identity(rgb)
        colored = self._colorize(
            _Pixels(rgb),
            tf.shape(rgb)[0],
            boxes,
            finish_one=lambda picture, ab: self._finish(picture.pixels, ab),
            output=tf.TensorSpec([None, None, 3], tf.uint8),
        )
        return {"rgb": colored}

    def predict_ab(self, L):
        """Lightness to colour, at the size that comes; no boxes, no hints."""
        step = siggraph_blocks.SIZE_MULTIPLE
        L = decode_graph.check_count(L)
        height, width = tf.unstack(tf.shape(L)[1:3])
        fits = (height % step == 0) & (width % step == 0)
        check = tf.debugging.Assert(
            fits & (height > 0) & (width > 0),
            [
                f"`L` must have sides that are multiples of {step}. Received:",
                tf.shape(L),
            ],
        )
        pixels = tf.reduce_prod(tf.shape(L, tf.int64))
        small = decode_graph.check_pixels(pixels, self.options.max_pixels)
        with tf.control_dependencies([check, small]):
            L = tf.identity(L)
        inputs = network.without_hints(L)
        if self.takes_boxes:
            inputs |= network.without_boxes(tf.shape(L)[0], self.crop_size)
        return {"ab": self._network(inputs)}

    def _colorize(self, pictures, count, boxes, *, finish_one, output):
        """Runs all pictures through the network at once."""
        size = self.options.image_size
        indices = tf.range(count)

        def square_L(pixels):
            L = prepare.network_L_function(pixels.dtype.name)(pixels, size)
            return tf.ensure_shape(L, [size, size, 1])

        L = tf.map_fn(
            lambda index: pictures[index].apply(square_L),
            indices,
            fn_output_signature=tf.TensorSpec([size, size, 1]),
        )
        inputs = network.without_hints(L)
        if boxes is not None:
            inputs |= self._box_inputs(pictures, count, boxes)
        ab = self._network(inputs)
        return tf.map_fn(
            lambda index: finish_one(pictures[index], ab[index]),
            indices,
            fn_output_signature=output,
            parallel_iterations=1,
        )

    def _finish(self, pixels, ab):
        function = finish.finish_function(pixels.dtype.name)
        return function(pixels, ab, self.options.saturation)

    def _box_inputs(self, pictures, count, boxes):
        boxes = box_inputs.check_boxes(boxes, count)

        def one(index):
            return pictures[index].apply(
                lambda pixels: box_inputs.box_inputs(
                    pixels, boxes[index], crop_size=self.crop_size
                )
            )

        return tf.map_fn(
            one,
            tf.range(count),
            fn_output_signature=box_inputs.specs(self.crop_size),
        )


class _Pixels:
    """Pictures that came as pixels, with the interface of `Pictures`."""

    def __init__(self, pixels):
        self.pixels = pixels

    def __getitem__(self, index):
        return _Pixels(self.pixels[index])

    def apply(self, function):
        # As `Picture.apply`; the pixels are all of 8 bits.
        return function(self.pixels)
