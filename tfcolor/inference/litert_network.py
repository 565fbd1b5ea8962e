"""A LiteRT (TFLite) file that colors squares, run by what can run it."""

import contextlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator

import numpy as np

_SIGNATURE = "serving_default"
_STDERR, _ANNOUNCEMENT = 2, b"INFO: Created TensorFlow Lite"
# The console is of the whole process.
_CONSOLE = threading.Lock()


class LiteRTNetwork:
    """Runs a LiteRT file with the input `L` and the output `ab`.

    Several threads may share it; one runs at a time.

    Args:
        content: bytes of the file.
        threads: int or None. None is `processors()`; LiteRT's own choice is
            one alone.
    """

    def __init__(self, content: bytes, *, threads: int | None = None):
        with _CONSOLE, warnings.catch_warnings(), _without_announcements():
            # TensorFlow 2.20 announces that its interpreter moves to the
            # package that is preferred here.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is dep")
            interpreter = _interpreter_class()(
                model_content=content, num_threads=threads or processors()
            )
            interpreter.allocate_tensors()
        self._run = interpreter.get_signature_runner(_SIGNATURE)
        self._lock = threading.Lock()

    def predict_ab(self, L: np.ndarray, **more: np.ndarray) -> np.ndarray:
        """Runs the network.

        Args:
            L: float32 array [1, S, S, 1], 0..100.
            **more: float32 arrays, the other inputs of the file.

        Returns:
            float32 array [1, S, S, 2], CIELAB.
        """
        with self._lock:
            return self._run(L=L, **more)["ab"]


@contextlib.contextmanager
def _without_announcements() -> Iterator[None]:
    """Keeps LiteRT from telling on the console which processor it uses.

    It has no setting for that. Whatever else is said is said afterwards.
    """
    sys.stderr.flush()
    try:
        console = os.dup(_STDERR)
    except OSError:
        # There is no console.
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(console, _STDERR)
            os.close(console)
            said.seek(0)
            for line in said:
                if not line.startswith(_ANNOUNCEMENT):
                    os.write(_STDERR, line)


def processors() -> int:
    """Returns how many threads this process is to compute with, int.

    That many are TF_NUM_INTRAOP_THREADS of the environment, which TensorFlow
    follows too, else the processors that the process may use.
    """
    wanted = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_own_package() -> bool:
    """Tells whether LiteRT is there without TensorFlow."""
    try:
        import ai_edge_litert.interpreter  # noqa: F401
    except ImportError:
        return False
    return True


def _interpreter_class():
    """Returns LiteRT's interpreter: its own package's, else TensorFlow's."""
    if has_own_package():
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    import tensorflow as tf

    return tf.lite.Interpreter
