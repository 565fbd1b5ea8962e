"""A cluster that is this process, for tests of what goes over pictures."""

import contextlib

from tfcolor.cluster import engine
from tfcolor.cluster import listing
from tfcolor.evaluation import compare


def install(monkeypatch) -> None:
    """Lets work be done here, two pictures a task."""

    def run_chunks(
        plan, make_work, *, workers, find_done=engine.nothing_done, sink=None
    ):
        del workers
        work = make_work()
        for chunk in range(plan.chunks):
            start, end = map(int, plan.offsets[chunk : chunk + 2])
            entries = listing.read_chunk(plan.path, start, end)
            if sink is not None:
                yield engine._fill(sink, entries, work)
                continue
            there = [entry for entry in entries if find_done(entry)]
            if there:
                yield engine._skipped(there)
            if todo := [entry for entry in entries if entry not in there]:
                yield work(todo)

    monkeypatch.setattr(
        engine, "connected", lambda address: contextlib.nullcontext()
    )
    monkeypatch.setattr(engine, "gpus_of", lambda workers: workers.gpus or 0)
    monkeypatch.setattr(engine, "chunk_size", lambda *_: 2)
    monkeypatch.setattr(engine, "run_chunks", run_chunks)


def count_measured(monkeypatch) -> list:
    """Returns a list that gets (pass, name) of what is measured."""
    measured = []
    for name in ("first_pass", "second_pass"):
        monkeypatch.setattr(
            compare.Run, name, _counted(getattr(compare.Run, name), measured)
        )
    return measured


def _counted(step, measured):
    def counted(run, picture, method):
        measured.append((step.__name__, picture.name))
        return step(run, picture, method)

    return counted
