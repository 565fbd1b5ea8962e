"""Hints on a frame, carried along with what they lie on through its scene."""

import bisect
import collections
import contextlib
import dataclasses
import tempfile
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np

from tfcolor.data import outcome as outcome_lib
from tfcolor.inference import hint_points
from tfcolor.inference.film import motion
from tfcolor.inference.hint_points import HintPoint

# A point that is trusted less has left the frame or is hidden.
_LEAST_TRUST = 0.1


class _Stopped(Exception):
    pass


def track(
    film,
    hints: Sequence[HintPoint],
    side: int,
    stop: Callable[[], bool] = outcome_lib.never,
) -> dict[int, list] | None:
    """Says where hints are on each frame of their scenes.

    Reads the film once, up to the end of the last scene that has a hint.

    Args:
        film: video.Video.
        hints: sequence of HintPoint, in pixels of the frame they name.
        side: int. Motion is looked for in squares of this side.
        stop: function without arguments, asked at each frame.

    Returns:
        dict from a frame's number to its HintPoints. A point ends where what
        it lies on leaves the frame or is hidden. None if it was stopped.

    Raises:
        ValueError: a hint lies out of the frame, or names one that the film
            does not have.
    """
    hint_points.check_inside(
        list(hints), width=film.info.width, height=film.info.height
    )
    with contextlib.suppress(_Stopped):
        return _track(film, hints, side, stop)
    return None


def _track(film, hints, side, stop) -> dict[int, list]:
    frames = sorted({hint.frame for hint in hints})
    found, count = collections.defaultdict(list), 0
    for start, squares in _scenes(film, side, frames[-1], stop):
        end = start + len(squares)
        count = end
        inside = frames[
            bisect.bisect_left(frames, start) : bisect.bisect_left(frames, end)
        ]
        if inside:
            _through_scene(film.info, hints, start, squares, found, stop)
    if frames[-1] >= count:
        raise ValueError(
            f"A hint must name a frame of the film, which has {count}. "
            f"Received: frame={frames[-1]}"
        )
    return dict(found)


def _scenes(film, side, last, stop):
    """Yields (number of the first frame, uint8 [N, S, S]) of each scene.

    Ends after the scene of frame `last`. Squares are on the disk: scenes may
    be long.
    """
    finder, before, start = motion.Motion(), None, 0
    number = -1
    file = tempfile.TemporaryFile()
    try:
        for number, frame in enumerate(film.frames()):
            if stop():
                raise _Stopped
            now = motion.lightness_square(frame.rgb(), side)
            if before is not None and finder.link(before, now) is None:
                yield start, _on_disk(file, side)
                if number > last:
                    return
                file.close()
                file, start = tempfile.TemporaryFile(), number
            file.write(now.tobytes())
            before = now
        yield start, _on_disk(file, side)
    finally:
        file.close()


def _on_disk(file, side: int) -> np.ndarray:
    file.flush()
    return np.memmap(file, np.uint8, "r").reshape(-1, side, side)


def _through_scene(info, hints, start, squares, found, stop) -> None:
    """Adds the places of a scene's hints to `found`."""
    finder, scale = (
        motion.Motion(),
        np.array(
            [squares.shape[2] / info.width, squares.shape[1] / info.height]
        ),
    )
    end = start + len(squares)
    mine = [hint for hint in hints if start <= hint.frame < end]
    for hint in mine:
        found[hint.frame].append(hint)
    for step in (1, -1):
        # Where the points are that have begun, in pixels of the square.
        alive = {}
        order = (
            range(start, end) if step == 1 else range(end - 1, start - 1, -1)
        )
        for number in order:
            if stop():
                raise _Stopped
            if alive:
                before, now = (
                    squares[number - step - start],
                    squares[number - start],
                )
                link = finder.link(np.array(before), np.array(now))
                alive = {} if link is None else _moved(alive, link)
                for hint, place in alive.items():
                    x, y = place / scale
                    moved = dataclasses.replace(
                        hint, x=float(x), y=float(y), frame=number
                    )
                    found[number].append(moved)
            for hint in mine:
                if hint.frame == number:
                    alive[hint] = np.array([hint.x, hint.y]) * scale


def _moved(alive: dict, link: motion.Link) -> dict:
    """Moves points to the next frame; those that end are left out."""
    side, moved = link.on.shape[0], {}
    for hint, (x, y) in alive.items():
        column, row = min(int(x), side - 1), min(int(y), side - 1)
        if link.trust_on[row, column] < _LEAST_TRUST:
            continue
        place = np.array([x, y]) + link.on[row, column]
        if (place >= 0).all() and (place < side).all():
            moved[hint] = place
    return moved
