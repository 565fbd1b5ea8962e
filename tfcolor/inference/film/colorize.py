"""Colorizing a film: reading, the network, smoothing and writing overlap.

What is done is kept beside the film that will be: segments of some hundred
frames, and with each what the next one goes on from. A run that ends before
the film does, however it ends, is gone on with by the same call, and the film
is, up to rounding, the same as if nothing had happened.
"""

import collections
import contextlib
import dataclasses
import functools
import itertools
import json
import os
import queue
import shutil
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent import futures

import numpy as np

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.inference import color_pictures
from tfcolor.inference import defaults
from tfcolor.inference import output_paths
from tfcolor.inference.colorizer import Colorizer
from tfcolor.inference.film import joining
from tfcolor.inference.film import motion
from tfcolor.inference.film import video
from tfcolor.inference.film.tracked_hints import track
from tfcolor.inference.hint_points import HintPoint
from tfcolor.inference.output_paths import PictureJob
from tfcolor.pictures import foreign_files
from tfcolor.version import __version__

# Frames of a segment, at least.
_SEGMENT = 200
# Pixels of all frames that wait for those after them: bounds the memory.
_WAITING_PIXELS = 75_000_000
_MOST_WAITING, _FEWEST_WAITING = 36, 6
# Pixels of the frames in a queue between two threads: 12 of full HD.
_QUEUED_PIXELS = 25_000_000
# Says which film and options a folder of segments belongs to.
_JOB = "job.json"
_RECOLORED = (
    "it is a color film and got new colors; `skip_color` leaves such films out"
)
# Frames that are looked at to tell a color film from a grey one.
_LOOKED_AT = 5


@dataclasses.dataclass(frozen=True)
class FilmOptions:
    """How films are colored.

    Attributes:
        smoothing: float in 0..1. How long colors are kept along motion: 0 is
            frame by frame.
        crf: int in 0..51. Quality of the H.264 video; smaller is better.
        key_frames: int. The network sees every such frame; those between have
            their colors from motion alone.
    """

    smoothing: float = defaults.SMOOTHING
    crf: int = defaults.CRF
    key_frames: int = 1

    def __post_init__(self):
        """Refuses what cannot be.

        Raises:
            ValueError: a value is out of range.
        """
        if not 0 <= self.smoothing <= 1:
            raise ValueError(
                "`smoothing` must be in 0..1. "
                f"Received: smoothing={self.smoothing}"
            )
        if not 0 <= self.crf <= 51:
            raise ValueError(
                f"`crf` must be in 0..51. Received: crf={self.crf}"
            )
        if self.key_frames < 1:
            raise ValueError(
                "`key_frames` must be at least 1. "
                f"Received: key_frames={self.key_frames}"
            )


def is_color(path: str) -> bool:
    """Tells whether a film has colors, from its first frames.

    Args:
        path: str.

    Returns:
        bool.

    Raises:
        OSError, ValueError: see `video.Video`.
    """
    frames = video.Video(path).frames()
    with contextlib.closing(frames):
        for number, frame in enumerate(frames):
            if number == _LOOKED_AT:
                return False
            if color_pictures.is_color(frame.rgb()):
                return True
    return False


