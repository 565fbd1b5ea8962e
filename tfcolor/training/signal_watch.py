"""Stopping a run between two steps instead of in the middle of one."""

import signal


class SignalWatch:
    """Turns SIGINT and SIGTERM into a question that the loop asks.

    A context manager, for the main thread. A second signal raises
    KeyboardInterrupt: at once.

    Attributes:
        received: str or None, the name of the signal that came.
    """

    def __enter__(self):
        self.received = None
        self._before = {
            number: signal.signal(number, self._note)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *unused):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = signal.Signals(number).name
