"""Requests to an exported colorization model, with Python's answers.

Answers are those of `tfcolor.Colorizer` after `pictures.decode`, as PNG
by TensorFlow: equal bytes are equal pixels.
"""

import keras
import numpy as np
import tensorflow as tf

from tfcolor.boxes import picture_boxes
from tfcolor.export import checked_pictures
from tfcolor.export import defaults
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.served import Case
from tfcolor.export.warm_up import Request
from tfcolor.inference import network
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models import architecture
from tfcolor.models import siggraph_blocks
from tfcolor.pictures import decode

_WARM_UP_SIZE = (64, 48)


def warm_up_requests(
    model: keras.Model, options: ColorizerOptions
) -> list[Request]:
    """Makes one request for each signature.

    Args:
        model: keras.Model of `colorization_model.load`.
        options: ColorizerOptions.

    Returns:
        list of Request.
    """
    photo = checked_pictures.photo(_WARM_UP_SIZE)
    rgb = np.asarray(photo)
    extra = _extra_inputs(model, [rgb])
    L = np.full([1, options.image_size, options.image_size, 1], 50, "f")
    return [
        _encoded([checked_pictures.encode(photo, "JPEG")], extra),
        Request("colorize_rgb", {"rgb": rgb[None]} | extra),
        Request("predict_ab", {"L": L} | _of_all_signatures(extra)),
    ]


def cases(model: keras.Model, options: ColorizerOptions) -> list[Case]:
    """Makes requests and answers.

    Args:
        model: keras.Model of `colorization_model.load`.
        options: ColorizerOptions.

    Returns:
        list of Case.
    """
    colorizer = Colorizer(
        model,
        image_size=options.image_size,
        saturation=options.saturation,
        upsampling=options.upsampling,
        crop_size=options.crop_size,
        boxes_at_once=options.boxes_at_once,
    )
    pictures = checked_pictures.pictures()
    made = [
        _encoded_case(name, model, colorizer, [data])
        for name, data in pictures.items()
    ]
    several = list(pictures.values())[: colorizer.batch_size]
    made.append(_encoded_case("several at once", model, colorizer, several))
    made.append(_rgb_case(model, colorizer))
    made.append(_ab_case(model, options.image_size))
    return made + _failing_cases(model)


def _encoded(data: list[bytes], extra: dict) -> Request:
    pictures = np.array(data, object)
    return Request(
        defaults.DEFAULT_SIGNATURE, {"picture_bytes": pictures} | extra
    )


def _extra_inputs(model, pictures) -> dict[str, np.ndarray]:
    """Returns a request's inputs beside its pictures."""
    extra = {}
    takes = architecture.takes(model)
    if count := takes.classes:
        sure = np.eye(count, dtype=np.float32)[np.arange(len(pictures)) % count]
        extra["classes"] = 0.75 * sure + 0.25 / count
    if takes.boxed:
        extra["boxes"] = np.float32([_boxes(*p.shape[:2]) for p in pictures])
    if takes.box_classes:
        ids = [*architecture.of(model).options["box_class_ids"], 0, 0][:2]
        extra["box_classes"] = np.int32([[*ids, 0]] * len(pictures))
    return extra


def _boxes(height, width) -> list:
    """Returns boxes of a picture: a part, one that sticks out, none."""
    return [
        [0, 0, height * 0.6, width * 0.5],
        [height * 0.3, width * 0.4, height + 9, width + 5],
        [0, 0, 0, 0],
    ]


def _of_all_signatures(extra) -> dict[str, np.ndarray]:
    return {name: extra[name] for name in extra if name == "classes"}


def _colorized(colorizer, pictures, extra) -> list[np.ndarray]:
    boxes = extra.get("boxes")
    if "box_classes" in extra:
        boxes = [
            picture_boxes.make(found, classes=classes)
            for found, classes in zip(boxes, extra["box_classes"], strict=True)
        ]
    return colorizer.colorize_batch(
        pictures, boxes=boxes, classes=extra.get("classes")
    )


def _encoded_case(name, model, colorizer, data: list[bytes]) -> Case:
    pictures = [decode.decode_picture(encoded).pixels for encoded in data]
    extra = _extra_inputs(model, pictures)
    colored = _colorized(colorizer, pictures, extra)
    pngs = [tf.io.encode_png(rgb).numpy() for rgb in colored]
    expected = {"png_bytes": np.array(pngs, object)}
    return Case(name, _encoded(data, extra), expected)


def _rgb_case(model, colorizer) -> Case:
    pictures = [
        np.asarray(checked_pictures.photo(checked_pictures.SIZES[-1]))
    ] * 2
    extra = _extra_inputs(model, pictures)
    colored = np.stack(_colorized(colorizer, pictures, extra))
    request = Request("colorize_rgb", {"rgb": np.stack(pictures)} | extra)
    return Case("pixels", request, {"rgb": colored})


def _ab_case(model, image_size) -> Case:
    width = image_size + architecture.takes(model).size_multiple
    L = np.linspace(0, 100, image_size * width, dtype=np.float32)
    L = L.reshape(1, image_size, width, 1)
    classes = _of_all_signatures(_extra_inputs(model, [L[0]]))
    inputs = network.without_boxes(1, image_size) | classes
    inputs |= siggraph_blocks.without_hints(tf.constant(L))
    ab = network.network_function(model)(inputs).numpy()
    request = Request("predict_ab", {"L": L} | classes)
    return Case("lightness", request, {"ab": ab})


def _failing_cases(model) -> list[Case]:
    """Returns requests that must fail, and say why."""
    extra = _extra_inputs(model, [np.zeros((30, 40, 3), np.uint8)] * 2)
    good = checked_pictures.encode(checked_pictures.photo((40, 30)), "PNG")
    return [
        Case(name, _encoded([good, bad], extra), checked_pictures.SECOND_IS_BAD)
        for name, bad in checked_pictures.broken().items()
    ]
