"""Making shards of a folder of pictures, in parallel and resumable.

Shards are complete or absent: a run that was interrupted is started again,
and makes only those that are missing or were made from something else.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import os
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from tfcolor import atomic
from tfcolor import keras_backend
from tfcolor.boxes import box_files
from tfcolor.data import class_folders
from tfcolor.data import epochs
from tfcolor.data import files
from tfcolor.data import manifest as manifest_lib
from tfcolor.data import outcome as outcome_lib
from tfcolor.data import records
from tfcolor.data.manifest import Manifest
from tfcolor.data.manifest import Shard
from tfcolor.data.manifest import ShardSettings
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.pictures import decode
from tfcolor.pictures import pillow_limit

# As `evaluation.classifier_report` reads them.
COLOR_GROUPS = "color_groups.json"
# Shards begun at once: one that is written, and one of which pictures are made.
_SHARDS_AHEAD = 2
# A graph takes a third of the time of single operations, which is most of the
# time of a picture.
_color_range = tf.function(
    epochs.color_range,
    input_signature=[tf.TensorSpec([None, None, 3], tf.uint8)],
    autograph=False,
)


@dataclasses.dataclass(frozen=True)
class ShardJob:
    """A shard to be made.

    Attributes:
        file: str, its name.
        pictures: list of (path, name).
        made_from: str; see `manifest.Shard`.
    """

    file: str
    pictures: list[tuple[str, str]]
    made_from: str


@dataclasses.dataclass(frozen=True)
class _Made:
    """A picture on its way into a shard."""

    record: records.Record
    color_range: float
    notes: tuple[str, ...]


def unique_names(pictures: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names pictures of several folders apart.

    Args:
        pictures: list of (path, name).

    Returns:
        The same list if all names differ; otherwise each has its path as name.
    """
    if len({name for _, name in pictures}) == len(pictures):
        return pictures
    return [(path, path) for path, _ in pictures]


def copy_color_groups(images: str, folder: str) -> None:
    """Copies the color groups of a labelled folder to its shards, if any.

    Args:
        images: str, perhaps such a folder.
        folder: str.
    """
    path = os.path.join(images, COLOR_GROUPS)
    if os.path.isfile(path):
        with open(path, "rb") as file:
            data = atomic.read_unchanged(file)
        atomic.write_bytes(os.path.join(folder, COLOR_GROUPS), data)


def find_classes(names: list[str]) -> list[str]:
    """Returns the classes of pictures: the first folders of their names.

    Args:
        names: list of str, relative paths.

    Returns:
        list of str in alphabetical order; empty unless every picture lies in
        a folder and there are at least two of these.
    """
    folders = {_first_folder(name) for name in names}
    return [] if "" in folders or len(folders) < 2 else sorted(folders)


def _first_folder(name: str) -> str:
    first, slash, _ = name.replace(os.sep, "/").partition("/")
    return first if slash else ""


