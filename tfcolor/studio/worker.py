"""One thread that owns the models and does all work, the newest wish first.

A person who drags a point asks for more pictures than can be made. Of wishes
with one key only the newest waits; what it replaces is answered as stale.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import InvalidStateError

# Smaller comes first: what a person waits for, then a folder's next picture.
NOW, LATER = 0, 1


class Stale(Exception):
    """A newer wish with the same key has come, or the worker has ended."""


class Worker:
    """Runs functions one after the other in a thread of its own."""

    def __init__(self):
        self._changed = threading.Condition()
        # (order, number, key, function, future); few at any time.
        self._waiting = []
        self._number = 0
        self._ended = False
        self._thread = threading.Thread(
            target=self._run, name="studio-worker", daemon=True
        )
        self._thread.start()

    def submit(
        self, function: Callable, *, key: object = None, order: int = NOW
    ) -> Future:
        """Asks for a call.

        Args:
            function: function without arguments.
            key: anything hashable, or None. A wish that waits and has the
                same key becomes stale.
            order: int, `NOW` or `LATER`.

        Returns:
            concurrent.futures.Future of what `function` returns; it raises
            `Stale` if the wish was replaced.
        """
        future = Future()
        with self._changed:
            replaced = [
                w for w in self._waiting if key is not None and w[2] == key
            ]
            for wish in replaced:
                self._waiting.remove(wish)
            self._number += 1
            wish = (order, self._number, key, function, future)
            ended = self._ended
            if not ended:
                self._waiting.append(wish)
                self._changed.notify()
        for *_, old in [*replaced, *([wish] if ended else [])]:
            _give_up(old)
        return future

    def close(self, timeout: float = 30.0) -> None:
        """Ends the thread after the call at work; all others become stale.

        Args:
            timeout: float, seconds to wait for it.
        """
        with self._changed:
            self._ended = True
            waiting, self._waiting = self._waiting, []
            self._changed.notify()
        for *_, future in waiting:
            _give_up(future)
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                wish = min(self._waiting, key=lambda w: w[:2])
                self._waiting.remove(wish)
            *_, function, future = wish
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except Exception as error:
                    future.set_exception(error)


def _give_up(future: Future) -> None:
    # Who asked may have gone already and cancelled it.
    try:
        future.set_exception(Stale())
    except InvalidStateError:
        pass
