"""Requests to an exported colorization model, with Python's answers.

Pictures are a sample picture at odd sizes and in the kinds that people send.
Answers are those of `inference.Colorizer` after `data.decode`, written as PNG
by TensorFlow: equal bytes are equal pixels.
"""

import io

import keras
import numpy as np
import tensorflow as tf
from PIL import ExifTags
from PIL import Image

from tfcolor.data import decode
from tfcolor.data import sample_pictures
from tfcolor.export import defaults
from tfcolor.export.colorizer_signatures import ColorizerOptions
from tfcolor.export.served import Case
from tfcolor.export.warm_up import Request
from tfcolor.inference import colorization_model
from tfcolor.inference import network
from tfcolor.inference.colorizer import Colorizer
from tfcolor.models import siggraph_blocks

# Width and height, none a multiple of 8 in both directions.
_SIZES = ((1, 1), (200, 7), (7, 200), (33, 21), (250, 188))
# The camera was turned clockwise.
_TURNED = 6
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
    photo = _photo(_WARM_UP_SIZE)
    boxes = {}
    if colorization_model.takes_boxes(model):
        boxes = {"boxes": np.float32([[[4, 4, 40, 30]]])}
    side = options.image_size
    return [
        _encoded([_encode(photo, "JPEG")], boxes),
        Request("colorize_rgb", {"rgb": np.asarray(photo)[None]} | boxes),
        Request("predict_ab", {"L": np.full([1, side, side, 1], 50.0, "f")}),
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
        crop_size=options.crop_size,
    )
    pictures = _pictures()
    made = [
        _encoded_case(name, colorizer, [data])
        for name, data in pictures.items()
    ]
    made.append(
        _encoded_case(
            "all in one request",
            colorizer,
            list(pictures.values())[: colorizer.batch_size],
        )
    )
    made.append(_rgb_case(colorizer))
    made.append(_ab_case(model, options.image_size))
    return made + _failing_cases(colorizer)


def _photo(size) -> Image.Image:
    with Image.open(sample_pictures.paths()[0]) as picture:
        return picture.convert("RGB").resize(size)


def _encode(picture: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def _pictures() -> dict[str, bytes]:
    """Returns encoded pictures by name."""
    pictures = {
        f"JPEG {size[0]} x {size[1]}": _encode(_photo(size), "JPEG")
        for size in _SIZES
    }
    photo = _photo(_SIZES[-1])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = _TURNED
    deep = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    return pictures | {
        "turned JPEG": _encode(photo, "JPEG", exif=exif.tobytes()),
        "grey JPEG": _encode(photo.convert("L"), "JPEG"),
        "PNG": _encode(photo, "PNG"),
        "palette PNG": _encode(photo.quantize(32), "PNG"),
        "16-bit PNG": _encode(Image.fromarray(deep), "PNG"),
        "WebP": _encode(photo, "WEBP"),
    }


def _encoded(data: list[bytes], more: dict) -> Request:
    pictures = np.array(data, object)
    return Request(
        defaults.DEFAULT_SIGNATURE, {"picture_bytes": pictures} | more
    )


def _boxes(colorizer, pictures) -> dict[str, np.ndarray]:
    """Returns boxes for each picture: a part, one that sticks out, none."""
    if not colorizer.takes_boxes:
        return {}
    rows = []
    for picture in pictures:
        height, width = picture.shape[:2]
        rows.append(
            [
                [0, 0, height * 0.6, width * 0.5],
                [height * 0.3, width * 0.4, height + 9, width + 5],
                [0, 0, 0, 0],
            ]
        )
    return {"boxes": np.float32(rows)}


def _colorized(colorizer, pictures, boxes) -> list[np.ndarray]:
    found = list(boxes["boxes"]) if boxes else None
    return colorizer.colorize_batch(pictures, boxes=found)


def _encoded_case(name, colorizer, data: list[bytes]) -> Case:
    pictures = [decode.decode_picture(encoded).pixels for encoded in data]
    boxes = _boxes(colorizer, pictures)
    colored = _colorized(colorizer, pictures, boxes)
    pngs = [tf.io.encode_png(rgb).numpy() for rgb in colored]
    expected = {"png_bytes": np.array(pngs, object)}
    return Case(name, _encoded(data, boxes), expected)


def _rgb_case(colorizer) -> Case:
    pictures = [np.asarray(_photo(_SIZES[-1]))] * 2
    boxes = _boxes(colorizer, pictures)
    colored = np.stack(_colorized(colorizer, pictures, boxes))
    request = Request("colorize_rgb", {"rgb": np.stack(pictures)} | boxes)
    return Case("pixels", request, {"rgb": colored})


def _ab_case(model, image_size) -> Case:
    width = image_size + siggraph_blocks.SIZE_MULTIPLE
    L = np.linspace(0, 100, image_size * width, dtype=np.float32)
    L = L.reshape(1, image_size, width, 1)
    inputs = network.without_hints(tf.constant(L))
    if colorization_model.takes_boxes(model):
        inputs |= network.without_boxes(1, image_size)
    ab = network.network_function(model)(inputs).numpy()
    return Case("lightness", Request("predict_ab", {"L": L}), {"ab": ab})


def _failing_cases(colorizer) -> list[Case]:
    """Returns requests that must fail, and say why."""
    good = _encode(_photo((40, 30)), "PNG")
    boxes = _boxes(colorizer, [np.zeros((30, 40, 3), np.uint8)] * 2)
    named = "Picture 1 of the request"
    return [
        Case(name, _encoded([good, bad], boxes), named)
        for name, bad in (
            ("text instead of a picture", b"not a picture"),
            ("no bytes", b""),
            ("half a PNG", good[: len(good) // 2]),
            ("half a JPEG", _encode(_photo((250, 188)), "JPEG")[:2000]),
        )
    ]
