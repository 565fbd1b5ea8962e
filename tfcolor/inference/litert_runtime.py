"""The shipped network and what surrounds it, by LiteRT, without TensorFlow.

It is there in a second less, and its pictures are the same within one level.
"""

import functools
import os
import queue
import threading
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures

import numpy as np

from tfcolor.inference import array_finish
from tfcolor.inference import checks
from tfcolor.inference import litert_network
from tfcolor.models.takes import Takes
from tfcolor.weights import litert_template
from tfcolor.weights import shipped_files


class LiteRTRuntime:
    """What a `Colorizer` asks for each batch.

    Args:
        model: str or None, for which `why_not` returns None.
        style: str, float or None; see `Colorizer`.

    Attributes:
        image_size: int. Side of the network's square in pixels.
        upsampling: str. The model's own.
        crop_sizes: tuple of int; see `TensorFlowRuntime`.
        takes: Takes. What the model is given beside lightness: nothing.
        makes_graphs: bool. Whether its first picture takes long.

    Raises:
        ValueError: the model has no such style.
    """

    takes = Takes()
    makes_graphs = False
    as_picture = staticmethod(checks.check_picture)

    def __init__(self, model: str | None, *, style):
        name, style = shipped_files.split_style(_name(model), style)
        found = shipped_files.description(name, style)
        self.image_size = found["info"]["image_size"]
        self.upsampling = found["info"]["upsampling"]
        self.crop_sizes = (self.image_size,)
        self._style = litert_template.style_values(found["options"])
        self._content = litert_template.fill(name)
        self._lock = threading.Lock()
        # Networks of one thread each, those that are free.
        self._single = queue.SimpleQueue()

    def predict(
        self, pictures: Sequence[np.ndarray], hints, boxes, classes
    ) -> Iterator[np.ndarray]:
        """Colors one batch.

        Args:
            pictures: B uint8 or uint16 arrays [H, W, 1 or 3].
            hints: for each None, as `boxes` and `classes`.
            boxes: see `hints`.
            classes: see `hints`.

        Yields:
            float32 [image_size, image_size, 2] for each picture.
        """
        del hints, boxes, classes
        # Threads that share a picture wait for each other: one a picture is
        # quicker, if there are pictures for all.
        if 1 < litert_network.processors() <= len(pictures):
            with self._lock:
                pool = self._pool
            yield from pool.map(self._predict_in_pool, pictures)
            return
        with self._lock:
            network = self._network
        for picture in pictures:
            yield self._predict_one(picture, network)

    @functools.cached_property
    def _network(self) -> litert_network.LiteRTNetwork:
        return litert_network.LiteRTNetwork(self._content)

    @functools.cached_property
    def _pool(self) -> futures.Executor:
        threads = litert_network.processors()
        for _ in range(threads):
            network = litert_network.LiteRTNetwork(self._content, threads=1)
            self._single.put(network)
        return futures.ThreadPoolExecutor(threads)

    def _predict_in_pool(self, picture: np.ndarray) -> np.ndarray:
        network = self._single.get()
        try:
            return self._predict_one(picture, network)
        finally:
            self._single.put(network)

    def _predict_one(self, picture, network) -> np.ndarray:
        side = self.image_size
        L = array_finish.small_L(picture, side, side)
        L = np.ascontiguousarray(L[None, ..., None])
        return network.predict_ab(L, style=self._style)[0]

    def finish(
        self, picture: np.ndarray, ab, saturation: float, upsampling: str
    ) -> np.ndarray:
        """Gives a picture the color of a small map; see `finish.finish`."""
        return array_finish.finish(
            picture, ab, saturation=saturation, upsampling=upsampling
        )

    def full_ab(self, picture: np.ndarray, ab, upsampling: str) -> np.ndarray:
        """Returns the color of every pixel; see `finish.full_ab`."""
        return array_finish.full_ab(picture, ab, upsampling=upsampling)


def why_not(
    model,
    *,
    image_size: int | None = None,
    crop_size: int | str | None = None,
) -> str | None:
    """Says why a colorizer needs TensorFlow.

    Args:
        model: see `Colorizer`.
        image_size: int or None; see `Colorizer`.
        crop_size: int, "adaptive" or None; see `Colorizer`.

    Returns:
        str, what it is that LiteRT does not do, or None where it can do all.
    """
    known = litert_template.names()
    given = isinstance(model, str | os.PathLike | None)
    name = _name(model).partition(":")[0] if given else None
    if name not in known:
        return f"a model other than {known}"
    size = shipped_files.description(name)["info"]["image_size"]
    if image_size not in (None, size):
        return f"`image_size` other than {size}"
    if crop_size is not None:
        return "`crop_size`"
    if not litert_network.has_own_package():
        return "the package ai-edge-litert, which is not installed"
    return None


def _name(model) -> str:
    return shipped_files.DEFAULT if model is None else os.fspath(model)
