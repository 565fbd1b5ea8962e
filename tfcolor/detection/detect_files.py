"""Boxes of many picture files: reading overlaps with the detector."""

import collections
import dataclasses
import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures

import numpy as np

from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.data import files
from tfcolor.detection.detector import Detector
from tfcolor.pictures import decode
from tfcolor.pictures import pillow_limit

# Decoding releases the interpreter most of the time.
_THREADS = 2
_TRY_LESS = "a smaller `batch_size`, smaller pictures"
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
        notes: tuple of str, what was left out or ignored of it, a line each.
    """

    path: str
    rgb: np.ndarray | None = None
    found: PictureBoxes | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


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
    for read in _read_ahead(paths, max_pixels):
        if read.reason is not None:
            yield read
            continue
        rgb = read.rgb
        same_size = waiting[rgb.shape]
        same_size.append(read)
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


def _read(path: str, max_pixels: int) -> Detected:
    data = pillow_limit.read_file(path, max_pixels=max_pixels)
    notes = []
    rgb = decode.decode_rgb(data, say=notes.append, max_pixels=max_pixels)
    return Detected(path, rgb, notes=tuple(notes))


def _read_ahead(paths: Iterable[str], max_pixels: int) -> Iterator[Detected]:
    """Yields what was read, without boxes yet, in order."""
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
                    yield future.result()
                else:
                    reason = files.one_line(
                        error, path=False, try_less=_TRY_LESS
                    )
                    yield Detected(done, reason=reason)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _detect(detector: Detector, batch: list) -> Iterator[Detected]:
    try:
        results = detector.detect_batch([read.rgb for read in batch])
    except Exception as error:
        if len(batch) == 1:
            reason = files.one_line(error, path=False, try_less=_TRY_LESS)
            yield Detected(batch[0].path, reason=reason)
            return
        # One by one names the picture, and needs less memory.
        for entry in batch:
            yield from _detect(detector, [entry])
        return
    for read, found in zip(batch, results, strict=True):
        yield dataclasses.replace(read, found=found)
