"""Where the boxes of each picture go, decided before any work is done."""

import dataclasses
import os
from collections.abc import Callable

from tfcolor import atomic
from tfcolor.boxes import box_naming
from tfcolor.data import files
from tfcolor.detection import defaults

NPZ, COCO, FORMATS = defaults.NPZ, defaults.COCO, defaults.FORMATS
JSON_NAME = "boxes.json"
DRAWING_ENDING = ".boxes.jpg"


@dataclasses.dataclass(frozen=True)
class BoxJob:
    """A picture and the files that are wanted of it.

    Attributes:
        source: str. Path of the picture.
        name: str. Its path below the folder searched.
        boxes: str or None. Path of the .npz file; None for one JSON of all.
        drawing: str or None. Path of the picture with its boxes, if wanted.
    """

    source: str
    name: str
    boxes: str | None
    drawing: str | None


def json_path(output: str) -> str:
    """Returns the path of the one JSON file: `output`, or a file in it."""
    if output.lower().endswith(".json"):
        return output
    return os.path.join(output, JSON_NAME)


def make_folder(output: str, *, format: str = NPZ) -> None:
    """Makes the output folder; an error now spares a long wait.

    Args:
        output: str. See `plan`.
        format: str. See `plan`.

    Raises:
        OSError: it cannot be made or written to.
    """
    folder = _folder(output, format)
    files.make_output_folder(folder)


def plan(
    inputs: list[str],
    output: str,
    *,
    format: str = NPZ,
    naming: str = box_naming.BY_PATH,
    draw: bool = False,
    say: Callable[[str], None] | None = None,
) -> list[BoxJob]:
    """Finds the pictures and gives each its place.

    The folder may be the one that is searched: drawings are no input.

    Args:
        inputs: list of str. Files, folders and globs.
        output: str. A folder, or a .json file where the format is COCO.
        format: str, one of `FORMATS`.
        naming: str, one of `box_naming.NAMINGS`; for .npz files.
        draw: bool. Whether pictures with their boxes are wanted.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        list of BoxJob, sorted by source.

    Raises:
        FileNotFoundError: an input finds no picture.
        ValueError: two pictures would have one place.
    """
    folder = _folder(output, format)
    jobs = []
    for source, name in files.list_named_pictures(*inputs, say=say):
        if name.endswith(DRAWING_ENDING):
            continue
        job = box_job(source, name, folder, naming=naming, draw=draw)
        if format == COCO:
            job = dataclasses.replace(job, boxes=None)
        jobs.append(job)
    _check_collisions(jobs)
    return jobs


def box_job(
    source: str, name: str, folder: str, *, naming: str, draw: bool
) -> BoxJob:
    """Gives the boxes of a picture their place.

    Args:
        source: str. Path of the picture.
        name: str. Its path below the folder searched.
        folder: str, for the results.
        naming: str, one of `box_naming.NAMINGS`.
        draw: bool. Whether a picture with its boxes is wanted.

    Returns:
        BoxJob with an .npz file.
    """
    drawing = os.path.join(folder, name + DRAWING_ENDING)
    return BoxJob(
        source,
        name.replace(os.sep, "/"),
        os.path.join(folder, box_naming.file_name(name, naming)),
        drawing if draw else None,
    )


def remove_leftovers(jobs: list[BoxJob], output: str) -> None:
    """Removes what killed processes left where boxes will be.

    Args:
        jobs: list of BoxJob.
        output: str. See `plan`.
    """
    files_of_jobs = [f for job in jobs for f in (job.boxes, job.drawing) if f]
    atomic.remove_leftovers([json_path(output), *files_of_jobs])


def _folder(output: str, format: str) -> str:
    if format == NPZ:
        return output
    return os.path.dirname(json_path(output)) or os.curdir


def _check_collisions(jobs: list[BoxJob]) -> None:
    taken = {}
    for job in jobs:
        place = os.path.normpath(job.boxes or job.name)
        other = taken.setdefault(place, job.source)
        if other != job.source:
            raise ValueError(
                "Every picture must have boxes of its own, but those of "
                f"{other!r} and {job.source!r} would both become {place!r}; "
                "give the folder that holds both, and not `naming=stem`"
            )
