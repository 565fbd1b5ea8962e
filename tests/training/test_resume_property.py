"""A run that stops anywhere and goes on equals one that never stopped."""

import contextlib
import os
import signal

import hypothesis
import pytest
import tensorflow as tf
from hypothesis import strategies

from tests import properties
from tests.training import run_files
from tests.training import tiny_run
from tests.training.tiny_run import TinyRun
from tfcolor.training.loop import Interrupted


def _stopping(at: int):
    """Makes data that send SIGINT before the batch of a step is given."""

    def data(epoch, count):
        whole = tiny_run.batches(epoch, count)

        def generate():
            for i, batch in enumerate(whole.as_numpy_iterator()):
                if epoch * tiny_run.STEPS + i == at:
                    os.kill(os.getpid(), signal.SIGINT)
                yield batch

        return tf.data.Dataset.from_generator(
            generate, output_signature=whole.element_spec
        )

    return data


@pytest.mark.long
def test_resuming_at_any_step_equals_never_stopping(tmp_path_factory, whole):
    stopped = []

    @properties.tried(7)
    @hypothesis.given(strategies.integers(0, 3 * tiny_run.STEPS - 1))
    def check(step):
        folder = tmp_path_factory.mktemp("stopped")
        # In the last step a signal lets the run end.
        with contextlib.suppress(Interrupted):
            TinyRun(epochs=3, data=_stopping(step)).start(folder)
        stopped.append(len(run_files.column(folder, "loss")))
        TinyRun(epochs=3).start(folder)
        run_files.assert_same_run(whole, folder)

    check()
    assert len(set(stopped)) > 2
