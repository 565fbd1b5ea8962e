"""What a worker does when another one of its job is gone."""

import contextlib
import re

import tensorflow as tf

from tfcolor.training.strategy import Worker

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


class WorkerLost(Exception):
    """Another worker of the job is gone, and with it the run."""


@contextlib.contextmanager
def noticed(worker: Worker):
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
