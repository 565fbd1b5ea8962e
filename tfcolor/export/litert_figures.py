"""Size, time and loss of LiteRT files beside the Keras network."""

import statistics
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfcolor.data import sample_pictures
from tfcolor.inference import finish
from tfcolor.inference import network
from tfcolor.inference import prepare
from tfcolor.inference.litert_network import LiteRTNetwork
from tfcolor.metrics import psnr
from tfcolor.models import siggraph_blocks
from tfcolor.pictures import decode

TABLE_HEAD = (
    "| file | size, MB | load, s | one picture, s | PSNR to Keras, dB, mean "
    "(lowest) |",
    "|---|---|---|---|---|",
)
KERAS = "Keras, float32"


class Figures(NamedTuple):
    """What one way of running a network costs.

    Attributes:
        name: str.
        size: int, bytes of the weights or the file.
        load_seconds: float, up to the end of the first picture.
        seconds: float, median of a picture after the first.
        psnr_mean: float, dB, of colorized pictures to Keras's; 100 is equal.
        psnr_lowest: float, dB.
    """

    name: str
    size: int
    load_seconds: float
    seconds: float
    psnr_mean: float
    psnr_lowest: float

    def row(self) -> str:
        """Returns a row for `TABLE_HEAD`."""
        loss = f"{self.psnr_mean:.1f} ({self.psnr_lowest:.1f})"
        if self.name == KERAS:
            loss = "-"
        return (
            f"| {self.name} | {self.size / 1e6:.2f} | {self.load_seconds:.2f} "
            f"| {self.seconds:.3f} | {loss} |"
        )


def measure(
    model: keras.Model,
    files: dict[str, bytes],
    *,
    image_size: int,
    upsampling: str = "bilinear",
) -> Iterator[Figures]:
    """Colorizes the sample pictures by Keras and by LiteRT files.

    Args:
        model: keras.Model of `colorization_model.load`.
        files: dict of bytes by name, of `litert.convert`.
        image_size: int. Side in pixels of the network's square.
        upsampling: str; see `finish.UPSAMPLINGS`.

    Yields:
        Figures, of Keras first.
    """
    pictures = [_read(path) for path in sample_pictures.paths()]
    squares = [
        prepare.network_L(picture, image_size)[None].numpy()
        for picture in pictures
    ]

    def load_keras():
        function = network.network_function(model)
        return lambda L: function(siggraph_blocks.without_hints(tf.constant(L)))

    found, *times = _run(load_keras, squares)
    right = [
        _color(p, ab, upsampling) for p, ab in zip(pictures, found, strict=True)
    ]
    size = sum(w.numpy().nbytes for w in model.weights)
    yield Figures(KERAS, size, *times, 100.0, 100.0)
    for name, content in files.items():
        found, *times = _run(
            lambda content=content: LiteRTNetwork(content).predict_ab,
            squares,
        )
        losses = [
            float(psnr(true, _color(picture, ab, upsampling)))
            for true, picture, ab in zip(right, pictures, found, strict=True)
        ]
        yield Figures(
            name, len(content), *times, statistics.mean(losses), min(losses)
        )


def _run(load: Callable, squares: list[np.ndarray]):
    """Returns the ab of all pictures, and the times of `Figures`."""
    started = time.perf_counter()
    predict = load()
    found, seconds = [np.asarray(predict(squares[0]))[0]], []
    load_seconds = time.perf_counter() - started
    for L in squares[1:]:
        started = time.perf_counter()
        found.append(np.asarray(predict(L))[0])
        seconds.append(time.perf_counter() - started)
    return found, load_seconds, statistics.median(seconds)


def _read(path: str) -> tf.Tensor:
    with open(path, "rb") as file:
        return tf.constant(decode.decode_rgb(file.read()))


def _color(picture: tf.Tensor, ab: np.ndarray, upsampling: str) -> tf.Tensor:
    rgb = finish.finish_traced(picture, ab, upsampling=upsampling)
    return tf.cast(rgb, tf.float32) / 255