def colorize_films(
    colorizer: Colorizer,
    jobs: Iterable[PictureJob],
    *,
    options: FilmOptions,
    skip_color: bool = False,
    stop: Callable[[], bool] = outcome_lib.never,
    on_frame: Callable[[str, int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Colorizes films, one after the other; a bad one does not stop the others.

    Args:
        colorizer: Colorizer.
        jobs: iterable of PictureJob, of films.
        options: FilmOptions.
        skip_color: bool. Leaves out films that are in color already.
        stop: function without arguments; see `colorize_film`.
        on_frame: function of path, frames done and frames in all, or None.

    Yields:
        Outcome of each film, in order.
    """
    for job in jobs:
        if stop():
            return
        tell = on_frame and functools.partial(on_frame, job.source)
        try:
            in_color = is_color(job.source)
            if skip_color and in_color:
                yield Outcome(job.source, skipped=outcome_lib.IN_COLOR)
                continue
            notes = colorize_film(
                colorizer,
                job.source,
                job.output,
                options=options,
                hints=job.hints,
                stop=stop,
                on_frame=tell,
            )
        except Exception as error:
            # PyAV's errors are of many kinds.
            reason = files.one_line(
                error, path=False, try_less="a smaller film"
            )
            yield Outcome(job.source, reason=reason)
            continue
        if notes is None:
            return
        if in_color:
            notes.append(_RECOLORED)
        yield Outcome(job.source, written=(job.output,), notes=tuple(notes))


def colorize_film(
    colorizer: Colorizer,
    source: str,
    target: str,
    *,
    options: FilmOptions,
    hints: Sequence[HintPoint] = (),
    stop: Callable[[], bool] = outcome_lib.never,
    on_frame: Callable[[int, int], None] | None = None,
) -> list[str] | None:
    """Colorizes a film.

    Args:
        colorizer: Colorizer, of whole pictures.
        source: str, path of a film.
        target: str, path of the colored one. A hidden folder beside it holds
            what is done until all is.
        options: FilmOptions.
        hints: sequence of HintPoint, in pixels of the upright frame that they
            name; they go along with what moves, through their scene.
        stop: function without arguments, asked at each frame, and while
            there is none yet.
        on_frame: function of frames done and frames in all (0 if nobody
            knows), or None.

    Returns:
        list of str, what is worth knowing about the film; None if it was
        stopped: the same call goes on.

    Raises:
        ImportError: PyAV is missing.
        OSError: a file cannot be read or written.
        ValueError: the file is no film, or a hint lies out of it.
    """
    container = joining.container_of(target)
    film = video.Video(source)
    work = _Work(target, _settings(colorizer, source, options, hints))
    with atomic.held(work.folder):
        work.begin()
        try:
            if not work.complete:
                side = colorizer.image_size
                points = track(film, hints, side, stop) if hints else {}
                if points is None:
                    return None
                run = _Run(colorizer, film, work, options, points, on_frame)
                if not run.all_frames(stop):
                    return None
        except Exception:
            if not work.frames:
                work.remove()
            raise
        notes = [*film.info.notes, *work.notes]
        extension = os.path.splitext(target)[1]
        with atomic.replacing(target, extension=extension) as new:
            joining.join(
                work.segments(),
                source,
                new,
                container=container,
                say=notes.append,
                shifts=work.shifts,
                last_duration=work.last_duration,
            )
        work.remove()
    return notes


def _settings(colorizer, source, options, hints) -> dict:
    """What must be the same for a run to be gone on with."""
    found = os.stat(source)
    return {
        "version": __version__,
        "source": [os.path.abspath(source), found.st_size, found.st_mtime_ns],
        "model": colorizer.identity,
        "image_size": colorizer.image_size,
        "saturation": colorizer.saturation,
        "upsampling": colorizer.upsampling,
        "options": dataclasses.asdict(options),
        "hints": [dataclasses.asdict(hint) for hint in hints],
    }


class _Work:
    """What is done of a film, in a hidden folder.

    Args:
        target: str, path of the film.
        settings: dict. What is there of others is thrown away.

    Attributes:
        folder: str.
        frames: int, that are done.
        state: see `motion.Smoother.state`.
        complete: bool, whether all frames are done.
        notes: list of str, about the film's frames; known once it is complete.
        shifts: list of int; see `video.Video`; known once it is complete.
        last_duration: int; see `video.Video`; known once it is complete.
    """

    def __init__(self, target: str, settings: dict):
        self.folder = output_paths.film_folder(target)
        self._settings = json.loads(json.dumps(settings))
        self.frames, self.state = 0, None
        self.complete, self.notes = False, []
        self.shifts, self.last_duration = [], 0
        self._count = 0

    def begin(self) -> None:
        """Reads what is there."""
        job = os.path.join(self.folder, _JOB)
        atomic.remove_leftovers([job])
        try:
            with open(job, encoding="utf-8") as file:
                same = json.load(file) == self._settings
        except (OSError, ValueError):
            same = False
        if not same:
            with os.scandir(self.folder) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        os.remove(entry.path)
            self._write_json(_JOB, self._settings)
        while os.path.exists(self._path(self._count, ".npz")):
            kept = foreign_files.read_npz(self._path(self._count, ".npz"))
            self.frames = int(kept["frames"])
            self.state = kept["state"] if kept["state"].size else None
            self._count += 1
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            with open(os.path.join(self.folder, "end.json")) as file:
                self._take(json.load(file))

    def _path(self, number: int, extension: str) -> str:
        return os.path.join(self.folder, f"segment{number:06}{extension}")

    def _write_json(self, name, content) -> None:
        path = os.path.join(self.folder, name)
        with atomic.replacing(path) as new, open(new, "w") as file:
            json.dump(content, file)

    def segments(self) -> list[str]:
        """Returns the paths of the segments."""
        return [self._path(i, ".nut") for i in range(self._count)]

    def new_segment(self) -> contextlib.AbstractContextManager[str]:
        """Gives the path of the next segment until it is whole."""
        return atomic.replacing(self._path(self._count, ".nut"))

    def keep(self, frames: int, state: np.ndarray | None) -> None:
        """Says that the segment is whole, and what the next goes on from."""
        path = self._path(self._count, ".npz")
        with atomic.replacing(path, extension=".npz") as new:
            kept = np.zeros(0, np.float32) if state is None else state
            np.savez(new, frames=frames, state=kept)
        self.frames, self.state = frames, state
        self._count += 1

    def end(self, film: video.Video) -> None:
        """Says that all frames are done."""
        found = {
            "notes": film.notes,
            "shifts": film.shifts,
            "last_duration": film.last_duration,
        }
        self._write_json("end.json", found)
        self._take(found)

    def _take(self, found: dict) -> None:
        self.notes, self.shifts = found["notes"], found["shifts"]
        self.last_duration = found["last_duration"]
        self.complete = True

    def remove(self) -> None:
        """Removes the folder."""
        # First what says whose it is: half a folder must not be gone on with.
        with contextlib.suppress(OSError):
            os.remove(os.path.join(self.folder, _JOB))
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclasses.dataclass(frozen=True)
class _Item:
    """A frame on its way.

    Attributes:
        number: int, from 0.
        frame: video.Frame.
        rgb: array [H, W, 3], or None once, or where, no network sees it.
        link: motion.Link or None.
        ab: float32 array [S, S, 2] or None.
    """

    number: int
    frame: video.Frame
    rgb: np.ndarray | None
    link: motion.Link | None
    ab: np.ndarray | None = None


class _Run:
    """Three threads: one reads, this one has the network, one writes."""

    def __init__(self, colorizer, film, work, options, points, on_frame):
        self._colorizer, self._film, self._work = colorizer, film, work
        self._options, self._points = options, points
        self._on_frame = on_frame
        self._ended = threading.Event()
        # Frames that go through the network at once, and that may wait for it
        # and after it.
        room = _QUEUED_PIXELS // (film.info.width * film.info.height)
        self._at_once = max(min(colorizer.batch_size, room), 1)
        self._read = queue.Queue(max(min(2 * self._at_once, room), 1))
        self._colored = queue.Queue(max(min(2 * self._at_once, room), 1))

    def all_frames(self, stop: Callable[[], bool]) -> bool:
        """Colors the frames that are not done; returns whether all are."""
        with futures.ThreadPoolExecutor(2) as pool:
            reading = pool.submit(self._reading)
            writing = pool.submit(self._writing)
            try:
                finished = self._coloring(stop)
                if finished:
                    self._put(self._colored, None)
                    writing.result()
                    reading.result()
            finally:
                self._ended.set()
            # The reason why a thread has ended comes first.
            for task in (reading, writing):
                with contextlib.suppress(_Ended):
                    task.result()
        return finished

    def _put(self, where: queue.Queue, item) -> bool:
        while not self._ended.is_set():
            with contextlib.suppress(queue.Full):
                where.put(item, timeout=0.1)
                return True
        return False

    def _items(
        self, where: queue.Queue, stop: Callable[[], bool] = outcome_lib.never
    ) -> Iterator[_Item | None]:
        """Yields what is put there; None, at once, when it is to stop."""
        while not self._ended.is_set():
            if stop():
                yield None
                return
            with contextlib.suppress(queue.Empty):
                item = where.get(timeout=0.1)
                if item is None:
                    return
                yield item

    def _reading(self) -> None:
        try:
            finder, before = motion.Motion(), None
            side = self._colorizer.image_size
            for number, frame in enumerate(self._film.frames()):
                if self._ended.is_set():
                    return
                if number < self._work.frames - 1:
                    continue
                rgb = frame.rgb()
                now = motion.lightness_square(rgb, side)
                link = None
                if before is not None and self._options.smoothing:
                    link = finder.link(before, now)
                before = now
                if number < self._work.frames:
                    continue
                key = link is None or not number % self._options.key_frames
                item = _Item(number, frame, rgb if key else None, link)
                if not self._put(self._read, item):
                    return
            self._put(self._read, None)
        except BaseException:
            self._ended.set()
            raise

    def _coloring(self, stop) -> bool:
        waiting = []
        for item in self._items(self._read, stop):
            if item is None:
                return False
            waiting.append(item)
            seen = sum(item.rgb is not None for item in waiting)
            if seen == self._at_once or self._read.empty():
                self._color(waiting)
                waiting = []
        self._color(waiting)
        return not self._ended.is_set()

    def _color(self, items: list[_Item]) -> None:
        seen = [item for item in items if item.rgb is not None]
        hints = None
        if self._points:
            hints = [self._points.get(item.number) for item in seen]
        colors = {}
        if seen:
            found = self._colorizer.network_ab(
                [item.rgb for item in seen], hints=hints
            )
            colors = dict(zip((i.number for i in seen), found, strict=True))
        for item in items:
            ab = colors.get(item.number)
            done = dataclasses.replace(item, rgb=None, ab=ab)
            self._put(self._colored, done)

    def _writing(self) -> None:
        try:
            items = self._items(self._colored)
            self._segments(self._decided(items))
        except BaseException:
            self._ended.set()
            raise

    def _decided(self, items) -> Iterator[tuple[list, np.ndarray | None]]:
        """Yields frames with the colors decided, and what comes after."""
        info, side = self._film.info, self._colorizer.image_size
        # 1 would never forget; the step from 0.98 is hardly to be seen.
        strength = min(self._options.smoothing, 0.98)
        total = _WAITING_PIXELS // (info.width * info.height)
        total = min(max(total, _FEWEST_WAITING), _MOST_WAITING)
        block, ahead = (2 * total // 3, total - 2 * total // 3)
        if not strength:
            block, ahead = 1, 0
        smoother = motion.Smoother(strength, block=block, ahead=ahead)
        smoother.resume(self._work.state)
        waiting = collections.deque()
        for item in items:
            colors = smoother.push(item.ab, item.link, side)
            waiting.append(item)
            if colors:
                yield self._pairs(waiting, colors), smoother.state
        if waiting and not self._ended.is_set():
            yield self._pairs(waiting, smoother.flush()), None

    def _pairs(self, waiting, colors):
        return [(waiting.popleft().frame, ab) for ab in colors]

    def _segments(self, decided) -> None:
        """Writes frames into segments, each kept once it is whole."""
        frames = self._work.frames
        for first in decided:
            start, state = frames, None
            with contextlib.ExitStack() as stack:
                path = stack.enter_context(self._work.new_segment())
                writer = video.SegmentWriter(
                    path, self._film.info, crf=self._options.crf
                )
                stack.callback(writer.close)
                for pairs, after in itertools.chain([first], decided):
                    state = after
                    for frame, ab in pairs:
                        self._write(writer, frame, ab)
                        frames += 1
                        if self._on_frame:
                            self._on_frame(frames, self._film.info.frames)
                    if frames - start >= _SEGMENT:
                        break
                if self._ended.is_set():
                    raise _Ended
            self._work.keep(frames, state)
        # A run may also be stopped between two segments.
        if self._ended.is_set():
            raise _Ended
        self._work.end(self._film)

    def _write(self, writer, frame, ab) -> None:
        rgb = self._colorizer.finish(frame.rgb(), ab)
        writer.write(rgb, frame.time)


class _Ended(Exception):
    """The run was stopped: the segment that was begun is thrown away."""
