import numpy as np
import pytest
import tensorflow as tf

from tfcolor.layers.where import MergeWhere
from tfcolor.layers.where import TakeWhere

PICTURES = tf.random.uniform([4, 16, 24, 2], seed=0)
CHOICES = [(1, 0, 0, 1), (0, 0, 0, 0), (1, 1, 1, 1)]


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
def test_what_was_taken_apart_merges_again(chosen, wrap):
    take, merge = TakeWhere(), MergeWhere()

    @wrap
    def run(pictures, chosen):
        taken, rest = take(pictures, chosen), take(pictures, ~chosen)
        # A picture network: keeps rows and sizes.
        return merge(taken * 2, rest * 3, chosen)

    chosen = tf.cast(tf.constant(chosen), tf.bool)
    factors = tf.where(chosen, 2.0, 3.0)[:, None, None, None]
    np.testing.assert_array_equal(run(PICTURES, chosen), PICTURES * factors)


def test_rows_of_two_axes_are_taken_in_order():
    x = tf.reshape(tf.range(2 * 3 * 5), [2, 3, 5])
    taken = TakeWhere()(x, tf.constant([[True, False, True], [False] * 3]))
    np.testing.assert_array_equal(taken, [x[0, 0], x[0, 2]])
    assert taken.dtype == tf.int32


@pytest.mark.parametrize(
    "row, spare", [((16, 24, 2), (1, 8, 8, 2)), ((5, 4), (1, 5, 4))]
)
def test_where_nothing_is_chosen_a_row_of_zeros_is_left(row, spare):
    taken = TakeWhere()(tf.ones([3, *row]), tf.zeros([3], tf.bool))
    assert taken.shape == spare
    assert not np.any(taken)


def test_gradients_flow_to_the_chosen_rows_only():
    chosen = tf.constant([True, False, True, False])
    with tf.GradientTape() as tape:
        tape.watch(PICTURES)
        loss = tf.reduce_sum(TakeWhere()(PICTURES, chosen))
    gradient = tf.convert_to_tensor(tape.gradient(loss, PICTURES))
    np.testing.assert_array_equal(gradient[:, 0, 0, 0], [1, 0, 1, 0])
