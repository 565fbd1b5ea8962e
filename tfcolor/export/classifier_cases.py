"""Requests to an exported classifier, with Python's answers.

Answers are what `tfcolor.Classifier` computes after `pictures.decode`.
"""

import keras
import numpy as np
import tensorflow as tf

from tfcolor.export import checked_pictures
from tfcolor.export import defaults
from tfcolor.export.served import Case
from tfcolor.export.warm_up import Request
from tfcolor.inference import class_network
from tfcolor.inference import prepare
from tfcolor.pictures import decode
from tfcolor.weights.model_file import ModelInfo

_WARM_UP_SIZE = (64, 48)
_SEVERAL = 4


def warm_up_requests() -> list[Request]:
    """Makes one request for each signature."""
    photo = checked_pictures.photo(_WARM_UP_SIZE)
    return [
        _encoded([checked_pictures.encode(photo, "JPEG")]),
        Request("classify_rgb", {"rgb": np.asarray(photo)[None]}),
    ]


def cases(model: keras.Model, info: ModelInfo) -> list[Case]:
    """Makes requests and answers.

    Args:
        model: keras.Model of `task_transfer` or `alexnet`.
        info: its ModelInfo.

    Returns:
        list of Case.
    """
    probabilities = class_network.probabilities_function(model, info)

    def expected(pictures):
        squares = [
            prepare.traced(
                prepare.network_rgb,
                np.broadcast_to(rgb, (*rgb.shape[:2], 3)),
                info.image_size,
            )
            for rgb in pictures
        ]
        rows = probabilities(tf.stack(squares)).numpy()
        order = np.argsort(-rows, axis=1, kind="stable")
        return {
            "classes": np.array(
                [[info.class_names[i].encode() for i in row] for row in order],
                object,
            ),
            "scores": np.take_along_axis(rows, order, axis=1),
        }

    def encoded_case(name, data):
        pictures = [decode.decode_picture(encoded).pixels for encoded in data]
        return Case(name, _encoded(data), expected(pictures))

    found = checked_pictures.pictures()
    made = [encoded_case(name, [data]) for name, data in found.items()]
    made.append(
        encoded_case("several at once", list(found.values())[:_SEVERAL])
    )
    rgb = np.stack([checked_pictures.photo(checked_pictures.SIZES[-1])] * 2)
    request = Request("classify_rgb", {"rgb": rgb})
    made.append(Case("pixels", request, expected(list(rgb))))
    return made + _failing_cases()


def _encoded(data: list[bytes]) -> Request:
    return Request(
        defaults.DEFAULT_SIGNATURE, {"picture_bytes": np.array(data, object)}
    )


def _failing_cases() -> list[Case]:
    """Returns requests that must fail, and say why."""
    good = checked_pictures.encode(checked_pictures.photo((40, 30)), "PNG")
    return [
        Case(name, _encoded([good, bad]), checked_pictures.SECOND_IS_BAD)
        for name, bad in checked_pictures.broken().items()
    ]
