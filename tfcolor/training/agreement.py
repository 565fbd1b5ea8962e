"""Decisions that all workers of a job take alike."""

import tensorflow as tf

from tfcolor.training import strategy as strategy_lib


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
