"""Colorizing picture files: reading and writing overlap with the network."""

import collections
import dataclasses
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures

import numpy as np

from tfcolor.data import decode
from tfcolor.data import encode
from tfcolor.data import files
from tfcolor.data import pillow_limit
from tfcolor.detection import coco_classes
from tfcolor.detection import draw
from tfcolor.inference import box_finder
from tfcolor.inference import colorizer as colorizer_module
from tfcolor.inference import loaded_picture
from tfcolor.inference.hint_points import HintPoint
from tfcolor.inference.loaded_picture import Loaded

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
        boxed: str or None. Path of the colorized picture with its boxes.
        hints: tuple of HintPoint, in pixels of the upright picture.
    """

    source: str
    output: str | None
    compare: str | None = None
    boxed: str | None = None
    hints: tuple[HintPoint, ...] = ()


# In the place of a reason: the picture was left out as it should be.
_SKIPPED = object()


def colorize_files(
    colorizer: colorizer_module.Colorizer,
    jobs: Iterable[PictureJob],
    *,
    find_boxes: box_finder.Finder | None = None,
    say: Callable[[PictureJob, str], None] | None = None,
    skip: Callable[[PictureJob], None] | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
) -> Iterator[tuple[PictureJob, str | None]]:
    """Colorizes picture files; a bad one does not stop the others.

    Three batches are in memory at most: one being read, one in the network
    and one being written.

    Args:
        colorizer: Colorizer.
        jobs: iterable of PictureJob.
        find_boxes: box_finder.Finder or None. Where things are, for a model
            that colors them by themselves; pictures have no boxes when None.
        say: function of a job and a line of text, or None. Called with what
            was left out or ignored of a picture that is done.
        skip: function of a job, or None. Colour pictures are left out if
            there is one, and it is called with each.
        max_pixels: int. A picture of more is not decoded, but fails.

    Yields:
        Each job, in order, with None when its files are written or it was
        skipped, and the reason, a line of text, when it failed.
    """

    def read(job):
        return loaded_picture.load(
            job.source,
            hints=job.hints,
            find_boxes=find_boxes,
            skip_color=skip is not None,
            max_pixels=max_pixels,
        )

    pool = futures.ThreadPoolExecutor(_THREADS)
    reading = collections.deque()
    writing = []
    try:
        for batch in _batches(jobs, colorizer.batch_size):
            reading.append([(job, pool.submit(read, job)) for job in batch])
            if len(reading) == 2:
                colored = _colorize(colorizer, reading.popleft())
                yield from _results(writing, say, skip)
                writing = _start_writing(pool, colored)
        while reading:
            colored = _colorize(colorizer, reading.popleft())
            yield from _results(writing, say, skip)
            writing = _start_writing(pool, colored)
        yield from _results(writing, say, skip)
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
    """Returns (job, loaded, rgb) or (job, None, reason) for each job."""
    failed = {
        job: _SKIPPED
        if isinstance(future.exception(), loaded_picture.IsColor)
        else files.reason(future.exception())
        for job, future in batch
        if future.exception()
    }
    good = [(j, future.result()) for j, future in batch if j not in failed]
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
        return [(job, None, files.reason(error)) for job, _ in batch]
    done = {
        job: (job, loaded, loaded.whole(rgb))
        for (job, loaded), rgb in zip(good, colored, strict=True)
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
            if loaded is None
            else pool.submit(_write, job, loaded, result),
            loaded.notes if loaded else (),
        )
        for job, loaded, result in colored
    ]


def _results(writing, say, skip) -> Iterator[tuple[PictureJob, str | None]]:
    for job, result, notes in writing:
        if result is _SKIPPED:
            skip(job)
            yield job, None
            continue
        reason = result
        if isinstance(result, futures.Future):
            error = result.exception()
            reason = None if error is None else files.reason(error)
            notes = (*notes, *(() if error else result.result()))
        if reason is None and say is not None:
            for note in notes:
                say(job, note)
        yield job, reason


def _write(job: PictureJob, loaded: Loaded, rgb: np.ndarray) -> list[str]:
    """Writes the files of a job; returns what the formats do not hold."""
    picture, notes = loaded.picture, []
    # Colours that were converted are finer than their file.
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
            _extension(job.output), exif=picture.exif, side=picture.side
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
    return notes


def _extension(path: str) -> str:
    return path[path.rindex(".") :]


def _write_picture(path, rgb, picture, **metadata) -> None:
    data = encode.encode_picture(
        rgb,
        _extension(path),
        icc_profile=picture.icc_profile,
        **metadata,
    )
    encode.write_atomically(path, data)
