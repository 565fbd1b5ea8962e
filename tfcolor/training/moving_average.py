"""A moving average of a model's weights."""

import contextlib

import keras
import tensorflow as tf

from tfcolor.training import averaged_weights


class MovingAverage(tf.Module):
    """Averages what a run changes in a model: weights and BN statistics.

    The statistics belong to it: those of the last few batches do not fit
    averaged weights, and colors come out wrong and far too strong.

    Early steps count more than the momentum says, so that the average does
    not carry the random start along. It is a `tf.Module`: checkpoints save
    it. Make it in the scope of the strategy.

    Args:
        model: keras.Model, built.
        momentum: float in [0, 1); 0 follows the weights at once.
    """

    def __init__(self, model: keras.Model, momentum: float):
        super().__init__()
        self._momentum = momentum
        self._weights = [w.value for w in averaged_weights.changing(model)]
        self.averages = [
            tf.Variable(tf.convert_to_tensor(w), trainable=False)
            for w in self._weights
        ]
        self.updates = tf.Variable(0, trainable=False, dtype=tf.int64)

    def update(self) -> None:
        """Takes the present weights into the average."""
        if not self._momentum:
            return
        count = tf.cast(self.updates.assign_add(1), tf.float32)
        momentum = tf.minimum(
            self._momentum, averaged_weights.early_momentum(count)
        )
        for average, weight in zip(self.averages, self._weights, strict=True):
            average.assign_add((1 - momentum) * (weight - average))

    @contextlib.contextmanager
    def applied(self):
        """Puts the average in place of the weights for a `with` block."""
        if not self._momentum:
            yield
            return
        kept = [tf.identity(w) for w in self._weights]
        try:
            for average, weight in zip(
                self.averages, self._weights, strict=True
            ):
                weight.assign(average)
            yield
        finally:
            for weight, value in zip(self._weights, kept, strict=True):
                weight.assign(value)
