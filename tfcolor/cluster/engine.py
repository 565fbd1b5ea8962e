"""Work in chunks on a cluster, by Ray Data.

A run is a data set of chunk numbers, and one task for each: Ray Data gives
tasks to the machines, keeps few results in memory, and repeats what was lost
with a process or a machine, on any other. Processes stay, and keep the network
that they have loaded. GPUs get a pool of actors instead, as Ray ends a
process after each task that used one.

A picture that kills its process would be tried for ever. A ledger, which lives
where the command runs, counts how often a chunk was begun: from the second
time on its pictures are done one by one, and one that was lost alone twice is
given up.
"""

import contextlib
import dataclasses
import os
import pickle
import sys
import uuid
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np

from tfcolor import extras
from tfcolor.cluster import listing
from tfcolor.cluster.listing import Entry
from tfcolor.cluster.listing import Plan
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome

# Ray's own word for a new cluster of this machine.
LOCAL = "local"
# Where a machine is given by the command alone: little goes through it.
_OBJECT_STORE_BYTES = 200 * 2**20
# Losses alone after which a picture is given up.
_MOST_LOSSES = 2
LOST = (
    "its process ended while it was worked on by itself, "
    f"{_MOST_LOSSES} times; it was given up"
)


@dataclasses.dataclass(frozen=True)
class Workers:
    """What a process of the cluster gets.

    Attributes:
        cpus: int, processors of each, and threads of its network.
        gpus: float or None, GPUs of each; None: one where the cluster has
            any, else none.
    """

    cpus: int = 1
    gpus: float | None = None

    def __post_init__(self):
        if self.cpus < 1 or (self.gpus is not None and self.gpus < 0):
            raise ValueError(
                "A worker must have at least one processor, and no less than "
                f"no GPU. Received: cpus={self.cpus}, gpus={self.gpus}"
            )


ONE_CPU = Workers()


@dataclasses.dataclass(frozen=True)
class Results:
    """What came of the pictures of one chunk.

    Attributes:
        outcomes: list of Outcome.
        payloads: list of what else the work returned, one for each.
    """

    outcomes: list[Outcome]
    payloads: list


