"""What came of each picture: the record of all commands over many files."""

import collections
import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

# Why nothing was to be done for a picture.
THERE_ALREADY = "there already, skipped"
IN_COLOR = "in color, left out"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one picture.

    Attributes:
        source: str. Path of the picture.
        written: tuple of str. Paths of the files written.
        reason: str or None. Why it failed, in one line.
        skipped: str or None. Why nothing was to be done, `THERE_ALREADY` or
            `IN_COLOR`.
        notes: tuple of str. Lines about what was ignored, or what the files
            written do not hold.
        boxes: int. How many boxes were found, where they were looked for.
        name: str. What tables call it, where there are some: its path below
            the folder it was found in.
        classes: tuple of pairs of a class and its probability, the best first,
            where they were asked for.
    """

    source: str
    written: tuple[str, ...] = ()
    reason: str | None = None
    skipped: str | None = None
    notes: tuple[str, ...] = ()
    boxes: int = 0
    name: str = ""
    classes: tuple[tuple[str, float], ...] = ()


def never() -> bool:
    """Stops nothing: what `stop` is unless somebody gives another function."""
    return False


class Outcomes(Iterator[Outcome]):
    """One `Outcome` for each picture, as the work goes on.

    The work is done while this is iterated. `close` ends it: what is being
    written is finished, nothing else is begun.

    Args:
        outcomes: iterator of Outcome; a generator can be closed.
        total: int, how many there will be.

    Attributes:
        result: what the work made of all pictures together; None before its
            end, where it was stopped, and of works that make nothing of them.
    """

    def __init__(self, outcomes: Iterator[Outcome], total: int):
        self._outcomes = outcomes
        self._total = total
        self.result = None

    def __len__(self):
        return self._total

    def __next__(self):
        try:
            return next(self._outcomes)
        except StopIteration as end:
            if end.value is not None:
                self.result = end.value
            raise

    def finish(self):
        """Does what is left of the work; returns its `result`."""
        collections.deque(self, maxlen=0)
        return self.result

    def close(self) -> None:
        """Ends the work."""
        if hasattr(self._outcomes, "close"):
            self._outcomes.close()


def after_skipped(
    sources: Sequence[str], running: Iterator[Outcome], total: int
) -> Outcomes:
    """Puts pictures that are there already before those being done.

    Args:
        sources: sequence of str, pictures of which nothing is to be done.
        running: generator of the Outcome of each other picture.
        total: int, how many these are.

    Returns:
        Outcomes of all pictures.
    """

    def outcomes():
        for source in sources:
            yield Outcome(source, skipped=THERE_ALREADY)
        yield from running

    return Outcomes(outcomes(), len(sources) + total)
