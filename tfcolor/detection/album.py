"""Finding boxes in an album: from inputs as people name them to files.

What `tfcolor detect` does, for programs.
"""

import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from tfcolor import atomic
from tfcolor.boxes import box_naming
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import coco_classes
from tfcolor.detection import defaults
from tfcolor.detection import draw
from tfcolor.detection import output_paths
from tfcolor.detection import outputs
from tfcolor.pictures import encode
from tfcolor.pictures import pillow_limit


def detect_album(
    inputs: Sequence[str],
    output: str,
    *,
    make_detector: Callable,
    format: str = output_paths.NPZ,
    naming: str = box_naming.BY_PATH,
    drawings: bool = False,
    overwrite: bool = False,
    batch_size: int = defaults.BATCH_SIZE,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    stop: Callable[[], bool] = outcome_lib.never,
    say: Callable[[str], None] | None = None,
) -> Outcomes:
    """Finds boxes in picture files and writes them into files.

    What is wrong with inputs, outputs or detector raises an error before the
    first picture; a bad picture is an outcome with a reason, and the others go
    on. Boxes are found while the result is iterated.

    Args:
        inputs: sequence of str. Files, folders and globs.
        output: str. A folder, or a .json file where the format is "coco".
        make_detector: function without arguments to a `Detector`; not called
            if nothing is to be done.
        format: str, "npz", a file for each picture, or "coco", one for all.
        naming: str, one of `box_naming.NAMINGS`; for "npz".
        drawings: bool. Whether pictures with their boxes are wanted too.
        overwrite: bool. Whether boxes that exist are found anew.
        batch_size: int. Pictures of one size in the detector at once.
        max_pixels: int. A picture of more is not decoded, but fails.
        stop: function without arguments, asked after each picture. Once it
            returns True no other picture is begun.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        Outcomes, one for each picture: first those of earlier runs.

    Raises:
        OSError: an input finds no picture, the detector or an output there
            already cannot be read, or the output folder cannot be made.
        ValueError: two pictures would have one place, or an option is out of
            range.
    """
    if batch_size < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: {batch_size}"
        )
    pillow_limit.check_option(max_pixels)
    jobs = output_paths.plan(
        list(inputs),
        output,
        format=format,
        naming=naming,
        draw=drawings,
        say=say,
    )
    output_paths.make_folder(output, format=format)
    output_paths.remove_leftovers(jobs, output)
    sink = outputs.open_output(output, format=format, overwrite=overwrite)
    todo = [
        job
        for job in jobs
        if overwrite
        or not sink.is_done(job)
        or (job.drawing and not os.path.isfile(job.drawing))
    ]
    wanted = {job.source for job in todo}
    done = [job for job in jobs if job.source not in wanted]
    detector = make_detector() if todo else None
    running = iter(())
    if todo:
        running = detect_jobs(
            detector,
            todo,
            sink,
            batch_size=batch_size,
            max_pixels=max_pixels,
            stop=stop,
        )
    return outcome_lib.after_skipped(
        [job.source for job in done], running, len(todo)
    )


def detect_jobs(
    detector,
    todo: Sequence[output_paths.BoxJob],
    sink,
    *,
    batch_size: int,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    stop: Callable[[], bool] = outcome_lib.never,
) -> Iterator[Outcome]:
    """Finds the boxes of pictures whose places are known.

    Args:
        detector: Detector.
        todo: sequence of BoxJob.
        sink: what `outputs.open_output` returns; closed at the end.
        batch_size: int. Pictures of one size in the detector at once.
        max_pixels: int. A picture of more is not decoded, but fails.
        stop: function without arguments; see `detect_album`.

    Yields:
        Outcome of each job, in an order of its own.
    """
    # Imports TensorFlow.
    from tfcolor.detection import detect_files

    jobs = {job.source: job for job in todo}
    try:
        for detected in detect_files.detect_files(
            detector, list(jobs), batch_size=batch_size, max_pixels=max_pixels
        ):
            if detected.reason is not None:
                yield Outcome(detected.path, reason=detected.reason)
            else:
                yield _write(jobs[detected.path], detected, sink)
            if stop():
                return
    finally:
        # Interrupted as well: what is done stays done.
        sink.close()


def _write(job, detected, sink) -> Outcome:
    rgb, found = detected.rgb, detected.found
    try:
        if job.drawing:
            drawn = draw.draw_boxes(rgb, found, coco_classes.NAMES)
            data = encode.encode_picture(drawn, ".jpg")
            atomic.write_bytes(job.drawing, data)
        sink.add(job, found, height=rgb.shape[0], width=rgb.shape[1])
    except (OSError, ValueError) as error:
        # The whole sentence: it names the file that could not be written.
        return Outcome(job.source, reason=files.one_line(error))
    written = tuple(path for path in (job.boxes, job.drawing) if path)
    return Outcome(job.source, written, notes=detected.notes, boxes=len(found))
