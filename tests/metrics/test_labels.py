import numpy as np
import tensorflow as tf

from tfcolor import metrics

LOGITS = tf.constant(
    [[9.0, 1, 2, 3, 4], [1, 9, 2, 3, 4], [5, 4, 3, 2, 1], [5, 4, 3, 2, 1]]
)
TARGETS = {"label": tf.constant([0, 4, 2, 3], tf.int64)}


def test_accuracies_count_the_best_and_the_best_three():
    found = metrics.label_metrics({}, TARGETS, {"logits": LOGITS})
    np.testing.assert_array_equal(found["accuracy"], [1, 0, 0, 0])
    np.testing.assert_array_equal(found["top3"], [1, 1, 1, 0])


def test_two_classes_are_both_among_the_best_three():
    targets = {"label": tf.constant([1], tf.int64)}
    found = metrics.accuracies(targets, {"logits": tf.constant([[2.0, 1.0]])})
    assert (found["accuracy"], found["top3"]) == (0, 1)


def test_a_tie_is_not_right_for_every_class():
    targets = {"label": tf.range(5, dtype=tf.int64)}
    found = metrics.accuracies(targets, {"logits": tf.zeros([5, 5])})
    np.testing.assert_array_equal(found["accuracy"], [1, 0, 0, 0, 0])
    np.testing.assert_array_equal(found["top3"], [1, 1, 1, 0, 0])
