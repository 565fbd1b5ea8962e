"""The failures table of a run: a CSV file with what failed and why."""

import contextlib
import csv
import os

from tfcolor import atomic
from tfcolor.cluster import storage
from tfcolor.data.outcome import Outcomes

HEADER = ("source", "reason")


def default_path(output: str) -> str:
    """Returns where the table of an output goes: beside it.

    Args:
        output: str, a folder or URL.
    """
    return storage.beside(output, ".failures.csv")


class FailuresTable:
    """Collects failures on disk; the table appears whole at the end.

    A context manager. Without failures there is no table, and one of an
    earlier run goes.

    Args:
        path: str, path or URL.
    """

    def __init__(self, path: str):
        self.path = path
        self._count = 0

    def __enter__(self):
        # One of a command that was killed goes with the next one's.
        self._temporary = atomic.temporary_folder("tfcolor-failures-")
        folder = self._temporary.__enter__()
        self._local = os.path.join(folder, "table.csv")
        self._file = open(
            self._local,
            "w",
            newline="",
            encoding="utf-8",
            errors="surrogateescape",
        )
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADER)
        return self

    def add(self, source: str, reason: str) -> None:
        """Adds a picture and why it failed."""
        self._writer.writerow((source, reason))
        self._count += 1

    def __exit__(self, *exception):
        self._file.close()
        try:
            if self._count:
                with open(self._local, "rb") as file:
                    storage.write(self.path, file.read())
            elif exception[0] is None:
                storage.remove(self.path)
        finally:
            self._temporary.__exit__(None, None, None)


def listed(outcomes: Outcomes, path: str) -> Outcomes:
    """Lists those that failed in a table, as the work goes on.

    Args:
        outcomes: Outcomes.
        path: str, path or URL of the table; see `FailuresTable`.

    Returns:
        Outcomes, the same ones.
    """

    def running():
        with FailuresTable(path) as table, contextlib.closing(outcomes):
            for outcome in outcomes:
                if outcome.reason:
                    table.add(outcome.source, outcome.reason)
                yield outcome
            return outcomes.result

    return Outcomes(running(), len(outcomes))
