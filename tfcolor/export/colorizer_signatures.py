"""The signatures of an exported colorization model.

`serving_default`  picture_bytes, string [B] -> png_bytes, string [B]
`colorize_rgb`     rgb, uint8 [B, H, W, 3] -> rgb of the same shape
`predict_ab`       L, float32 [B, H, W, 1] -> ab, float32 [B, H, W, 2]

Some models have more inputs. `boxes`, float32 [B, N, 4], come with the first
two for a model that colors boxes by themselves; rows without area, such as
zeros, are no boxes. One that uses the classes of boxes takes `box_classes` too,
int32 [B, N]. A class-conditional one takes `classes`, float32 [B, K], with all
three. In between lies what `tfcolor.Colorizer` does, by the same
`TensorFlowRuntime`: `prepare`, the network, `finish`.
"""

import dataclasses

import tensorflow as tf

from tfcolor.export import decode_graph
from tfcolor.export import defaults
from tfcolor.export import request_checks
from tfcolor.export.served import Signature
from tfcolor.inference import defaults as inference_defaults
from tfcolor.inference import finish
from tfcolor.inference import network
from tfcolor.inference import network_inputs
from tfcolor.inference.tensorflow_runtime import TensorFlowRuntime
from tfcolor.models import siggraph_blocks

_BOXES = tf.TensorSpec([None, None, 4], name="boxes")
_BOX_CLASSES = tf.TensorSpec([None, None], tf.int32, "box_classes")


@dataclasses.dataclass(frozen=True)
class ColorizerOptions:
    """How an exported model colorizes; as of `tfcolor.Colorizer`.

    Attributes:
        image_size: int. Side in pixels of the network's square.
        saturation: float, 0 or above.
        upsampling: str; see `finish.UPSAMPLINGS`.
        crop_size: int or None. Side of the squares of boxes; None for
            `image_size`.
        boxes_at_once: int or None.
        max_pixels: int. Of the pictures of a request together.
    """

    image_size: int
    saturation: float = inference_defaults.SATURATION
    upsampling: str = "bilinear"
    crop_size: int | None = None
    boxes_at_once: int | None = inference_defaults.BOXES_AT_ONCE
    max_pixels: int = defaults.MAX_PIXELS


def colorizer_signatures(
    runtime: TensorFlowRuntime, options: ColorizerOptions
) -> list[Signature]:
    """Makes the signatures of a colorization model.

    Args:
        runtime: TensorFlowRuntime of the model, with these options.
        options: ColorizerOptions, of which those of pictures count.

    Returns:
        list of Signature.
    """
    boxes, classes = _box_specs(runtime.takes), _class_specs(runtime.takes)
    extra = (*boxes, *classes)
    graph = _Graph(runtime, options, [spec.name for spec in extra])
    pictures = tf.TensorSpec([None], tf.string, "picture_bytes")
    pngs = tf.TensorSpec([None], tf.string, "png_bytes")
    rgb = tf.TensorSpec([None, None, None, 3], tf.uint8, "rgb")
    L = tf.TensorSpec([None, None, None, 1], name="L")
    ab = tf.TensorSpec([None, None, None, 2], name="ab")
    return [
        Signature(
            defaults.DEFAULT_SIGNATURE,
            graph.colorize_encoded,
            (pictures, *extra),
            (pngs,),
        ),
        Signature("colorize_rgb", graph.colorize_rgb, (rgb, *extra), (rgb,)),
        Signature("predict_ab", graph.predict_ab, (L, *classes), (ab,)),
    ]


def _box_specs(takes) -> tuple[tf.TensorSpec, ...]:
    if takes.box_classes:
        return _BOXES, _BOX_CLASSES
    return (_BOXES,) if takes.boxes else ()


def _class_specs(takes) -> tuple[tf.TensorSpec, ...]:
    if not takes.classes:
        return ()
    return (tf.TensorSpec([None, takes.classes], name="classes"),)


