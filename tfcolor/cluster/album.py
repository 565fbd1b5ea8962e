"""Albums on a cluster: colorizing and finding boxes, from inputs to files.

What `tfcolor colorize --cluster` and `tfcolor detect --cluster` do, for
programs. Each process of the cluster has one network, and does to its pictures
what `inference.picture_files` and `detection.detect_files` do on one machine.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from tfcolor import atomic
from tfcolor.boxes import box_naming
from tfcolor.cluster import engine
from tfcolor.cluster import listing
from tfcolor.cluster import sinks
from tfcolor.cluster import storage
from tfcolor.cluster.engine import Results
from tfcolor.cluster.engine import Workers
from tfcolor.cluster.listing import Entry
from tfcolor.cluster.staging import Stage
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import defaults as detection_defaults
from tfcolor.detection import output_paths as box_paths
from tfcolor.inference import checks
from tfcolor.inference import hint_points
from tfcolor.inference import output_paths
from tfcolor.inference.output_paths import PictureJob
from tfcolor.pictures import pillow_limit

_REPLACED = "its result would replace it; choose another output folder"


@dataclasses.dataclass(frozen=True)
class Colorizing:
    """What is wanted of each picture; goes to every process.

    Attributes:
        output: str, folder or URL.
        make_colorizer: function without arguments to a `Colorizer`.
        compare: bool. Whether strips, grey | colorized, are wanted too.
        show_boxes: bool. Whether pictures with their boxes are wanted too.
        boxes: str or None; see `box_finder.open_finder`.
        max_boxes: int.
        skip_color: bool. Leaves out pictures that are in color already.
        max_pixels: int. A picture of more is not decoded, but fails.
        hints: dict from names to tuples of HintPoint.
        packed: bool. Whether results are given back instead of written.
    """

    output: str
    make_colorizer: Callable
    compare: bool = False
    show_boxes: bool = False
    boxes: str | None = None
    max_boxes: int = detection_defaults.MAX_BOXES
    skip_color: bool = False
    max_pixels: int = pillow_limit.MAX_PIXELS
    hints: dict = dataclasses.field(default_factory=dict)
    packed: bool = False

    def job(self, entry: Entry) -> PictureJob:
        """Returns the job of an entry; its paths may be URLs."""
        output = storage.join(self.output, entry.target)
        return PictureJob(
            entry.source,
            output,
            output_paths.beside(output, "compare") if self.compare else None,
            output_paths.beside(output, "boxes") if self.show_boxes else None,
            hints=self.hints.get(entry.name, ()),
            name=entry.name,
        )

    def find_done(self, entry: Entry) -> tuple[str, ...] | None:
        """Returns the paths of an entry's results if all are there."""
        targets = self.job(entry).targets()
        if all(map(storage.exists, targets)):
            return tuple(targets)
        return None

    def make_work(self) -> "_ColorizeWork":
        """Makes what does it, with a network."""
        return _ColorizeWork(self)


class _ColorizeWork:
    """Colorizes the pictures of a task."""

    def __init__(self, wanted: Colorizing):
        self._wanted = wanted
        self._colorizer = wanted.make_colorizer()
        if not engine.has_gpu():
            # A batch gains little there, and colors would depend, by a last
            # bit, on the others in it: on what was there already, and on who
            # was killed when.
            self._colorizer.batch_size = 1
        self._find_boxes = None
        if wanted.boxes is not None:
            from tfcolor.inference import box_finder

            self._find_boxes = box_finder.open_for(
                self._colorizer, wanted.boxes, max_boxes=wanted.max_boxes
            )

    def __call__(self, entries: list[Entry]) -> Results:
        from tfcolor.inference import picture_files

        wanted = self._wanted
        jobs = [wanted.job(entry) for entry in entries]
        # By a link, which the plan does not see.
        same = [job for job in jobs if _is_source(job)]
        jobs = [job for job in jobs if job not in same]
        if not wanted.packed and not storage.is_url(wanted.output):
            # Results that are there already are not made anew, and what
            # processes that were lost have left behind goes.
            atomic.remove_leftovers(t for job in jobs for t in job.targets())
        with Stage(keep=wanted.packed) as stage:

            def local(job, source):
                places = {stage.place(t): t for t in job.targets()}
                back = {place: path for path, place in places.items()}
                replaced = {
                    field: back.get(getattr(job, field))
                    for field in ("output", "compare", "boxed")
                }
                job = dataclasses.replace(job, source=source, **replaced)
                return job, places

            running = picture_files.colorize_files(
                self._colorizer,
                stage.sources(jobs, local),
                find_boxes=self._find_boxes,
                skip_color=wanted.skip_color,
                max_pixels=wanted.max_pixels,
            )
            outcomes = list(stage.outcomes(running))
            outcomes += [Outcome(j.source, reason=_REPLACED) for j in same]
            payloads = [_payload(o, wanted.packed) for o in outcomes]
        return Results(outcomes, payloads)


