"""Evaluations on a cluster: `compare` whose pictures others measure.

Each process of the cluster makes the state of a comparison for itself, with
its own models, measures the pictures of its tasks, and gives away what it
knows of them. The command puts all of it together: the numbers are those of
one machine.
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Callable

import numpy as np

from tfcolor.cluster import engine
from tfcolor.cluster import listing
from tfcolor.cluster.engine import Results
from tfcolor.cluster.engine import Workers
from tfcolor.cluster.listing import Entry
from tfcolor.data.outcome import Outcome
from tfcolor.evaluation import compare
from tfcolor.evaluation.color_scores import ClassCollector
from tfcolor.evaluation.methods import TruePicture

# Of a picture with rows of the pixels inside its boxes, and of the others.
_BOXED, _WHOLE = "boxed", "whole"


@dataclasses.dataclass(frozen=True)
class Measuring:
    """What a process needs to measure pictures.

    Attributes:
        truth: list of TruePicture, all of them, in one order everywhere.
        methods: list of Method, without the baselines.
        run: compare.Run.
        collector: ClassCollector or None, that looks at the pictures too.
        notes: list of (path, note), what was said since it was emptied.
    """

    truth: list[TruePicture]
    methods: list
    run: compare.Run
    collector: ClassCollector | None
    notes: list[tuple[str, str]]


class _MeasureWork:
    """Measures the pictures of a task.

    Args:
        make_measuring: function without arguments to Measuring.
        ab: float array [2] or None: the mean ab of all pictures, once it is
            known; a second pass then, over pictures that were read before.
        known: what the command knows of the pictures from the first pass.
    """

    def __init__(self, make_measuring: Callable, ab: np.ndarray | None):
        self._measuring = make_measuring()
        self._passes = compare.Passes(self._measuring.methods)
        self._ab = ab

    def __call__(self, entries: list[Entry]) -> Results:
        outcomes, payloads = [], []
        for entry in entries:
            outcome, payload = self._one(entry)
            outcomes.append(outcome)
            payloads.append(payload)
        return Results(outcomes, payloads)

    def _one(self, entry: Entry):
        measuring, index = self._measuring, int(entry.name)
        picture, run = measuring.truth[index], measuring.run
        if self._ab is None:
            done = self._passes.first(run, [picture])
        else:
            # What the second pass adds to.
            known = {"rows": [], "features": {}}
            if entry.target == _BOXED:
                known["rows_in_boxes"] = []
            run.put(index, known)
            done = self._passes.second(run, [picture], self._ab)
        known = run.take(index)
        notes = tuple(note for _, note in measuring.notes)
        measuring.notes.clear()
        if not done:
            ((_, reason),) = run.failures
            run.failures.clear()
            return Outcome(entry.source, reason=reason, notes=notes), None
        looked = measuring.collector and measuring.collector.take(index)
        return Outcome(entry.source, notes=notes), (index, known, looked)


class ClusterPasses:
    """`compare.Passes` on a cluster.

    Args:
        make_measuring: function without arguments to Measuring; can be
            pickled, and is called once in each process for each pass.
        folder: str, where the plan lies; all machines see it.
        collector: ClassCollector or None; gets what those of others saw.
        cluster: str, the address of a Ray cluster; see `engine.connected`.
        workers: Workers, what a process gets.
        say: function of a path and a line of text.
        progress: function of a number of pictures to a bar with `update`, a
            context manager.
    """

    def __init__(
        self,
        make_measuring: Callable,
        folder: str,
        *,
        collector: ClassCollector | None,
        cluster: str,
        workers: Workers,
        say: Callable[[str, str], None],
        progress: Callable,
    ):
        self._make_measuring = make_measuring
        self._folder = folder
        self._collector = collector
        self._cluster, self._workers = cluster, workers
        self._say, self._progress = say, progress

    def first(self, run: compare.Run, truth: list) -> list:
        """See `compare.Passes.first`."""

        def put(index, known):
            run.put(index, known)

        return self._pass(run, truth, None, put)

    def second(self, run: compare.Run, done: list, ab: np.ndarray) -> list:
        """See `compare.Passes.second`."""

        def add(index, known):
            run.rows[index] += known["rows"]
            run.features[index] |= known["features"]
            if index in run.rows_in_boxes:
                run.rows_in_boxes[index] += known["rows_in_boxes"]

        return self._pass(run, done, ab, add)

    def _pass(self, run, pictures, ab, put) -> list:
        by_index = {picture.index: picture for picture in pictures}
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
        done, failures = set(), []
        make_work = functools.partial(_MeasureWork, self._make_measuring, ab)
        with (
            contextlib.ExitStack() as stack,
            engine.connected(self._cluster),
            self._progress(len(pictures)) as bar,
        ):
            stack.callback(os.remove, path)
            size = engine.chunk_size(len(pictures), self._workers)
            for results in engine.run_chunks(
                plan.in_chunks(size), make_work, workers=self._workers
            ):
                for outcome, payload in zip(
                    results.outcomes, results.payloads, strict=True
                ):
                    bar.update()
                    for note in outcome.notes:
                        self._say(outcome.source, note)
                    if outcome.reason:
                        failures.append((outcome.source, outcome.reason))
                        continue
                    index, known, looked = payload
                    put(index, known)
                    if self._collector is not None and looked is not None:
                        self._collector.put(index, looked)
                    done.add(index)
        # In the order of one machine, whoever came first.
        order = {picture.path: i for i, picture in enumerate(pictures)}
        run.failures += sorted(failures, key=lambda failed: order[failed[0]])
        return [by_index[index] for index in by_index if index in done]
