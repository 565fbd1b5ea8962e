"""Picking rows of a batch, and putting them back.

Convolutions on CPUs (oneDNN) fail on a batch of no rows. Where nothing is
chosen, `TakeWhere` gives one small row of zeros instead, which costs next to
nothing and which `MergeWhere` drops again.
"""

import keras
import tensorflow as tf

# Height and width of that row: the smallest picture a network takes.
_SPARE_SIZE = 8


@keras.saving.register_keras_serializable(package="tfcolor")
class TakeWhere(keras.layers.Layer):
    """Keeps the rows that are chosen, in their order.

    Call arguments:
        x: tensor [B, ...] or [B, N, ...].
        chosen: bool [B] or [B, N].

    Returns:
        Tensor [M, ...], of what follows the axes of `chosen`, in the dtype of
        `x`. Where nothing is chosen, [1, ...] of zeros, of 8 x 8 pixels if
        the rows are pictures (three axes).
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, x, chosen):
        """Returns `x` where `chosen`."""
        row = tf.shape(x)[len(chosen.shape) :]
        if len(x.shape) - len(chosen.shape) == 3:
            row = tf.stack([_SPARE_SIZE, _SPARE_SIZE, row[-1]])
        rows = tf.cond(
            tf.reduce_any(chosen),
            lambda: tf.boolean_mask(x, chosen),
            lambda: tf.zeros(tf.concat([[1], row], axis=0), x.dtype),
        )
        return tf.ensure_shape(
            rows, self.compute_output_shape(x.shape, chosen.shape)
        )

    def compute_output_shape(self, x_shape, chosen_shape):
        """Returns the shape; the number of rows is not known."""
        row = tuple(x_shape)[len(chosen_shape) :]
        if len(row) == 3:
            row = (None, None, row[-1])
        return (None, *row)

    def compute_output_spec(self, x, chosen):
        """Returns the shape, and the dtype of `x`."""
        shape = self.compute_output_shape(x.shape, chosen.shape)
        return keras.KerasTensor(shape, dtype=x.dtype)


@keras.saving.register_keras_serializable(package="tfcolor")
class MergeWhere(keras.layers.Layer):
    """Joins the pictures of two `TakeWhere` into one batch.

    Call arguments:
        taken: tensor [M, H, W, C], the pictures that are chosen.
        rest: tensor [B - M, H, W, C], the others.
        chosen: bool [B].

    Returns:
        Tensor [B, H, W, C].
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, taken, rest, chosen):
        """Returns the pictures in their places."""
        places = tf.range(tf.size(chosen))
        where = [
            tf.boolean_mask(places, chosen),
            tf.boolean_mask(places, ~chosen),
        ]
        # A spare row is smaller than the pictures, or of their size.
        picture = tf.maximum(tf.shape(taken)[1:], tf.shape(rest)[1:])
        pictures = [
            tf.reshape(
                rows[: tf.size(place)],
                tf.concat([[tf.size(place)], picture], axis=0),
            )
            for place, rows in zip(where, (taken, rest), strict=True)
        ]
        merged = tf.dynamic_stitch(where, pictures)
        shape = (chosen.shape[0], None, None, taken.shape[-1])
        return tf.ensure_shape(merged, shape)

    def compute_output_shape(self, taken_shape, rest_shape, chosen_shape):
        """Returns the shape of the whole batch."""
        del rest_shape
        return (chosen_shape[0], *taken_shape[1:])
