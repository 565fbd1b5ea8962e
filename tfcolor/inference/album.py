"""Colorizing an album: from inputs as people name them to files.

What `tfcolor colorize` does, for programs: a page, a film or a notebook. By a
server it is `serving.album`, on many machines `cluster.album`.
"""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import defaults as detection_defaults
from tfcolor.inference import checks
from tfcolor.inference import defaults
from tfcolor.inference import hint_points
from tfcolor.inference import output_paths
from tfcolor.inference.output_paths import PictureJob
from tfcolor.pictures import pillow_limit


@dataclasses.dataclass(frozen=True)
class Album:
    """Pictures, and what is wanted of each.

    Attributes:
        done: tuple of PictureJob that earlier runs have done.
        todo: tuple of PictureJob that are to be done.
    """

    done: tuple[PictureJob, ...]
    todo: tuple[PictureJob, ...]

    def outcomes(self, running: Iterator[Outcome]) -> Outcomes:
        """Puts what is there already before what is being done.

        Args:
            running: generator of the Outcome of each of `todo`.

        Returns:
            Outcomes of all pictures.
        """
        return outcome_lib.after_skipped(
            [job.source for job in self.done], running, len(self.todo)
        )


def plan_album(
    inputs: Sequence[str],
    output: str,
    *,
    compare: bool = False,
    show_boxes: bool = False,
    hints: str | None = None,
    overwrite: bool = False,
    films: bool = False,
    say: Callable[[str], None] | None = None,
) -> Album:
    """Finds the pictures, gives each its place and makes the output folder.

    Args:
        inputs: sequence of str. Files, folders and globs.
        output: str. A file, or a folder; see `output_paths.plan`.
        compare: bool. Whether strips, grey | colorized, are wanted too.
        show_boxes: bool. Whether pictures with their boxes are wanted too.
        hints: str or None. Path of a JSON file; see `hint_points`.
        overwrite: bool. Whether results that exist are made anew.
        films: bool. Whether films are colored too.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        Album.

    Raises:
        OSError: an input finds no picture, the hints cannot be read, or the
            output folder cannot be made or written to.
        ValueError: `output` is not what the pictures need, or the hints are
            not right.
    """
    jobs = output_paths.plan(
        list(inputs),
        output,
        compare=compare,
        show_boxes=show_boxes,
        films=films,
        say=say,
    )
    if hints is not None:
        points = hint_points.read_hints(hints, [job.name for job in jobs])
        jobs = [
            dataclasses.replace(job, hints=tuple(points.get(job.name, ())))
            for job in jobs
        ]
        _check_frames(jobs)
    wanted = jobs if overwrite else [job.without_existing() for job in jobs]
    output_paths.make_folder(output, jobs)
    for job, left in zip(jobs, wanted, strict=True):
        if not left.targets() and files.is_film(job.source):
            output_paths.remove_film_folder(job.output)
    return Album(
        done=tuple(job for job in wanted if not job.targets()),
        todo=tuple(job for job in wanted if job.targets()),
    )


def _check_frames(jobs) -> None:
    for job in jobs:
        late = [hint.frame for hint in job.hints if hint.frame]
        if late and not files.is_film(job.source):
            raise ValueError(
                'Only points of a film may have a "frame". '
                f"Received: {job.name!r} with frame={late[0]}"
            )


def colorize_album(
    inputs: Sequence[str],
    output: str,
    *,
    make_colorizer: Callable,
    boxes: str | None = None,
    max_boxes: int = detection_defaults.MAX_BOXES,
    skip_color: bool = False,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    films: bool = True,
    smoothing: float = defaults.SMOOTHING,
    crf: int = defaults.CRF,
    stop: Callable[[], bool] = outcome_lib.never,
    on_frame: Callable[[str, int, int], None] | None = None,
    **wanted,
) -> Outcomes:
    """Colorizes picture files, and films, into files.

    What is wrong with inputs, outputs, model or boxes raises an error before
    the first picture; a bad picture is an outcome with a reason, and the
    others go on. Pictures are colorized while the result is iterated.

    Args:
        inputs: sequence of str. Files, folders and globs.
        output: str. A file, or a folder; see `output_paths.plan`.
        make_colorizer: function without arguments to a `Colorizer`; not called
            if nothing is to be done.
        boxes: str or None. Where things are: a folder of .npz files, a COCO
            JSON or a detector's SavedModel; see `box_finder.open_finder`.
        max_boxes: int. The boxes of highest score that a picture keeps.
        skip_color: bool. Leaves out pictures that are in color already.
        max_pixels: int. A picture of more is not decoded, but fails.
        films: bool. Colors films too; else they count as no pictures.
        smoothing: float in 0..1. How long a film's colors are kept along
            motion; see `film.colorize.FilmOptions`.
        crf: int in 0..51. Quality of films; smaller is better.
        stop: function without arguments, asked before each batch of pictures
            and at each frame. Once it returns True no other is begun; a film
            goes on where it was at the next call.
        on_frame: function of a film's path, its frames done and in all (0 if
            nobody knows), or None.
        **wanted: see `plan_album`.

    Returns:
        Outcomes, one for each picture: first those of earlier runs.

    Raises:
        OSError: see `plan_album`; the model or the boxes cannot be read.
        ValueError: see `plan_album`; the model takes no boxes, or they are
            not right.

    Example:
        >>> for outcome in colorize_album(
        ...     ["album"], "colored/", make_colorizer=Colorizer
        ... ):
        ...     print(outcome.source, outcome.reason or outcome.written)
    """
    checks.check_show_boxes(wanted.get("show_boxes"), boxes)
    pillow_limit.check_option(max_pixels)
    album = plan_album(inputs, output, films=films, **wanted)
    if not album.todo:
        return album.outcomes(iter(()))
    # Not before the inputs are known to be right: it imports TensorFlow.
    from tfcolor.inference import picture_files

    _check_backend(album)
    colorizer = make_colorizer()
    film_jobs = [job for job in album.todo if files.is_film(job.source)]
    pictures = picture_files.colorize_files(
        colorizer,
        [job for job in album.todo if not files.is_film(job.source)],
        find_boxes=_open_finder(colorizer, boxes, max_boxes, album.todo),
        skip_color=skip_color,
        max_pixels=max_pixels,
        stop=stop,
    )
    if not film_jobs:
        return album.outcomes(pictures)
    from tfcolor.inference.film import colorize

    options = colorize.FilmOptions(smoothing, crf)
    colored = colorize.colorize_films(
        colorizer,
        film_jobs,
        options=options,
        skip_color=skip_color,
        stop=stop,
        on_frame=on_frame,
    )
    return album.outcomes(_one_after_the_other(pictures, colored))


def _open_finder(colorizer, boxes, max_boxes, jobs):
    """Returns what finds the boxes of pictures, or None for whole pictures."""
    if boxes is None:
        return None
    from tfcolor.inference import box_finder

    return box_finder.open_for(
        colorizer,
        boxes,
        max_boxes=max_boxes,
        pictures=[job.source for job in jobs],
    )


def _check_backend(album: Album) -> None:
    """Says at once why each picture with hints would fail."""
    if any(job.hints for job in album.todo):
        from tfcolor import keras_backend

        keras_backend.require_tensorflow("Coloring with hints")


def _one_after_the_other(*runs: Iterator[Outcome]) -> Iterator[Outcome]:
    # Unlike itertools.chain it can be closed, and closes them.
    for run in runs:
        yield from run
