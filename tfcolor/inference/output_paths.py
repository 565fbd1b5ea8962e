"""Where the result of each picture goes, decided before any work is done."""

import collections
import contextlib
import dataclasses
import os
import shutil
from collections.abc import Callable

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.inference.film import joining
from tfcolor.inference.hint_points import HintPoint
from tfcolor.pictures import encode

FILM_FORMATS = tuple(joining.CONTAINERS)


@dataclasses.dataclass(frozen=True)
class PictureJob:
    """A picture to colorize and the files that are wanted of it.

    Attributes:
        source: str. Path of the picture.
        output: str or None. Path of the colorized picture, if wanted; its
            extension chooses the format.
        compare: str or None. Path of the grey | colorized strip, if wanted.
        boxed: str or None. Path of the picture with its boxes, if wanted.
        hints: tuple of HintPoint, in pixels of the upright picture.
        name: str. The picture's name relative to the input folder, with `/`.
    """

    source: str
    output: str | None
    compare: str | None = None
    boxed: str | None = None
    hints: tuple[HintPoint, ...] = ()
    name: str = ""

    def targets(self) -> list[str]:
        """Returns the paths of all files wanted."""
        paths = (self.output, self.compare, self.boxed)
        return [path for path in paths if path]

    def without_existing(self) -> "PictureJob":
        """Returns a copy that wants only the files that do not exist."""
        wanted = {
            name: None if path is None or os.path.lexists(path) else path
            for name, path in (
                ("output", self.output),
                ("compare", self.compare),
                ("boxed", self.boxed),
            )
        }
        return dataclasses.replace(self, **wanted)


def plan(
    inputs: list[str],
    output: str,
    *,
    compare: bool = False,
    show_boxes: bool = False,
    films: bool = False,
    say: Callable[[str], None] | None = None,
) -> list[PictureJob]:
    """Finds the pictures and gives each its place.

    For one picture that is a file, `output` may be a file, whose extension
    chooses the format. Otherwise it is a folder, in which names relative to
    the input folder are kept, with the format where it can be written and
    PNG where not: `a.gif` becomes `a.png`, or `a.gif.png` where another
    picture becomes that. What lies in the output folder is no input.

    Args:
        inputs: list of str. Files, folders and globs.
        output: str. A file, or a folder: existing or ending in `/`; for
            several pictures it is always a folder.
        compare: bool. Whether strips are wanted, in `<stem>.compare.<ext>`.
        show_boxes: bool. Whether pictures with their boxes are wanted, in
            `<stem>.boxes.<ext>`.
        films: bool. Whether films are found too; they become .mp4, .m4v, .mov
            or .mkv, and have neither strips nor boxes.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        list of PictureJob, sorted by source.

    Raises:
        FileNotFoundError: an input finds no picture.
        ValueError: `output` is not what the pictures need, two files would
            have one path, or one would replace a picture that is read.
    """
    found = files.list_named_pictures(
        *inputs, exclude=output, films=films, say=say
    )
    single = len(found) == 1 and not any(map(os.path.isdir, inputs))
    as_folder = os.path.isdir(output) or output.endswith(("/", os.sep))
    if single and not as_folder:
        _check_file(output, film=files.is_film(found[0][0]))
        names = [output]
    else:
        _check_folder(output, certain=as_folder)
        names = [
            os.path.join(output, name)
            for name in _writable([name for _, name in found])
        ]

    def other(wanted, what, source, target):
        if not wanted or files.is_film(source):
            return None
        return beside(target, what)

    jobs = [
        PictureJob(
            source,
            target,
            other(compare, "compare", source, target),
            other(show_boxes, "boxes", source, target),
            name=name.replace(os.sep, "/"),
        )
        for (source, name), target in zip(found, names, strict=True)
    ]
    _check_collisions(jobs)
    return jobs


def make_folder(output: str, jobs: list[PictureJob]) -> None:
    """Makes the output folder, and clears what killed processes left there.

    An error now spares a long wait.

    Args:
        output: str. See `plan`.
        jobs: list of PictureJob, what `plan` returned.

    Raises:
        OSError: it cannot be made or written to.
    """
    single = len(jobs) == 1 and jobs[0].output == output
    folder = (os.path.dirname(output) if single else output) or os.curdir
    files.make_output_folder(folder)
    atomic.remove_leftovers(path for job in jobs for path in job.targets())


def film_folder(target: str) -> str:
    """Returns the hidden folder of what is done of a film.

    Args:
        target: str, path of the colored film.

    Returns:
        str, beside it.
    """
    parent, name = os.path.split(target)
    return os.path.join(parent, f".{name}.tfcolor-film")


def remove_film_folder(target: str) -> None:
    """Removes what a run left that was killed just after a film was whole.

    Args:
        target: str, path of the colored film. What another process holds
            stays.
    """
    folder = film_folder(target)
    if os.path.isdir(folder):
        with contextlib.suppress(OSError), atomic.held(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _writable(names: list[str]) -> list[str]:
    """Returns names of formats that can be written, one for each picture."""
    formats = (*encode.FORMATS, *FILM_FORMATS)
    kept = {n for n in names if _extension(n) in formats}

    def other(name):
        other = ".mkv" if files.is_film(name) else ".png"
        return os.path.splitext(name)[0] + other

    as_png = collections.Counter(other(n) for n in set(names) - kept)
    result, taken = [], set(kept)
    for name in names:
        target = png = other(name)
        if name in kept:
            target = name
        elif png in kept or as_png[png] > 1:
            target = name + _extension(png)
            while target in taken:
                target += _extension(png)
        taken.add(target)
        result.append(target)
    return result


def _extension(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def beside(target: str, what: str) -> str:
    """Returns the path of another file that is wanted of a picture.

    Args:
        target: str, path of the colorized picture.
        what: str, "compare" or "boxes".
    """
    stem, extension = os.path.splitext(target)
    return f"{stem}.{what}{extension}"


def _check_file(output: str, *, film: bool) -> None:
    formats = FILM_FORMATS if film else encode.FORMATS
    if _extension(output) not in formats:
        raise ValueError(
            f"`output` must be a {'film' if film else 'picture'}'s file name "
            f"({', '.join(formats)}), an existing folder or a new one "
            f"ending in '/'. Received: output={output!r}"
        )


def _check_folder(output: str, *, certain: bool) -> None:
    looks_like_file = os.path.isfile(output.rstrip("/")) or (
        not certain and files.is_picture(output)
    )
    if looks_like_file:
        raise ValueError(
            "`output` must be a folder for several pictures. "
            f"Received: output={output!r}"
        )


def _check_collisions(jobs: list[PictureJob]) -> None:
    sources = {os.path.realpath(job.source) for job in jobs}
    taken = {}
    for job in jobs:
        for target in job.targets():
            path = os.path.realpath(target)
            if path in sources:
                raise ValueError(
                    "`output` must not replace a picture that is read; "
                    f"choose another folder. Received: {target!r}"
                )
            if path in taken:
                raise ValueError(
                    "Every picture must have a file of its own, but "
                    f"{taken[path]!r} and {job.source!r} would both become "
                    f"{target!r}; give the folder that holds both (its "
                    "structure is kept), or run them one after the other."
                )
            taken[path] = job.source
