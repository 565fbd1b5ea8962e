"""Keeping account of pictures that were left out, and why."""

import collections
import threading

from tfcolor.data import files


class DropLog:
    """Counts dropped pictures by reason and remembers their names.

    Data pipelines run in several threads and pass a picture once an epoch; a
    picture counts once for a reason, however often it is met.
    """

    def __init__(self):
        self._names = collections.defaultdict(dict)
        self._lock = threading.Lock()

    def record(self, name: str, reason: str, detail: str = "") -> None:
        """Notes one dropped picture.

        Args:
            name: str, what the source calls the picture, mostly its path.
            reason: str, the rule that dropped it; pictures are counted by it.
            detail: str, more about this one picture.
        """
        with self._lock:
            self._names[reason].setdefault(name, detail)

    def count(self, reason: str) -> int:
        """Returns how many pictures were dropped for `reason`."""
        with self._lock:
            return len(self._names.get(reason, ()))

    def summary(self, *, examples: int = 3) -> str:
        """Describes what was dropped, in one line a reason.

        Args:
            examples: int, how many names to give for each reason.

        Returns:
            str, empty when nothing was dropped.
        """
        with self._lock:
            lines = []
            for reason, names in self._names.items():
                shown = [
                    files.shown_name(name) + (f" ({detail})" if detail else "")
                    for name, detail in list(names.items())[:examples]
                ]
                more = ", ..." if len(names) > examples else ""
                lines.append(
                    f"dropped {len(names)} pictures, {reason}: "
                    f"{', '.join(shown)}{more}"
                )
            return "\n".join(lines)
