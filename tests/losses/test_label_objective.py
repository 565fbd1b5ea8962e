import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.losses import label_objective

TARGETS = {"label": tf.constant([2, 0], tf.int64)}
LOGITS = tf.constant([[0.5, -1.0, 2.0], [0.0, 1.0, -2.0]])


def _model():
    x = keras.Input((4,))
    y = keras.layers.Dense(3, name="hidden")(x)
    y = keras.layers.BatchNormalization()(y)
    return keras.Model(x, keras.layers.Dense(3, name="logits")(y))


def _losses(model=None, **options):
    config = label_objective.LabelObjectiveConfig(**options)
    losses = label_objective.label_objective(config, model or _model())
    return losses(TARGETS, {"logits": LOGITS})


def test_one_hot_targets_give_the_cross_entropy():
    losses = _losses()
    assert set(losses) == {"cross_entropy"}
    expected = -np.log(tf.nn.softmax(LOGITS).numpy()[[0, 1], [2, 0]])
    np.testing.assert_allclose(losses["cross_entropy"], expected, rtol=1e-5)


def test_soft_targets_spread_a_share_over_all_classes():
    entropies = -tf.nn.log_softmax(LOGITS).numpy()
    expected = 0.7 * entropies[[0, 1], [2, 0]] + 0.3 * entropies.mean(-1)
    found = _losses(targets="soft", smoothing=0.3)["cross_entropy"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_gradient_of_l2_is_l2_times_the_kernel():
    model = _model()
    kernel = model.get_layer("hidden").kernel
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(_losses(model, l2=0.25)["l2"])
    gradients = tape.gradient(
        loss, [kernel.value, model.get_layer("hidden").bias.value]
    )
    np.testing.assert_allclose(gradients[0], 0.25 * kernel.numpy(), rtol=1e-6)
    assert gradients[1] is None


@pytest.mark.parametrize(
    "option", [{"targets": "hot"}, {"smoothing": 1.0}, {"l2": -1.0}]
)
def test_numbers_out_of_range_are_refused(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must .*Received"):
        label_objective.LabelObjectiveConfig(**option)


def test_cross_entropy_is_minus_the_logarithm_of_the_true_class():
    probabilities = np.float32([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    targets = {"label": tf.constant([0, 1], tf.int64)}
    outputs = {"logits": tf.math.log(probabilities) + 3}
    (loss,) = label_objective.cross_entropy(targets, outputs).values()
    np.testing.assert_allclose(loss, -np.log([0.7, 0.1]), rtol=1e-5)
