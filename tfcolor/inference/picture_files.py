"""Colorizing picture files: reading and writing overlap with the network."""

import collections
import itertools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures

import numpy as np

from tfcolor import atomic
from tfcolor.boxes.picture_boxes import Finder
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.detection import coco_classes
from tfcolor.detection import draw
from tfcolor.inference import colorizer as colorizer_module
from tfcolor.inference import loaded_picture
from tfcolor.inference.loaded_picture import Loaded
from tfcolor.inference.output_paths import PictureJob
from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures import pillow_limit

# Reading and writing release the interpreter most of the time.
_THREADS = 2
# Comes after all batches, so that the one before it is colored.
_LAST = ()
# Pictures in one batch, all sizes added up: bounds the memory.
_BATCH_PIXELS = 2**24
# What takes less memory here.
_TRY_LESS = "a smaller `batch_size`, `boxes_at_once` or `image_size`"


def colorize_files(
    colorizer: colorizer_module.Colorizer,
    jobs: Iterable[PictureJob],
    *,
    find_boxes: Finder | None = None,
    skip_color: bool = False,
    stop: Callable[[], bool] = outcome_lib.never,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> Iterator[Outcome]:
    """Colorizes picture files; a bad one does not stop the others.

    Three batches are in memory at most: one being read, one in the network
    and one being written.

    Args:
        colorizer: Colorizer.
        jobs: iterable of PictureJob.
        find_boxes: Finder or None. Where things are, for a model
            that colors them by themselves; pictures have no boxes when None.
        skip_color: bool. Leaves out pictures that are in color already.
        stop: function without arguments, asked before each batch. Once it
            returns True no other picture is begun.
        max_pixels: int. A picture of more is not decoded, but fails.

    Yields:
        Outcome of each job, in order.
    """

    def read(job):
        return loaded_picture.load(
            job.source,
            hints=job.hints,
            find_boxes=find_boxes,
            skip_color=skip_color,
            max_pixels=max_pixels,
        )

    pool = futures.ThreadPoolExecutor(_THREADS)
    reading = collections.deque()
    writing = []
    try:
        for batch in itertools.chain(
            _batches(jobs, colorizer.batch_size), [_LAST]
        ):
            if stop():
                break
            reading.append([(job, pool.submit(read, job)) for job in batch])
            if len(reading) == 2:
                colored = _colorize(colorizer, reading.popleft())
                yield from _outcomes(writing)
                writing = _start_writing(pool, colored)
        yield from _outcomes(writing)
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


def _colorize(colorizer, batch):
    """Returns (job, loaded, rgb) or (job, None, Outcome) for each job."""
    failed = {
        job: _failed(job, future.exception())
        for job, future in batch
        if future.exception()
    }
    good = [(j, future.result()) for j, future in batch if j not in failed]
    if not good:
        return [(job, None, failed[job]) for job, _ in batch]
    boxes = [loaded.boxes for _, loaded in good]
    if not colorizer.takes_box_classes:
        boxes = [found.boxes if found else None for found in boxes]
    try:
        colored = colorizer.colorize_batch(
            [loaded.pixels for _, loaded in good],
            hints=[loaded.points for _, loaded in good],
            boxes=boxes,
            seen=[loaded.seen for _, loaded in good],
        )
    except Exception as error:
        # Pictures and hints are checked: memory has run out, most likely.
        return [(job, None, _failed(job, error)) for job, _ in batch]
    done = {
        job: (job, loaded, loaded.whole(rgb))
        for (job, loaded), rgb in zip(good, colored, strict=True)
    }
    return [
        done[job] if job in done else (job, None, failed[job])
        for job, _ in batch
    ]


def _failed(job: PictureJob, error: BaseException) -> Outcome:
    if isinstance(error, loaded_picture.IsColor):
        return Outcome(job.source, skipped=outcome_lib.IN_COLOR)
    return Outcome(
        job.source, reason=files.one_line(error, path=False, try_less=_TRY_LESS)
    )


def _start_writing(pool, colored):
    return [
        (job, result)
        if loaded is None
        else (job, pool.submit(_write, job, loaded, result))
        for job, loaded, result in colored
    ]


def _outcomes(writing) -> Iterator[Outcome]:
    for job, result in writing:
        if isinstance(result, Outcome):
            yield result
        elif error := result.exception():
            yield _failed(job, error)
        else:
            yield result.result()


def _write(job: PictureJob, loaded: Loaded, rgb: np.ndarray) -> Outcome:
    """Writes the files of a job."""
    picture, notes = loaded.picture, [*loaded.notes]
    # Colors that were converted are finer than their file.
    rgb = decode.to_8_bit(rgb) if picture.bits == 8 else rgb
    if job.output is not None:
        _write_picture(
            job.output,
            rgb,
            picture,
            alpha=picture.alpha,
            exif=picture.exif,
            side=picture.side,
        )
        notes += encode.left_out(
            _extension(job.output),
            exif=picture.exif,
            side=picture.side,
            alpha=picture.alpha,
            bits=picture.bits,
        )
    if job.compare is not None:
        grey = colorizer_module.grey(picture.pixels)
        grey = decode.to_8_bit(grey) if picture.bits == 8 else grey
        strip = np.concatenate([grey, rgb], axis=1)
        _write_picture(job.compare, strip, picture)
    if job.boxed is not None:
        drawn = draw.draw_boxes(
            decode.to_8_bit(rgb), loaded.found, coco_classes.NAMES
        )
        _write_picture(job.boxed, drawn, picture)
    return Outcome(job.source, tuple(job.targets()), notes=tuple(notes))


def _extension(path: str) -> str:
    return path[path.rindex(".") :]


def _write_picture(path, rgb, picture, **metadata) -> None:
    data = encode.encode_picture(
        rgb,
        _extension(path),
        icc_profile=picture.icc_profile,
        **metadata,
    )
    atomic.write_bytes(path, data)
