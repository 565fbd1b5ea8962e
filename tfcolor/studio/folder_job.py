"""A folder colored in the background, one picture between two wishes."""

import os
from collections.abc import Callable

from tfcolor.data import files
from tfcolor.inference import album
from tfcolor.studio import reasons
from tfcolor.studio import worker as worker_lib
from tfcolor.studio.colorizers import Loaded
from tfcolor.studio.worker import Worker

# A page shows no more; the count goes on.
_MOST_FAILURES = 1000


class FolderJob:
    """Colors the pictures of a folder into another one.

    The only place where the studio writes out of its temporary folder: the
    output folder, which the person has typed in full. It must not be the
    input folder or lie around it, and results that exist are kept.

    Args:
        worker: Worker, which does each picture when nobody waits.
        source: str, absolute path of a folder.
        output: str, absolute path of a folder, made if it does not exist.
        get_model: function to the Loaded model; called in the worker.
        saturation: float.
        max_pixels: int. A picture of more fails.

    Raises:
        ValueError: a path is not absolute, `source` is no folder, or `output`
            is `source` or holds it.
    """

    def __init__(
        self,
        worker: Worker,
        *,
        source: str,
        output: str,
        get_model: Callable[[], Loaded],
        saturation: float,
        max_pixels: int,
    ):
        _check_folders(source, output)
        self._worker, self._get_model = worker, get_model
        self._source, self._output = source, output
        self._saturation, self._max_pixels = saturation, max_pixels
        self._outcomes = None
        self._cancelled = False
        self._failed = 0
        self.state = {
            "source": source,
            "output": output,
            "done": 0,
            "skipped": 0,
            "failed": 0,
            "total": None,
            "failures": [],
            "running": True,
            "cancelled": False,
            "error": None,
        }
        self._next(self._begin)

    def cancel(self) -> None:
        """Begins no other picture; what is being written is finished."""
        self._cancelled = True

    def _next(self, function) -> None:
        future = self._worker.submit(function, order=worker_lib.LATER)
        future.add_done_callback(self._look)

    def _look(self, future) -> None:
        error = future.exception()
        if error is not None:
            said = None
            # Stale: the studio has ended.
            if not isinstance(error, worker_lib.Stale):
                said = reasons.coded(files.one_line(error))
            self.state |= {"error": said, "running": False}

    def _begin(self) -> None:
        loaded = self._get_model()
        self._outcomes = album.colorize_album(
            [self._source],
            os.path.join(self._output, ""),
            # One at a time: a person who works on a photo waits for it.
            make_colorizer=lambda: loaded.with_options(
                self._saturation, batch_size=1, hints=False
            ),
            # A film would take the worker for minutes.
            films=False,
            max_pixels=self._max_pixels,
            stop=lambda: self._cancelled,
        )
        self.state["total"] = len(self._outcomes)
        self._next(self._step)

    def _step(self) -> None:
        outcome = None if self._cancelled else next(self._outcomes, None)
        if outcome is None:
            self._outcomes.close()
            self.state |= {"running": False, "cancelled": self._cancelled}
            return
        if outcome.reason:
            self.state["failed"] += 1
            if len(self.state["failures"]) < _MOST_FAILURES:
                self.state["failures"].append(
                    {
                        "name": files.shown_name(
                            os.path.relpath(outcome.source, self._source)
                        ),
                        **reasons.coded(files.shown_name(outcome.reason)),
                    }
                )
        elif outcome.skipped:
            self.state["skipped"] += 1
        else:
            self.state["done"] += 1
        self._next(self._step)


def _check_folders(source: str, output: str) -> None:
    for name, path in (("with photos", source), ("for output", output)):
        if not isinstance(path, str) or not os.path.isabs(path):
            raise ValueError(
                f"The folder {name} must be a full path. Received: {path!r}"
            )
    if not os.path.isdir(source):
        raise ValueError(
            f"The folder with photos must exist. Received: {source!r}"
        )
    inside, around = os.path.realpath(source), os.path.realpath(output)
    if os.path.commonpath([inside, around]) == around:
        raise ValueError(
            "The folder for output must be another one than that with "
            f"photos, and not hold it. Received: {output!r}"
        )
