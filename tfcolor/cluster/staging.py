"""Pictures of object stores as files of this machine, for a while.

What colors and detects reads and writes files. In a task sources come from a
store into a temporary folder, some ahead of the one in work, and results go to
the store from there; what lies on disks is read and written in its place.
"""

import collections
import dataclasses
import os
import tempfile
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from concurrent import futures

from tfcolor import atomic
from tfcolor.cluster import storage
from tfcolor.data import files
from tfcolor.data.outcome import Outcome

_THREADS = 8
# Pictures fetched before they are asked for.
_AHEAD = 16


@dataclasses.dataclass(frozen=True)
class _Staged:
    """A picture on this machine.

    Attributes:
        local: str, the path of its source.
        original: str, what it stands for.
        places: dict from the local path of a result to its path or URL.
    """

    local: str
    original: str
    places: dict[str, str]


class Stage:
    """A temporary folder for the sources and results of a task.

    A context manager.

    Args:
        keep: bool. Whether results stay here, for who packs them.
    """

    def __init__(self, *, keep: bool = False):
        self._keep = keep
        self._staged = {}
        self._uploads = collections.deque()
        self._failed = []

    def __enter__(self):
        # One of a process that was killed goes with the next one's.
        self._temporary = atomic.temporary_folder("tfcolor-cluster-")
        self._folder = self._temporary.__enter__()
        self._pool = futures.ThreadPoolExecutor(_THREADS)
        return self

    def __exit__(self, *exception):
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._temporary.__exit__(None, None, None)

    def place(self, target: str) -> str:
        """Returns where a result is written: in its place, or here.

        Args:
            target: str, path or URL.
        """
        if not self._keep and not storage.is_url(target):
            return target
        folder = tempfile.mkdtemp(prefix="result", dir=self._folder)
        return os.path.join(folder, os.path.basename(target))

    def sources(
        self, jobs: Iterable, make_local: Callable[..., tuple]
    ) -> Iterator:
        """Brings the sources of jobs here, some ahead.

        Args:
            jobs: iterable of whatever has a `source`.
            make_local: function of a job and the local path of its source to
                a job like it and a dict from local paths of results to their
                places.

        Yields:
            Local jobs; those whose source cannot be fetched are left out, and
            named by `outcomes`.
        """
        waiting = collections.deque()
        for job in jobs:
            waiting.append((job, self._pool.submit(self._fetch, job.source)))
            if len(waiting) > _AHEAD:
                yield from self._arrived(*waiting.popleft(), make_local)
        for job, future in waiting:
            yield from self._arrived(job, future, make_local)

    def _fetch(self, source: str) -> str:
        if not storage.is_url(source):
            return source
        folder = tempfile.mkdtemp(prefix="source", dir=self._folder)
        local = os.path.join(folder, source.rpartition("/")[2])
        storage.fetch(source, local)
        return local

    def _arrived(self, job, future, make_local):
        try:
            source = future.result()
        except Exception as error:
            # Each kind of store has errors of its own.
            reason = files.one_line(error, path=False)
            self._failed.append(Outcome(job.source, reason=reason))
            return
        local, places = make_local(job, source)
        self._staged[source] = _Staged(source, job.source, places)
        yield local

    def outcomes(self, running: Iterable[Outcome]) -> Iterator[Outcome]:
        """Brings results to their places.

        Args:
            running: iterable of the Outcome of each local job.

        Yields:
            Outcome of each job, with its own source and places; of a kept
            result the local path.
        """
        for outcome in running:
            staged = self._staged.pop(outcome.source)
            future = self._pool.submit(self._deliver, staged, outcome)
            self._uploads.append(future)
            while len(self._uploads) > _AHEAD:
                yield self._uploads.popleft().result()
        while self._uploads:
            yield self._uploads.popleft().result()
        yield from self._failed

    def _deliver(self, staged: _Staged, outcome: Outcome) -> Outcome:
        written = []
        try:
            for local in outcome.written:
                place = staged.places.get(local, local)
                if storage.is_url(place) and not self._keep:
                    storage.put(local, place)
                    os.remove(local)
                written.append(local if self._keep else place)
        except Exception as error:
            return Outcome(staged.original, reason=files.one_line(error))
        finally:
            if staged.local != staged.original:
                os.remove(staged.local)
        return dataclasses.replace(
            outcome, source=staged.original, written=tuple(written)
        )
