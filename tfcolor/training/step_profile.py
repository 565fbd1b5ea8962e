"""A close look at some steps of a run, for TensorBoard."""

import tensorflow as tf


class StepProfile:
    """Profiles the steps after the first one, which makes the graph.

    Args:
        folder: str, of the run's TensorBoard logs.
        steps: int. How many; 0 is none.
    """

    def __init__(self, folder: str, steps: int):
        self._folder = folder
        self._wanted = steps
        self._left = 0

    def marked(self, step: int):
        """Returns a context to run steps in: profiles know their times by it.

        Args:
            step: int, the first of them.
        """
        return tf.profiler.experimental.Trace("train", step_num=step, _r=1)

    def after_step(self, all_steps, *arguments) -> None:
        """Takes notice of steps that were executed together, often one.

        Args:
            all_steps: Steps that ran them, whose graph is written.
            *arguments: of `run`.
        """
        if self._wanted:
            graph = all_steps.graph(*arguments)
            writer = tf.summary.create_file_writer(self._folder)
            with writer.as_default(step=0):
                tf.summary.graph(graph)
            writer.close()
            tf.profiler.experimental.start(self._folder)
            self._wanted, self._left = 0, self._wanted
        elif self._left:
            self._left -= 1
            if not self._left:
                tf.profiler.experimental.stop()

    def close(self) -> None:
        """Writes what there is, if the run ends before the last of them."""
        if self._left:
            self._left = 0
            tf.profiler.experimental.stop()
