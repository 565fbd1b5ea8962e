"""What the workers of one job do together, and when one of them is gone."""

import contextlib
import re

import tensorflow as tf

from tfcolor.training import strategy as strategy_lib
from tfcolor.training.loop import WorkerLost

# How TensorFlow says that it cannot reach another worker.
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
)
# The lines that matter of its long messages.
_REPORTED = r"(Error reported from [^\n]*|failed to connect[^\n;]*)"


class Agreement:
    """Takes a wish of one worker for a wish of all.

    Signals reach one process, and clocks differ; what workers do together,
    such as saving, all must do after the same step.

    Args:
        strategy: tf.distribute.Strategy.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self._strategy = strategy
        self._alone = strategy_lib.this_worker(strategy).count == 1

    def any(self, *wishes: bool) -> tuple[bool, ...]:
        """Tells for each wish whether any worker has it.

        All workers must call it after the same step.

        Args:
            *wishes: bool, those of this worker.

        Returns:
            tuple of as many bool.
        """
        if self._alone:
            return wishes
        counts = self._add_up(tf.constant(wishes, tf.float32)).numpy()
        return tuple(bool(count) for count in counts)

    @tf.function
    def _add_up(self, values):
        each = self._strategy.run(tf.identity, (values,))
        return self._strategy.reduce("SUM", each, axis=None)


@contextlib.contextmanager
def noticed(worker: strategy_lib.Worker):
    """Says in one line that a worker is gone; a context manager.

    Args:
        worker: Worker, this one. Alone, it loses nobody.

    Raises:
        WorkerLost: another worker cannot be reached.
    """
    try:
        yield
    except _LOST as error:
        if worker.count == 1:
            raise
        found = re.search(_REPORTED, error.message)
        reason = found[1] if found else type(error).__name__
        raise WorkerLost(
            f"another of the {worker.count} workers is gone; started again, "
            f"all of them go on from the last checkpoint ({reason})"
        ) from error
