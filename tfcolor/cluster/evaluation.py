"""Evaluations on a cluster: `evaluate` whose pictures others measure.

Each process of the cluster prepares the evaluation for itself, with its own
models, measures the pictures of its tasks, and gives away what it knows of
them. The command puts all of it together: the numbers are those of one machine.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from tfcolor.cluster import engine
from tfcolor.cluster import listing
from tfcolor.cluster.engine import Results
from tfcolor.cluster.engine import Workers
from tfcolor.cluster.listing import Entry
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.evaluation import compare
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
    note: Callable[[str, str], None] | None = None,
    **options,
) -> Outcomes:
    """Does what `evaluate` does on a cluster, to the same report.

    Args:
        truth: sequence of str; all machines see the pictures.
        output: str; all machines see the folder it is in.
        cluster: str, the address of a Ray cluster; see `engine.connected`.
        workers: Workers, what a process gets.
        note: function of a path and a line of text, or None; see `evaluate`.
        **options: the others of `evaluate`, but for `crops`.

    Returns:
        Outcomes; see `evaluate`.

    Raises:
        OSError, ValueError: see `evaluate`. While this is iterated: nothing
            answers at that address.
        ImportError: Ray is not installed.
    """
    if options.get("crops"):
        raise ValueError("--cluster compares whole pictures. Received: --crops")
    work = evaluate(
        truth,
        output,
        make_passes=functools.partial(_ClusterPasses, workers, note),
        note=note,
        **options,
    )

    def running():
        with engine.connected(cluster):
            return (yield from work)

    return Outcomes(running(), len(work))


class _MeasureWork:
    """Measures the pictures of a task.

    Args:
        wanted: Wanted.
        folder: str, where the report is made.
        ab: float array [2] or None: the mean ab of all pictures, once it is
            known; a second pass then, over pictures that were read before.
    """

    def __init__(self, wanted: Wanted, folder: str, ab: np.ndarray | None):
        # (path, line), what was said since it was emptied.
        self._notes = []

        def note(path, line):
            self._notes.append((path, line))

        self._prepared = wanted.prepare(note=note)
        _, options = self._prepared.saving_to(folder)
        self._run = compare.make_run(**options, say=note)
        self._passes = compare.Passes(self._prepared.methods)
        self._ab = ab

    def __call__(self, entries: list[Entry]) -> Results:
        outcomes, payloads = [], []
        for entry in entries:
            outcome, payload = self._one(entry)
            outcomes.append(outcome)
            payloads.append(payload)
        return Results(outcomes, payloads)

    def _one(self, entry: Entry):
        prepared, run, index = self._prepared, self._run, int(entry.name)
        pictures = [prepared.truth[index]]
        if self._ab is None:
            pairs = self._passes.first(run, pictures)
        else:
            # What the second pass adds to.
            known = {"rows": [], "features": {}}
            if entry.target == _BOXED:
                known["rows_in_boxes"] = []
            run.put(index, known)
            pairs = self._passes.second(run, pictures, self._ab)
        ((_, outcome),) = pairs
        known = run.take(index)
        looked = prepared.collector and prepared.collector.take(index)
        notes, self._notes[:] = tuple(self._notes), ()
        return outcome, (known, looked, notes)


class _ClusterPasses:
    """`compare.Passes` on a cluster.

    Args:
        workers: Workers, what a process gets.
        note: function of a path and a line of text, or None.
        wanted: Wanted, which each process prepares for each pass.
        prepared: Prepared, whose collector gets what those of others saw.
        folder: str, where the report is made; all machines see it.
    """

    def __init__(
        self,
        workers: Workers,
        note: Callable[[str, str], None] | None,
        wanted: Wanted,
        prepared: Prepared,
        folder: str,
    ):
        self._workers, self._note = workers, note
        self._wanted, self._folder = wanted, folder
        self._collector = prepared.collector

    def first(self, run: compare.Run, truth: list) -> Iterator[tuple]:
        """See `compare.Passes.first`."""
        return self._pass(run, truth, None, run.put)

    def second(
        self, run: compare.Run, done: list, ab: np.ndarray
    ) -> Iterator[tuple]:
        """See `compare.Passes.second`."""

        def add(index, known):
            run.rows[index] += known["rows"]
            run.features[index] |= known["features"]
            if index in run.rows_in_boxes:
                run.rows_in_boxes[index] += known["rows_in_boxes"]

        return self._pass(run, done, ab, add)

    def _pass(self, run, pictures, ab, put) -> Iterator[tuple]:
        by_path = {picture.path: picture for picture in pictures}
        entries = [
            Entry(
                p.path,
                str(p.index),
                _BOXED if p.index in run.rows_in_boxes else _WHOLE,
            )
            for p in pictures
        ]
        path = os.path.join(self._folder, ".tfcolor-cluster-plan")
        plan = listing.write_plan(entries, path, unique=False)
        make_work = functools.partial(
            _MeasureWork, self._wanted, self._folder, ab
        )
        with contextlib.ExitStack() as stack:
            stack.callback(os.remove, path)
            size = engine.chunk_size(len(pictures), self._workers)
            for results in engine.run_chunks(
                plan.in_chunks(size), make_work, workers=self._workers
            ):
                for outcome, payload in zip(
                    results.outcomes, results.payloads, strict=True
                ):
                    picture = by_path[outcome.source]
                    self._take(picture.index, outcome, payload, put)
                    yield picture, outcome

    def _take(self, index: int, outcome: Outcome, payload, put) -> None:
        # Of a picture that was given up there is none.
        known, looked, notes = payload or (None, None, ())
        for path, line in notes:
            if self._note is not None:
                self._note(path, line)
        if not outcome.reason:
            put(index, known)
            if looked is not None:
                self._collector.put(index, looked)
