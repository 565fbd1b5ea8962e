"""The network and what surrounds it, by TensorFlow: any model, any prompt.

A `Colorizer` calls `predict` and `finish` with the arrays of a batch. What they
are made of is in the graph of an exported model: `box_view` and `predict_ab`
between `network_inputs.square_L` and `finish.finish_traced`.
"""

import zlib
from collections.abc import Iterator
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from tfcolor import keras_backend
from tfcolor.inference import adaptive_crops
from tfcolor.inference import checks
from tfcolor.inference import colorization_model
from tfcolor.inference import defaults
from tfcolor.inference import finish
from tfcolor.inference import network
from tfcolor.inference import network_inputs
from tfcolor.models import architecture


class TensorFlowRuntime:
    """What a `Colorizer` asks for each batch, and a server for each request.

    Args:
        model: see `Colorizer`.
        image_size: int or None; see `Colorizer`.
        style: str, float or None; see `Colorizer`.
        crop_size: int, "adaptive" or None; see `Colorizer`.
        boxes_at_once: int or None; see `Colorizer`.

    Attributes:
        image_size: int. Side of the network's square in pixels.
        upsampling: str. The model's own.
        crop_sizes: tuple of int, the sides of the squares of boxes.
        takes: Takes. What the model is given beside lightness.
        makes_graphs: bool. Whether its first picture takes long.
        box_view: `network_inputs.BoxCrops` or `BoxClasses`, what it sees of
            boxes; None for a model of whole pictures.
        predict_ab: function of a dict of tensors that has the model's inputs to
            float32 [B, S, S, 2]; see `network.network_function`.

    Raises:
        FileNotFoundError: there is no such model file.
        ValueError: `model` is not a colorization model or not known, a number
            is out of range, or Keras has another backend.
    """

    def __init__(self, model, *, image_size, style, crop_size, boxes_at_once):
        keras_backend.require_tensorflow("Coloring by TensorFlow")
        model, info = colorization_model.load(model, style=style)
        self.image_size = image_size or info.image_size
        self.upsampling = info.upsampling
        self.takes = architecture.takes(model)
        checks.check_image_size(self.image_size, self.takes)
        self.crop_sizes = (crop_size or self.image_size,)
        if crop_size == defaults.ADAPTIVE:
            self.crop_sizes = adaptive_crops.crop_sizes(self.image_size)
            if self.takes.boxes:
                groups = len(self.crop_sizes)
                model = adaptive_crops.with_groups(model, groups)
        self.box_view = None
        if self.takes.box_classes:
            self.box_view = network_inputs.BoxClasses()
        elif self.takes.boxes:
            self.box_view = network_inputs.BoxCrops(
                self.image_size, self.crop_sizes
            )
        self.predict_ab = network.network_function(
            model, boxes_at_once=boxes_at_once
        )

    makes_graphs = True
    # Three channels always: one kind of picture means one graph.
    as_picture = staticmethod(checks.as_picture)

    def predict(
        self,
        pictures: Sequence[np.ndarray],
        hints: Sequence,
        boxes: Sequence,
        classes: Sequence,
    ) -> Iterator[np.ndarray]:
        """Colors one batch.

        Args:
            pictures: B uint8 or uint16 arrays [H, W, 3].
            hints: for each None or HintPoints.
            boxes: for each None or boxes; see `Colorizer.colorize`.
            classes: for each None or an array [num_classes].

        Yields:
            float32 [image_size, image_size, 2] for each picture.
        """
        inputs = network_inputs.batch_inputs(
            pictures, hints, image_size=self.image_size
        )
        if self.box_view is not None:
            inputs |= network_inputs.batch_box_inputs(
                pictures, boxes, self.box_view
            )
        if self.takes.classes:
            inputs["classes"] = tf.constant(classes, tf.float32)
        yield from self.predict_ab(inputs)

    def finish(
        self, picture: np.ndarray, ab, saturation: float, upsampling: str
    ) -> np.ndarray:
        """Gives a picture the color of a small map; see `finish.finish`."""
        return finish.finish_traced(
            picture, ab, saturation=saturation, upsampling=upsampling
        ).numpy()

    def full_ab(self, picture: np.ndarray, ab, upsampling: str) -> np.ndarray:
        """Returns the color of every pixel; see `finish.full_ab`."""
        picture = tf.constant(picture)
        return finish.full_ab(picture, ab, upsampling=upsampling).numpy()


def weights_digest(model: keras.Model) -> int:
    """Returns a number that tells a model's weights from others."""
    digest = 0
    for weight in model.get_weights():
        # As bytes, whatever the dtype.
        data = np.ascontiguousarray(weight).reshape(-1).view(np.uint8)
        digest = zlib.crc32(data, digest)
    return digest
