"""Evaluations on a cluster: `evaluate` whose pictures others measure.

Each process of the cluster prepares the evaluation for itself, with its own
models, measures the pictures of its tasks, and gives away what it knows of
them. The command puts all of it together: the numbers are those of one machine.
What was measured is kept until the report is whole; see `evaluation_parts`.
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from tfcolor.cluster import engine
from tfcolor.cluster import evaluation_parts
from tfcolor.cluster import listing
from tfcolor.cluster import storage
from tfcolor.cluster.engine import Results
from tfcolor.cluster.engine import Workers
from tfcolor.cluster.evaluation_parts import Measured
from tfcolor.cluster.evaluation_parts import Parts
from tfcolor.cluster.evaluation_parts import Place
from tfcolor.cluster.listing import Entry
from tfcolor.cluster.staging import Stage
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.detection import signatures
from tfcolor.evaluation import compare
from tfcolor.evaluation import methods
from tfcolor.evaluation.evaluate import Prepared
from tfcolor.evaluation.evaluate import Wanted
from tfcolor.evaluation.evaluate import evaluate

# Of a picture with rows of the pixels inside its boxes, and of the others.
_BOXED, _WHOLE = "boxed", "whole"


def evaluate_on_cluster(
    truth: Sequence[str],
    output: str,
    *,
    cluster: str,
    workers: Workers = engine.ONE_CPU,
    say: Callable[[str], None] | None = None,
    note: Callable[[str, str], None] | None = None,
    **options,
) -> Outcomes:
    """Does what `evaluate` does on a cluster, to the same report.

    What was measured is kept beside the report until this is whole: the same
    call after anything was killed goes on.

    Args:
        truth: sequence of str: files, folders and globs that all machines see,
            URLs and manifests; see `listing`.
        output: str; all machines see the folder it is in.
        cluster: str, the address of a Ray cluster; see `engine.connected`.
        workers: Workers, what a process gets.
        say: function of a line of text, or None. Told what is left out, and
            how much an earlier call has measured.
        note: function of a path and a line of text, or None; see `evaluate`.
        **options: the others of `evaluate`, but for `crops`.

    Returns:
        Outcomes; see `evaluate`.

    Raises:
        OSError, ValueError: see `evaluate`. While this is iterated: nothing
            answers at that address, or another call makes this report.
        ImportError: Ray is not installed, or what reads a kind of URL.
    """
    if options.get("crops"):
        raise ValueError("`cluster` compares whole pictures. Received: `crops`")
    if storage.is_url(output):
        raise ValueError(
            "A report must go to a folder that all machines see. "
            f"Received: output={output!r}"
        )
    limits = ("limit", "max_pixels")
    found = methods.list_truth(
        *truth,
        outside=output,
        find=lambda pattern: listing.Listing([pattern], say=say),
        **{name: options[name] for name in limits if name in options},
    )
    _check_boxes(options.get("boxes"), found)
    place = Place(output, say)
    work = evaluate(
        truth,
        output,
        found=found,
        make_passes=functools.partial(
            _make_passes, workers=workers, place=place, say=say, note=note
        ),
        say=say,
        note=note,
        **options,
    )

    def running():
        with engine.connected(cluster), place:
            result = yield from work
            if result is not None:
                place.end()
            return result

    return Outcomes(running(), len(work))


def _check_boxes(boxes: str | None, found: list[methods.TruePicture]) -> None:
    """Refuses files of boxes for pictures whose size nobody sees here."""
    if boxes is None or signatures.find_saved_model(boxes) is not None:
        return
    stored = [p.path for p in found if storage.is_url(p.path)]
    if stored:
        raise ValueError(
            "`boxes` of pictures in an object store must come from a detector. "
            f"Received: boxes={boxes} with {stored[0]!r}"
        )


def _make_passes(wanted, prepared, folder, *, workers, place, say, note):
    gpus = engine.gpus_of(workers)
    fingerprint = evaluation_parts.fingerprint(
        wanted, prepared.truth, cpus=workers.cpus, gpus=gpus
    )
    parts = place.begin(fingerprint, prepared.truth)
    make_work = functools.partial(_MeasureWork, wanted, folder, parts)
    return _ClusterPasses(workers, make_work, prepared, folder, say, note)


class _MeasureWork:
    """Measures the pictures of a task.

    Args:
        wanted: Wanted.
        folder: str, where the report is made.
        parts: Parts, which have what was measured before.
        ab: float array [2] or None: the mean ab of all pictures, once it is
            known; a second pass then, over pictures that were read before.
    """

    def __init__(
        self, wanted: Wanted, folder: str, parts: Parts, ab: np.ndarray | None
    ):
        # (path, line), what was said since it was emptied.
        self._notes = []

        def note(path, line):
            self._notes.append((path, line))

        self._prepared = wanted.prepare(
            found=parts.truth(wanted.max_pixels), note=note
        )
        self._pictures, options = self._prepared.saving_to(folder)
        self._run = compare.make_run(**options, say=note)
        self._passes = compare.Passes(self._prepared.methods)
        self._parts, self._ab = parts, ab

    def __call__(self, entries: list[Entry]) -> Results:
        # Before anything is read: a picture that changes then is another one.
        stamps = {entry: storage.stamp(entry.source) for entry in entries}
        found = {
            entry.source: self._measured_before(entry, stamps[entry])
            for entry in entries
        }
        outcomes = [Outcome(s) for s, measured in found.items() if measured]
        with Stage() as stage:
            local = stage.sources(
                [entry for entry in entries if not found[entry.source]],
                lambda entry, path: ((entry, path), {}),
            )

            def running():
                for entry, path in local:
                    outcome, measured = self._measure(entry, path)
                    if not outcome.reason:
                        self._keep(entry, stamps[entry], measured)
                    found[entry.source] = measured
                    yield dataclasses.replace(outcome, source=path)

            outcomes += stage.outcomes(running())
        return Results(outcomes, [found[o.source] for o in outcomes])

    def _measured_before(self, entry: Entry, stamp) -> Measured | None:
        """Returns what is known of a picture, whose copies the report gets."""
        index = int(entry.name)
        measured = self._parts.load(index, stamp, self._ab)
        if measured is None or self._ab is not None:
            return measured
        picture = self._prepared.truth[index]
        try:
            self._pictures.write(picture, list(measured.small))
        except (OSError, ValueError):
            # Measuring it says what is wrong.
            return None
        return dataclasses.replace(measured, small=())

    def _keep(self, entry: Entry, stamp, measured: Measured) -> None:
        """Writes what is known of a picture, with its copies, for next time."""
        index = int(entry.name)
        if self._ab is None:
            picture = self._prepared.truth[index]
            small = tuple(self._pictures.read(picture))
            measured = dataclasses.replace(measured, small=small)
        self._parts.save(index, stamp, self._ab, measured)

    def _measure(self, entry: Entry, path: str) -> tuple[Outcome, Measured]:
        """Measures a picture, whose file is here."""
        run, index = self._run, int(entry.name)
        picture = self._prepared.truth[index]
        if path != entry.source:
            picture = dataclasses.replace(picture, copy=path)
        if self._ab is None:
            pairs = self._passes.first(run, [picture])
        else:
            # What the second pass adds to.
            inside = [] if entry.target == _BOXED else None
            run.records[index] = compare.Record(rows_in_boxes=inside)
            pairs = self._passes.second(run, [picture], self._ab)
        ((_, outcome),) = pairs
        collector = self._prepared.collector
        looked = collector and collector.take(index)
        notes, self._notes[:] = tuple(self._notes), ()
        return outcome, Measured(run.records.pop(index, None), looked, notes)


class _ClusterPasses:
    """`compare.Passes` on a cluster.

    Args:
        workers: Workers, what a process gets.
        make_work: function of the `ab` of `_MeasureWork` to it.
        prepared: Prepared, whose collector gets what those of others saw.
        folder: str, where the report is made; all machines see it.
        say: function of a line of text, or None.
        note: function of a path and a line of text, or None.
    """

    def __init__(
        self,
        workers: Workers,
        make_work: Callable,
        prepared: Prepared,
        folder: str,
        say: Callable[[str], None] | None,
        note: Callable[[str, str], None] | None,
    ):
        self._workers, self._make_work = workers, make_work
        self._collector, self._folder = prepared.collector, folder
        self._say, self._note = say, note

    def first(self, run: compare.Run, truth: list) -> Iterator[tuple]:
        """See `compare.Passes.first`."""
        return self._pass("first", run, truth, None, run.records.__setitem__)

    def second(
        self, run: compare.Run, done: list, ab: np.ndarray
    ) -> Iterator[tuple]:
        """See `compare.Passes.second`."""

        def add(index, record):
            run.records[index].add(record)

        return self._pass("second", run, done, ab, add)

    def _pass(self, which, run, pictures, ab, put) -> Iterator[tuple]:
        by_path = {picture.path: picture for picture in pictures}

        def kind(index):
            record = run.records.get(index)
            boxed = record is not None and record.rows_in_boxes is not None
            return _BOXED if boxed else _WHOLE

        entries = [Entry(p.path, str(p.index), kind(p.index)) for p in pictures]
        path = os.path.join(self._folder, ".tfcolor-cluster-plan")
        plan = listing.write_plan(entries, path, unique=False)
        make_work = functools.partial(self._make_work, ab)
        before = 0
        with contextlib.ExitStack() as stack:
            stack.callback(os.remove, path)
            size = engine.chunk_size(len(pictures), self._workers)
            for results in engine.run_chunks(
                plan.in_chunks(size), make_work, workers=self._workers
            ):
                for outcome, measured in zip(
                    results.outcomes, results.payloads, strict=True
                ):
                    picture = by_path[outcome.source]
                    before += measured is not None and measured.again
                    self._take(picture.index, outcome, measured, put)
                    # Not all that failed know their picture's name.
                    yield (
                        picture,
                        dataclasses.replace(outcome, name=picture.name),
                    )
        if before and self._say is not None:
            self._say(
                f"{before} of {len(pictures)} pictures had been measured "
                f"before, and were not measured again in the {which} pass"
            )

    def _take(self, index: int, outcome: Outcome, measured, put) -> None:
        # Of a picture that was given up, or could not be fetched, is none.
        if measured is None:
            return
        for path, line in measured.notes:
            if self._note is not None:
                self._note(path, line)
        if not outcome.reason:
            put(index, measured.record)
            if measured.looked is not None:
                self._collector.put(index, measured.looked)
