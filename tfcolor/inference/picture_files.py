"""Colorizing picture files: reading and writing overlap with the network."""

import collections
import dataclasses
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures

import numpy as np

from tfcolor.data import decode
from tfcolor.data import encode
from tfcolor.inference import colorizer as colorizer_module
from tfcolor.inference import hint_points
from tfcolor.inference.hint_points import HintPoint

# Reading and writing release the interpreter most of the time.
_THREADS = 2
# Pictures in one batch, all sizes added up: bounds the memory.
_BATCH_PIXELS = 2**24


@dataclasses.dataclass(frozen=True)
class PictureJob:
    """A picture to colorize and the files to write.

    Attributes:
        source: str. Path of the picture.
        output: str or None. Path of the colorized picture; its extension
            chooses the format.
        compare: str or None. Path of a grey | colorized strip.
        hints: tuple of HintPoint, in pixels of the upright picture.
    """

    source: str
    output: str | None
    compare: str | None = None
    hints: tuple[HintPoint, ...] = ()


def colorize_files(
    colorizer: colorizer_module.Colorizer, jobs: Iterable[PictureJob]
) -> Iterator[tuple[PictureJob, str | None]]:
    """Colorizes picture files; a bad one does not stop the others.

    Three batches are in memory at most: one being read, one in the network
    and one being written.

    Args:
        colorizer: Colorizer.
        jobs: iterable of PictureJob.

    Yields:
        Each job, in order, with None when its files are written and the
        reason, a line of text, when it failed.
    """
    pool = futures.ThreadPoolExecutor(_THREADS)
    reading = collections.deque()
    writing = []
    try:
        for batch in _batches(jobs, colorizer.batch_size):
            reading.append([(job, pool.submit(_read, job)) for job in batch])
            if len(reading) == 2:
                colored = _colorize(colorizer, reading.popleft())
                yield from _results(writing)
                writing = _start_writing(pool, colored)
        while reading:
            colored = _colorize(colorizer, reading.popleft())
            yield from _results(writing)
            writing = _start_writing(pool, colored)
        yield from _results(writing)
    finally:
        # What is being written is finished, so that no part of it stays.
        pool.shutdown(wait=True, cancel_futures=True)


def _batches(
    jobs: Iterable[PictureJob], batch_size: int
) -> Iterator[list[PictureJob]]:
    batch, pixels = [], 0
    for job in jobs:
        size = decode.count_pixels(job.source)
        if batch and (
            len(batch) == batch_size or pixels + size > _BATCH_PIXELS
        ):
            yield batch
            batch, pixels = [], 0
        batch.append(job)
        pixels += size
    if batch:
        yield batch


def _read(job: PictureJob) -> decode.Picture:
    with open(job.source, "rb") as file:
        picture = decode.decode_picture(file.read())
    height, width = picture.pixels.shape[:2]
    hint_points.check_inside(job.hints, width=width, height=height)
    return picture


def _colorize(colorizer, batch):
    """Returns (job, picture, rgb) or (job, None, reason) for each job."""
    failed = {
        job: _reason(future.exception())
        for job, future in batch
        if future.exception()
    }
    good = [(j, future.result()) for j, future in batch if j not in failed]
    try:
        colored = colorizer.colorize_batch(
            [picture.pixels for _, picture in good],
            hints=[job.hints for job, _ in good],
        )
    except Exception as error:
        # Pictures and hints are checked: memory has run out, most likely.
        return [(job, None, _reason(error)) for job, _ in batch]
    done = {
        job: (job, picture, rgb)
        for (job, picture), rgb in zip(good, colored, strict=True)
    }
    return [
        done[job] if job in done else (job, None, failed[job])
        for job, _ in batch
    ]


def _start_writing(pool, colored):
    return [
        (
            job,
            result
            if picture is None
            else pool.submit(_write, job, picture, result),
        )
        for job, picture, result in colored
    ]


def _results(writing) -> Iterator[tuple[PictureJob, str | None]]:
    for job, result in writing:
        if isinstance(result, futures.Future):
            error = result.exception()
            yield job, None if error is None else _reason(error)
        else:
            yield job, result


def _write(job: PictureJob, picture: decode.Picture, rgb: np.ndarray) -> None:
    if job.output is not None:
        _write_picture(
            job.output, rgb, picture, alpha=picture.alpha, exif=picture.exif
        )
    if job.compare is not None:
        grey = colorizer_module.grey(picture.pixels)
        strip = np.concatenate([grey, rgb], axis=1)
        _write_picture(job.compare, strip, picture)


def _write_picture(path, rgb, picture, *, alpha=None, exif=None) -> None:
    data = encode.encode_picture(
        rgb,
        path[path.rindex(".") :],
        alpha=alpha,
        exif=exif,
        icc_profile=picture.icc_profile,
    )
    encode.write_atomically(path, data)


def _reason(error: BaseException) -> str:
    """Returns an error's message as one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__