def plan(
    pictures: list[tuple[str, str]], settings: ShardSettings, boxes=None
) -> list[ShardJob]:
    """Says which picture goes into which shard.

    The order is that of a hash of the names: classes and albums are spread
    over all shards, and the same pictures always give the same shards.

    Args:
        pictures: list of (path, name), names being unique.
        settings: ShardSettings.
        boxes: None, or what `box_files.open_boxes` returns.

    Returns:
        list of ShardJob.
    """
    ordered = sorted(pictures, key=lambda pair: _hash(pair[1]))
    count = max(1, -(-len(ordered) // settings.shard_size))
    about_all = json.dumps(
        [
            dataclasses.asdict(settings),
            find_classes([name for _, name in pictures]),
            boxes is not None,
            count,
        ]
    )
    return [
        ShardJob(
            f"{i:05}.tfrecord",
            ordered[i::count],
            _hash(about_all, *_traces(ordered[i::count], boxes)),
        )
        for i in range(count)
    ]


def _hash(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(os.fsencode(text) + b"\0")
    return digest.hexdigest()


def _traces(pictures, boxes):
    """What changes when a picture or its boxes do."""
    for path, name in pictures:
        yield name
        yield _trace(path)
        if boxes is not None:
            entry = boxes.find(path)
            inside = os.path.isdir(boxes.path) and entry
            yield str(entry)
            yield _trace(
                os.path.join(boxes.path, entry) if inside else boxes.path
            )


def _trace(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return "absent"
    return f"{status.st_size} {status.st_mtime_ns}"


def is_done(job: ShardJob, folder: str) -> Shard | None:
    """Returns what is in a shard if it is there, whole and up to date.

    Args:
        job: ShardJob.
        folder: str.

    Returns:
        Shard or None.
    """
    shard = manifest_lib.read_shard(folder, job.file)
    path = os.path.join(folder, job.file)
    if shard is None or shard.made_from != job.made_from:
        return None
    if not os.path.isfile(path) or os.path.getsize(path) != shard.bytes:
        return None
    return shard if manifest_lib.file_sha256(path) == shard.sha256 else None


def prepare_shards(
    images: Sequence[str],
    output: str,
    *,
    settings: ShardSettings | None = None,
    boxes: str | None = None,
    workers: int | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    stop: Callable[[], bool] = outcome_lib.never,
    on_picture: Callable[[str, int, int], None] = lambda *_: None,
    on_folder: Callable[[str, Manifest], None] = lambda *_: None,
    say: Callable[[str], None] | None = None,
) -> Outcomes:
    """Makes shards of pictures, from inputs as people name them.

    What `tfcolor prepare` does, for programs. What is wrong with inputs, boxes
    or options raises an error before the first picture; a bad picture is an
    outcome with a reason, and left out. Shards are written while the result is
    iterated; of work that is stopped whole ones stay, and the next goes on.

    Args:
        images: sequence of str. Files, folders and globs; of one folder with
            train, val and test each becomes a folder of shards of its name.
        output: str, folder of the shards or of these folders.
        settings: ShardSettings or None, for the defaults.
        boxes: str or None. A folder of .npz files or a COCO JSON; see
            `box_files.open_boxes`.
        workers: int or None. Pictures made at once; None is one a processor.
        max_pixels: int. A picture of more is not decoded, but left out.
        stop: function without arguments, asked before each shard. Once it
            returns True no other shard is written.
        on_picture: function of a folder of shards, its pictures done and in
            all.
        on_folder: function of a folder of shards and its Manifest, called when
            it is whole.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        Outcomes, one for each picture, shard by shard. Its result is a dict
        from the folders to the Manifest of each; None if it was stopped.

    Raises:
        OSError: an input finds no picture, or the boxes cannot be read. While
            this is iterated: a shard cannot be written.
        ValueError: the boxes are not right, or an option is out of range.

    Example:
        >>> for outcome in prepare_shards(["photos"], "records"):
        ...     print(outcome.source, outcome.reason or outcome.written)
    """
    keras_backend.require_tensorflow("Making shards")
    settings = settings or ShardSettings()
    pillow_limit.check_option(max_pixels)
    if workers is not None and workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {workers}")
    opened = box_files.open_boxes(boxes) if boxes else None
    folders = {
        os.path.join(output, part): _plan_part(
            found, output, settings, opened, say
        )
        for part, found in _parts(images).items()
    }
    totals = {
        folder: sum(len(job.pictures) for job in jobs)
        for folder, jobs in folders.items()
    }

    def running():
        manifests = {}
        for folder, jobs in folders.items():
            made = yield from write_shards(
                jobs,
                folder,
                settings,
                boxes=opened,
                workers=workers,
                max_pixels=max_pixels,
                stop=stop,
                progress=_Counter(on_picture, folder, totals[folder]),
            )
            if made is None:
                return None
            if len(images) == 1:
                copy_color_groups(images[0], output)
            manifests[folder] = made
            on_folder(folder, made)
        return manifests

    return Outcomes(running(), sum(totals.values()))


def _parts(images: Sequence[str]) -> dict[str, Sequence[str]]:
    """Returns {"train": ..., ...} of a labelled folder, {"": ...} of others."""
    if len(images) == 1 and os.path.isdir(images[0]):
        found = class_folders.find_parts(images[0])
        if len(found) > 1:
            return {part: [folder] for part, folder in found.items()}
    return {"": images}


def _plan_part(found, output, settings, boxes, say) -> list[ShardJob]:
    pictures = files.list_named_pictures(*found, exclude=output, say=say)
    pictures = unique_names(pictures)
    if boxes is not None:
        # Finds pictures that share an entry.
        boxes.count(path for path, _ in pictures)
    return plan(pictures, settings, boxes)


class _Counter:
    """Adds up how many pictures of a folder are done, and tells it."""

    def __init__(self, on_picture, folder: str, total: int):
        self._on_picture, self._folder = on_picture, folder
        self._done, self._total = 0, total

    def __call__(self, count: int) -> None:
        self._done += count
        self._on_picture(self._folder, self._done, self._total)


def write_shards(
    jobs: list[ShardJob],
    folder: str,
    settings: ShardSettings,
    *,
    boxes=None,
    workers: int | None = None,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    stop: Callable[[], bool] = outcome_lib.never,
    progress: Callable[[int], None] = lambda count: None,
) -> Outcomes:
    """Makes the shards that are missing, then the manifest of all.

    Pictures that cannot be read are left out and named in the manifest. The
    work is done while the result is iterated.

    Args:
        jobs: list of ShardJob, of `plan`.
        folder: str, made if absent. Other shards in it are removed.
        settings: ShardSettings.
        boxes: None, or what `box_files.open_boxes` returns.
        workers: int or None. Threads; None is one a processor.
        max_pixels: int. A picture of more is not decoded, but left out.
        stop: function without arguments, asked before each shard. Once it
            returns True no other shard is written.
        progress: function of a number of pictures that are done.

    Returns:
        Outcomes, one for each picture, those of a shard when it is whole.
        Its result is a Manifest; None if it was stopped.

    Raises:
        OSError: while this is iterated: a file cannot be written.
    """
    classes = find_classes([name for job in jobs for _, name in job.pictures])
    make = functools.partial(
        _make,
        settings=settings,
        boxes=boxes,
        classes=classes,
        max_pixels=max_pixels,
    )

    def running():
        os.makedirs(folder, exist_ok=True)
        atomic.remove_leftovers([os.path.join(folder, manifest_lib.FILE)])
        done = {job.file: is_done(job, folder) for job in jobs}
        there = [job for job in jobs if done[job.file]]
        progress(sum(len(job.pictures) for job in there))
        for job in there:
            yield from _outcomes(job, done[job.file], folder, is_new=False)
        todo = [job for job in jobs if not done[job.file]]
        with contextlib.closing(_made_ahead(todo, make, workers)) as ahead:
            for job, made in ahead:
                if stop():
                    return None
                done[job.file] = _write(job, made, folder, classes, progress)
                yield from _outcomes(job, done[job.file], folder, is_new=True)
        has_boxes = boxes is not None
        manifest = Manifest(settings, classes, has_boxes, [*done.values()])
        _remove_others(folder, {job.file for job in jobs})
        manifest_lib.write(folder, manifest)
        return manifest

    return Outcomes(running(), sum(len(job.pictures) for job in jobs))


def _made_ahead(jobs, make, workers: int | None):
    """Yields jobs and the futures of their pictures, the next ones begun."""
    todo, begun = collections.deque(jobs), collections.deque()
    with concurrent.futures.ThreadPoolExecutor(
        workers or os.cpu_count()
    ) as pool:
        try:
            while todo or begun:
                while todo and len(begun) < _SHARDS_AHEAD:
                    job = todo.popleft()
                    made = [pool.submit(make, *p) for p in job.pictures]
                    begun.append((job, made))
                yield begun.popleft()
        finally:
            pool.shutdown(cancel_futures=True)


def _outcomes(job: ShardJob, shard: Shard, folder: str, *, is_new: bool):
    """Yields what came of the pictures of a shard."""
    reasons = dict(shard.left_out)
    notes = collections.defaultdict(tuple)
    for name, note in shard.notes:
        notes[name] += (note,)
    known = {"skipped": outcome_lib.THERE_ALREADY}
    if is_new:
        known = {"written": (os.path.join(folder, job.file),)}
    for source, name in job.pictures:
        if name in reasons:
            yield Outcome(source, name=name, reason=reasons[name])
        else:
            yield Outcome(source, name=name, notes=notes[name], **known)


def _make(path, name, *, settings, boxes, classes, max_pixels) -> _Made:
    """Reads, squashes and encodes a picture."""
    data = pillow_limit.read_file(path, max_pixels=max_pixels)
    # Boxes are for the picture at its full size.
    shrink_to = settings.size if boxes is None else None
    notes = []
    rgb = decode.decode_rgb(
        data, shrink_to=shrink_to, say=notes.append, max_pixels=max_pixels
    )
    found = None
    if boxes is not None:
        height, width = rgb.shape[:2]
        found = boxes.load(path, height=height, width=width)
        sides = np.array([height, width, height, width], np.float32)
        found = dataclasses.replace(found, boxes=found.boxes / sides)
    square = decode.squash(rgb, settings.size)
    encoded = _encode(square, settings)
    if settings.format == "jpeg":
        # The range of what will be read.
        square = decode.decode_rgb(encoded)
    class_name = _first_folder(name) if classes else None
    record = records.Record(
        name,
        encoded,
        classes.index(class_name) if classes else None,
        class_name,
        found,
    )
    color_range = float(_color_range(square))
    return _Made(record, color_range, tuple(notes))


def _encode(rgb: np.ndarray, settings: ShardSettings) -> bytes:
    options = {}
    if settings.format == "jpeg":
        options = {"quality": settings.quality, "subsampling": 0}
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, settings.format, **options)
    return stream.getvalue()


def _write(job: ShardJob, made, folder: str, classes, report) -> Shard:
    """Writes a shard, then what is in it."""
    kept, left_out = [], []

    def good_ones():
        for (_, name), future in zip(job.pictures, made, strict=True):
            try:
                kept.append(future.result())
            except (OSError, ValueError, SyntaxError, MemoryError) as error:
                left_out.append([name, files.one_line(error, path=False)])
            else:
                yield kept[-1].record
            report(1)

    path = os.path.join(folder, job.file)
    records.write_shard(path, good_ones())
    found = [m.record.boxes for m in kept if m.record.boxes is not None]
    shard = Shard(
        file=job.file,
        made_from=job.made_from,
        sha256=manifest_lib.file_sha256(path),
        bytes=os.path.getsize(path),
        boxes=sum(map(len, found)),
        names=[m.record.name for m in kept],
        labels=[m.record.label for m in kept] if classes else [],
        color_ranges=[round(m.color_range, 3) for m in kept],
        left_out=left_out,
        notes=[[m.record.name, note] for m in kept for note in m.notes],
    )
    manifest_lib.write_shard(folder, shard)
    return shard


def _remove_others(folder: str, files: set[str]) -> None:
    """Removes shards of an earlier plan, which nobody may read any more."""
    for name in os.listdir(folder):
        stem, extension = os.path.splitext(name)
        file = f"{stem}.tfrecord"
        if extension != ".json" or file in files:
            continue
        # Only what was written here. What is written about a shard goes last:
        # killed in between, the next run finds it.
        if manifest_lib.read_shard(folder, file) is not None:
            with contextlib.suppress(FileNotFoundError):
                os.remove(os.path.join(folder, file))
            os.remove(manifest_lib.index_path(folder, file))