class _Graph:
    """The functions of the signatures, over one model."""

    def __init__(self, runtime, options, extra_names):
        self._runtime, self._options = runtime, options
        # Inputs beside the pictures, in the order of the signatures.
        self._extra_names = extra_names

    def colorize_encoded(self, picture_bytes, *extra):
        """Encoded pictures to encoded PNGs, each of its own size."""
        pictures = decode_graph.Pictures(
            picture_bytes, max_pixels=self._options.max_pixels
        )

        def encode(picture, ab):
            rgb = picture.apply(
                lambda pixels: tf.io.encode_png(self._finish(pixels, ab))
            )
            return tf.ensure_shape(rgb, [])

        encoded = self._colorize(
            pictures,
            pictures.count,
            extra,
            finish_one=encode,
            output=tf.TensorSpec([], tf.string),
        )
        return {"png_bytes": encoded}

    def colorize_rgb(self, rgb, *extra):
        """Pictures of one size to colorized ones."""
        rgb = decode_graph.check_rgb(rgb, self._options.max_pixels)
        colored = self._colorize(
            decode_graph.Pixels(rgb),
            tf.shape(rgb)[0],
            extra,
            finish_one=lambda picture, ab: self._finish(picture.pixels, ab),
            output=tf.TensorSpec([None, None, 3], tf.uint8),
        )
        return {"rgb": colored}

    def predict_ab(self, L, classes=None):
        """Lightness to color, at the size that comes; no boxes, no hints."""
        takes = self._runtime.takes
        step, smallest = takes.size_multiple, takes.smallest_side
        L = decode_graph.check_count(L)
        sides = tf.shape(L)[1:3]
        check = tf.debugging.Assert(
            tf.reduce_all((sides % step == 0) & (sides >= smallest)),
            [
                f"`L` must have sides that are multiples of {step}, and at "
                f"least {smallest}. Received:",
                tf.shape(L),
            ],
        )
        pixels = tf.reduce_prod(tf.shape(L, tf.int64))
        small = decode_graph.check_pixels(pixels, self._options.max_pixels)
        with tf.control_dependencies([check, small]):
            L = tf.identity(L)
        count = tf.shape(L)[0]
        inputs = siggraph_blocks.without_hints(L)
        inputs |= network.without_boxes(count, self._runtime.crop_sizes[0])
        if classes is not None:
            inputs["classes"] = request_checks.check_classes(classes, count)
        return {"ab": self._runtime.predict_ab(inputs)}

    def _colorize(self, pictures, count, extra, *, finish_one, output):
        """Runs all pictures through the network at once."""
        side = network_inputs.unknown_side(self._runtime.image_size)
        indices = tf.range(count)
        L = tf.map_fn(
            lambda index: pictures[index].apply(
                lambda pixels: network_inputs.square_L(pixels, side)
            ),
            indices,
            fn_output_signature=tf.TensorSpec([None, None, 1]),
        )
        extra = dict(zip(self._extra_names, extra, strict=True))
        inputs = siggraph_blocks.without_hints(L)
        inputs |= self._extra_inputs(pictures, count, extra)
        ab = self._runtime.predict_ab(inputs)
        return tf.map_fn(
            lambda index: finish_one(pictures[index], ab[index]),
            indices,
            fn_output_signature=output,
            parallel_iterations=1,
        )

    def _finish(self, pixels, ab):
        return finish.finish_traced(
            pixels,
            ab,
            saturation=self._options.saturation,
            upsampling=self._options.upsampling,
        )

    def _extra_inputs(self, pictures, count, extra):
        """Makes the network's inputs of all that came with the pictures."""
        if "classes" in extra:
            classes = request_checks.check_classes(extra["classes"], count)
            return {"classes": classes}
        if not extra:
            return {}
        rows = [request_checks.check_boxes(extra["boxes"], count)]
        if "box_classes" in extra:
            classes = request_checks.check_box_classes(
                extra["box_classes"], extra["boxes"]
            )
            rows.append(classes)
        return tf.map_fn(
            lambda index: pictures[index].apply(
                lambda pixels: self._runtime.box_view.inputs(
                    pixels, *(row[index] for row in rows)
                )
            ),
            tf.range(count),
            fn_output_signature=self._runtime.box_view.specs(),
        )