def _is_source(job: PictureJob) -> bool:
    """Tells whether a result would replace its picture."""
    if storage.is_url(job.source) or storage.is_url(job.output):
        return False
    there = os.path.exists(job.source) and os.path.exists(job.output)
    return there and os.path.samefile(job.source, job.output)


def _payload(outcome: Outcome, packed: bool) -> bytes | None:
    if not packed or not outcome.written:
        return None
    return storage.read(outcome.written[0])


@dataclasses.dataclass(frozen=True)
class Detecting:
    """What is wanted of each picture; goes to every process.

    Attributes:
        output: str, folder of a shared file system.
        make_detector: function without arguments to a `Detector`.
        naming: str, one of `box_naming.NAMINGS`.
        drawings: bool. Whether pictures with their boxes are wanted too.
        batch_size: int. Pictures of one size in the detector at once.
        max_pixels: int. A picture of more is not decoded, but fails.
    """

    output: str
    make_detector: Callable
    naming: str = box_naming.BY_PATH
    drawings: bool = False
    batch_size: int = detection_defaults.BATCH_SIZE
    max_pixels: int = pillow_limit.MAX_PIXELS

    def job(self, entry: Entry):
        """Returns the BoxJob of an entry."""
        return box_paths.box_job(
            entry.source,
            entry.name,
            self.output,
            naming=self.naming,
            draw=self.drawings,
        )

    def find_done(self, entry: Entry) -> tuple[str, ...] | None:
        """Returns the paths of an entry's results if all are there."""
        job = self.job(entry)
        targets = tuple(path for path in (job.boxes, job.drawing) if path)
        return targets if all(map(os.path.isfile, targets)) else None

    def make_work(self) -> "_DetectWork":
        """Makes what does it, with a detector."""
        return _DetectWork(self)


class _DetectWork:
    """Finds the boxes of the pictures of a task."""

    def __init__(self, wanted: Detecting):
        self._wanted = wanted
        self._detector = wanted.make_detector()

    def __call__(self, entries: list[Entry]) -> Results:
        from tfcolor.detection import album
        from tfcolor.detection import outputs

        wanted = self._wanted
        with Stage() as stage:
            jobs = stage.sources(
                map(wanted.job, entries),
                lambda job, source: (
                    dataclasses.replace(job, source=source),
                    {},
                ),
            )
            running = album.detect_jobs(
                self._detector,
                list(jobs),
                outputs.NpzOutput(),
                batch_size=wanted.batch_size,
                max_pixels=wanted.max_pixels,
            )
            outcomes = list(stage.outcomes(running))
        return Results(outcomes, [None] * len(outcomes))


def colorize_on_cluster(
    inputs: Sequence[str],
    output: str,
    *,
    make_colorizer: Callable,
    cluster: str = engine.LOCAL,
    workers: Workers = engine.ONE_CPU,
    sink: str | None = None,
    hints: str | None = None,
    overwrite: bool = False,
    stop: Callable[[], bool] = outcome_lib.never,
    say: Callable[[str], None] | None = None,
    **wanted,
) -> Outcomes:
    """Colorizes picture files on a cluster, into files or shards.

    As `inference.album.colorize_album`, for pictures alone. What is there
    already is left as it is, so that a run that was killed goes on.

    Args:
        inputs: sequence of str; see `listing`.
        output: str, a folder that all machines see, or a URL.
        make_colorizer: function without arguments to a `Colorizer`; can be
            pickled, and is called once in each process.
        cluster: str, the address of a Ray cluster; see `engine.connected`.
        workers: Workers, what a process gets.
        sink: str or None. "tfrecord" or "parquet": results go into shards of
            encoded pictures.
        hints: str or None. Path of a JSON file; see `hint_points`.
        overwrite: bool. Whether results that exist are made anew.
        stop: function without arguments, asked after the pictures of each
            task. Once it returns True the run ends; what other processes
            work on then is finished or thrown away, and never half written.
        say: function of a line of text, or None. Told what is left out.
        **wanted: the other attributes of `Colorizing`.

    Returns:
        Outcomes, in any order.

    Raises:
        ImportError: Ray is not installed, or what reads a kind of URL.
        OSError: an input finds no picture, no cluster answers, the output
            cannot be made, or the model cannot be read.
        ValueError: an option or an input is not right.
    """
    pillow_limit.check_option(wanted.get("max_pixels", 1))
    checks.check_show_boxes(wanted.get("show_boxes"), wanted.get("boxes"))
    packing = None
    if sink is not None:
        packing = sinks.Sink(sink, output, overwrite)
        if wanted.get("compare") or wanted.get("show_boxes"):
            raise ValueError(
                "Shards hold colorized pictures alone: `compare` and "
                f"`show_boxes` need files. Received: sink={sink!r}"
            )
    _check_folder(output)
    found = listing.Listing(inputs, exclude=output, say=say)
    points = {}
    if hints is not None:
        names = [name for _, name in found]
        points = hint_points.read_hints(hints, names)
    colorizing = Colorizing(
        output,
        make_colorizer,
        hints={name: tuple(those) for name, those in points.items()},
        packed=sink is not None,
        **wanted,
    )
    everything = overwrite or sink is not None
    return _run(
        inputs,
        listing.with_targets(found, output),
        colorizing,
        cluster=cluster,
        workers=workers,
        stop=stop,
        find_done=engine.nothing_done if everything else colorizing.find_done,
        sink=packing,
    )


