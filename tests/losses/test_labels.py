import numpy as np
import tensorflow as tf

from tfcolor.losses import labels


def test_cross_entropy_is_minus_the_logarithm_of_the_true_class():
    probabilities = np.float32([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    targets = {"label": tf.constant([0, 1], tf.int64)}
    outputs = {"logits": tf.math.log(probabilities) + 3}
    (loss,) = labels.cross_entropy(targets, outputs).values()
    np.testing.assert_allclose(loss, -np.log([0.7, 0.1]), rtol=1e-5)
