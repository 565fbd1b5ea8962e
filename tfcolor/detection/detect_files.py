"""Boxes of many picture files: reading overlaps with the detector."""

import collections
import dataclasses
import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures

import numpy as np

from tfcolor.data import decode
from tfcolor.data import pillow_limit
from tfcolor.data.outcome import one_line
from tfcolor.data.picture_boxes import PictureBoxes
from tfcolor.detection.detector import Detector

# Decoding releases the interpreter most of the time.
_THREADS = 2
_TRY_LESS = "a smaller --batch_size, smaller pictures"
# Pictures that wait for others of their size, all added up: bounds the memory.
_WAITING_PIXELS = 2**26


@dataclasses.dataclass(frozen=True)
class Detected:
    """What came of one picture file.

    Attributes:
        path: str.
        rgb: uint8 array [H, W, 3], the upright picture; None if it failed.
        found: PictureBoxes, or None if it failed.
        reason: str, why it failed, in one line; None if it did not.
    """

    path: str
    rgb: np.ndarray | None = None
    found: PictureBoxes | None = None
    reason: str | None = None


def detect_files(
    detector: Detector,
    paths: Iterable[str],
    *,
    batch_size: int,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> Iterator[Detected]:
    """Finds boxes in picture files; a bad one does not stop the others.

    Pictures of one size go through the detector together.

    Args:
        detector: Detector.
        paths: iterable of str.
        batch_size: int, for detectors that take any number of pictures;
            others get as many as they take.
        max_pixels: int. A picture of more is not decoded, but fails.

    Yields:
        Detected, once for each path, in an order of its own.
    """
    batch_size = detector.convention.batch_size or batch_size
    waiting = collections.defaultdict(list)
    for path, rgb, reason in _read_ahead(paths, max_pixels):
        if reason is not None:
            yield Detected(path, reason=reason)
            continue
        same_size = waiting[rgb.shape]
        same_size.append((path, rgb))
        if len(same_size) == batch_size:
            yield from _detect(detector, waiting.pop(rgb.shape))
        elif _pixels(waiting) > _WAITING_PIXELS:
            most = max(waiting, key=lambda shape: len(waiting[shape]))
            yield from _detect(detector, waiting.pop(most))
    for batch in waiting.values():
        yield from _detect(detector, batch)


def _pixels(waiting: dict) -> int:
    return sum(
        height * width * len(batch)
        for (height, width, _), batch in waiting.items()
    )


def _read(path: str, max_pixels: int) -> np.ndarray:
    data = pillow_limit.read_file(path, max_pixels=max_pixels)
    return decode.decode_rgb(data, max_pixels=max_pixels)


def _read_ahead(paths: Iterable[str], max_pixels: int) -> Iterator[tuple]:
    """Yields (path, rgb, None) or (path, None, reason), in order."""
    pool = futures.ThreadPoolExecutor(_THREADS)
    paths = iter(paths)
    reading = collections.deque()
    try:
        for path in itertools.chain(paths, itertools.repeat(None)):
            if path is not None:
                reading.append((path, pool.submit(_read, path, max_pixels)))
            if not reading:
                return
            if path is None or len(reading) > _THREADS:
                done, future = reading.popleft()
                error = future.exception()
                if error is None:
                    yield done, future.result(), None
                else:
                    yield done, None, one_line(error, try_less=_TRY_LESS)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _detect(detector: Detector, batch: list) -> Iterator[Detected]:
    try:
        results = detector.detect_batch([rgb for _, rgb in batch])
    except Exception as error:
        if len(batch) == 1:
            yield Detected(
                batch[0][0], reason=one_line(error, try_less=_TRY_LESS)
            )
            return
        # One by one names the picture, and needs less memory.
        for entry in batch:
            yield from _detect(detector, [entry])
        return
    for (path, rgb), found in zip(batch, results, strict=True):
        yield Detected(path, rgb, found)