def detect_on_cluster(
    inputs: Sequence[str],
    output: str,
    *,
    make_detector: Callable,
    cluster: str = engine.LOCAL,
    workers: Workers = engine.ONE_CPU,
    overwrite: bool = False,
    stop: Callable[[], bool] = outcome_lib.never,
    say: Callable[[str], None] | None = None,
    **wanted,
) -> Outcomes:
    """Finds boxes in picture files on a cluster: an .npz file for each.

    As `detection.album.detect_album`.

    Args:
        inputs: sequence of str; see `listing`.
        output: str, a folder that all machines see.
        make_detector: function without arguments to a `Detector`; can be
            pickled, and is called once in each process.
        cluster: str, the address of a Ray cluster; see `engine.connected`.
        workers: Workers, what a process gets.
        overwrite: bool. Whether boxes that exist are found anew.
        stop: function without arguments; see `colorize_on_cluster`.
        say: function of a line of text, or None. Told what is left out.
        **wanted: the other attributes of `Detecting`.

    Returns:
        Outcomes, in any order.

    Raises:
        ImportError, OSError, ValueError: as `colorize_on_cluster`.
    """
    if storage.is_url(output):
        raise ValueError(
            "Boxes must go to a folder that all machines see. "
            f"Received: output={output!r}"
        )
    detecting = Detecting(output, make_detector, **wanted)
    found = listing.Listing(inputs, say=say)
    entries = (
        Entry(source, name, name)
        for source, name in found
        if not name.endswith(box_paths.DRAWING_ENDING)
    )
    return _run(
        inputs,
        entries,
        detecting,
        cluster=cluster,
        workers=workers,
        stop=stop,
        find_done=engine.nothing_done if overwrite else detecting.find_done,
    )


def _check_folder(output: str) -> None:
    as_folder = os.path.isdir(output) or output.endswith("/")
    if not as_folder and files.is_picture(output):
        raise ValueError(
            "`output` must be a folder, or a URL of one, on a cluster. "
            f"Received: output={output!r}"
        )


@contextlib.contextmanager
def _new_folder(folder: str) -> Iterator[None]:
    """Makes the output folder; takes it away if the run cannot begin."""
    made, path = [], os.path.abspath(folder)
    while not storage.is_url(folder) and not os.path.lexists(path):
        made.append(path)
        path = os.path.dirname(path)
    try:
        storage.make_folder(folder)
        yield
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):
                os.rmdir(path)
        raise


def _run(
    inputs, entries, wanted, *, cluster, workers, stop, find_done, sink=None
):
    """Plans a run; returns the Outcomes, which come as they are done."""
    path = listing.plan_path(inputs, wanted.output)
    connection = contextlib.ExitStack()
    with _new_folder(wanted.output), connection:
        connection.callback(listing.remove_plan, path)
        plan = listing.write_plan(entries, path)
        connection.enter_context(engine.connected(cluster))
        chunk = sinks.SHARD_PICTURES
        if sink is None:
            chunk = engine.chunk_size(plan.pictures, workers)
        later = connection.pop_all()

    def outcomes():
        with later:
            for results in engine.run_chunks(
                plan.in_chunks(chunk),
                wanted.make_work,
                workers=workers,
                find_done=find_done,
                sink=sink,
            ):
                yield from results.outcomes
                if stop():
                    return

    return Outcomes(outcomes(), plan.pictures)