@contextlib.contextmanager
def connected(address: str) -> Iterator[None]:
    """Connects to a cluster; a context manager.

    Args:
        address: str, of a Ray cluster ("auto": the one this machine is part
            of), or `LOCAL`: all processors of this machine.

    Raises:
        ImportError: Ray is not installed.
        OSError: nothing answers there.
    """
    # Ray reports its use to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            f"`cluster` needs Ray, {extras.how_to_install('cluster')}"
        ) from error
    import logging

    if ray.is_initialized():
        yield
        return
    options = {
        "address": address,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
    }
    if address == LOCAL:
        options |= {
            "num_cpus": os.cpu_count(),
            "object_store_memory": _OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }
    try:
        ray.init(**options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise OSError(f"No cluster answers at {address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def chunk_size(pictures: int, workers: Workers, *, most: int = 256) -> int:
    """Chooses how many pictures a task has.

    Args:
        pictures: int, at least so many there are.
        workers: Workers.
        most: int, the result at most.

    Returns:
        int: enough that starting a task does not count, and few enough that
        all workers end at about the same time.
    """
    count = max(1, _worker_count(workers))
    return max(1, min(most, pictures // (4 * count)))


def _worker_count(workers: Workers) -> int:
    import ray

    found = ray.cluster_resources()
    count = int(found.get("CPU", 1) // workers.cpus)
    if gpus := gpus_of(workers):
        count = min(count, int(found.get("GPU", 0) // gpus))
    return count


def gpus_of(workers: Workers) -> float:
    """Returns how many GPUs each process gets on the connected cluster."""
    if workers.gpus is not None:
        return workers.gpus
    import ray

    return 1 if ray.cluster_resources().get("GPU", 0) else 0


def has_gpu() -> bool:
    """Tells whether a cluster gave this process a GPU, or a part of one."""
    # Processes of a cluster have it.
    ray = sys.modules.get("ray")
    return bool(ray and ray.is_initialized() and ray.get_gpu_ids())


class Ledger:
    """Counts what was begun; an actor beside the command."""

    def __init__(self):
        self._begun, self._there, self._alone = {}, {}, {}

    def begin(self, chunk, there: list[int]) -> tuple[int, list[int]]:
        """Notes that a chunk is begun.

        Args:
            chunk: int, or whatever else tells it from others.
            there: list of int, which of its pictures are done already.

        Returns:
            How often it has been begun, and what was there the first time.
        """
        self._begun[chunk] = self._begun.get(chunk, 0) + 1
        return self._begun[chunk], self._there.setdefault(chunk, there)

    def begin_alone(self, source: str):
        """Notes that a picture is begun by itself.

        Returns:
            int, how often it was lost so; or its results, if it has any.
        """
        known = self._alone.get(source, 0)
        if isinstance(known, int):
            self._alone[source] = known + 1
        return known

    def end_alone(self, source: str, results) -> None:
        """Keeps the results of a picture that was done by itself."""
        self._alone[source] = results


def nothing_done(entry: Entry) -> None:
    """Tells that everything is to be done, whatever there is."""
    del entry


def run_chunks(
    plan: Plan,
    make_work: Callable,
    *,
    workers: Workers = ONE_CPU,
    find_done: Callable[[Entry], tuple[str, ...] | None] = nothing_done,
    sink=None,
) -> Iterator[Results]:
    """Does the work of a plan on the cluster.

    Args:
        plan: Plan.
        make_work: function without arguments to a function of a list of Entry
            to Results; can be pickled. It is called once in each process.
        workers: Workers.
        find_done: function of an Entry to the paths of its results, if all of
            them are there, or None; can be pickled.
        sink: sinks.Sink or None. Packs the payloads of each chunk.

    Yields:
        Results of each chunk, in any order.

    Raises:
        OSError, ValueError: `make_work` did.
    """
    import ray
    from ray.util import scheduling_strategies

    here = scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    gpus = gpus_of(workers)
    options = {
        "run": uuid.uuid4().hex,
        "path": plan.path,
        "offsets": ray.put(plan.offsets),
        "make_work": make_work,
        "find_done": find_done,
        "sink": sink,
        "ledger": ray.remote(num_cpus=0)(Ledger)
        .options(scheduling_strategy=here)
        .remote(),
        "threads": None if gpus else workers.cpus,
    }
    resources = {"num_cpus": workers.cpus}
    if gpus:
        pool = ray.data.ActorPoolStrategy(
            min_size=1, max_size=max(1, _worker_count(workers))
        )
        resources |= {"num_gpus": gpus, "compute": pool}
        function, arguments = _Actor, {"fn_constructor_kwargs": options}
    else:
        function, arguments = _run_batch, {"fn_kwargs": options}
    _quiet()
    data = ray.data.range(plan.chunks, override_num_blocks=plan.chunks)
    data = data.map_batches(function, batch_size=None, **resources, **arguments)
    for batch in data.iter_batches(batch_size=None, prefetch_batches=0):
        for pickled in batch["results"]:
            results = pickle.loads(pickled)
            if isinstance(results, Exception):
                raise results
            yield results


def _quiet() -> None:
    import logging

    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # Nobody asks Ray for the statistics of so many tasks.
    context.enable_auto_log_stats = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


class _Actor:
    """`_run_batch` in an actor."""

    def __init__(self, **options):
        self._options = options

    def __call__(self, batch):
        return _run_batch(batch, **self._options)


def _run_batch(batch: dict, *, offsets, path, **options) -> dict:
    """Does the chunks of a batch, in a process of the cluster."""
    import ray

    offsets = ray.get(offsets)
    results = []
    for chunk in batch["id"]:
        entries = listing.read_chunk(
            path, int(offsets[chunk]), int(offsets[chunk + 1])
        )
        results.append(pickle.dumps(_run_chunk(int(chunk), entries, **options)))
    return {"results": np.array(results, object)}


def _run_chunk(chunk: int, entries: list[Entry], *, sink, **options):
    """Returns the Results of a chunk, or the error that ends the run."""
    if sink is None:
        return _do_chunk(chunk, entries, **options)
    return _fill(
        sink,
        entries,
        # A count of its own: what is tried again is another piece of work.
        lambda some: _do_chunk((chunk, len(some)), some, **options),
    )


def _fill(sink, entries: list[Entry], do: Callable):
    """Makes a shard; of one that lacks pictures, tries these first.

    Args:
        sink: sinks.Sink.
        entries: list of Entry, those of the shard.
        do: function of a list of Entry to Results, or to an error.

    Returns:
        Results, or the error.
    """
    todo = sink.left_to_do(entries)
    if not todo:
        return _skipped(entries)
    parts = []
    if len(todo) < len(entries):
        again = do(todo)
        if isinstance(again, Exception):
            return again
        failed = [outcome for outcome in again.outcomes if outcome.reason]
        sources = {outcome.source for outcome in failed}
        todo = [entry for entry in entries if entry.source not in sources]
        parts.append(Results(failed, [None] * len(failed)))
        if len(failed) == len(again.outcomes):
            return _joined([_skipped(todo), *parts])
    # All that can be done, by one process: so the shard has the bytes of one
    # that is made at once.
    results = do(todo)
    if isinstance(results, Exception):
        return results
    results = _joined([results, *parts])
    return sink.pack(entries, results)


def _skipped(entries: list[Entry]) -> Results:
    found = [
        Outcome(entry.source, skipped=outcome_lib.THERE_ALREADY)
        for entry in entries
    ]
    return Results(found, [None] * len(found))


def _do_chunk(
    chunk: int | tuple[int, int],
    entries: list[Entry],
    *,
    run,
    make_work,
    threads,
    ledger,
    find_done,
):
    import ray

    done = [find_done(entry) for entry in entries]
    there = [i for i, written in enumerate(done) if written]
    times, there_at_first = ray.get(ledger.begin.remote(chunk, there))
    parts = [_skipped([entries[i] for i in there_at_first])]
    # Done in this run, by a process that was lost before it said so.
    found = [
        Outcome(entries[i].source, done[i])
        for i in sorted(set(there) - set(there_at_first))
    ]
    parts.append(Results(found, [None] * len(found)))
    todo = [entry for i, entry in enumerate(entries) if not done[i]]
    if todo:
        try:
            work = _made(run, make_work, threads)
        except (OSError, ValueError, ImportError) as error:
            return error
        if times == 1:
            parts.append(work(todo))
        else:
            parts += [_alone(work, entry, ledger) for entry in todo]
    return _joined(parts)


def _joined(parts: list[Results]) -> Results:
    return Results(
        [outcome for part in parts for outcome in part.outcomes],
        [payload for part in parts for payload in part.payloads],
    )


def _alone(work, entry: Entry, ledger) -> Results:
    import ray

    known = ray.get(ledger.begin_alone.remote(entry.source))
    if isinstance(known, Results):
        return known
    if known >= _MOST_LOSSES:
        results = Results([Outcome(entry.source, reason=LOST)], [None])
    else:
        results = work([entry])
    ray.get(ledger.end_alone.remote(entry.source, results))
    return results


# The work of a run, in its processes.
_made_works = {}


def _made(run: str, make_work: Callable, threads: int | None):
    """Makes the work of a run, once in a process."""
    if run in _made_works:
        return _made_works[run]
    if threads is not None:
        # TensorFlow reads them when it first computes.
        os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
        os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    import warnings

    # Pillow warns about odd metadata, which are left out then.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    _made_works.clear()
    _made_works[run] = make_work()
    return _made_works[run]
