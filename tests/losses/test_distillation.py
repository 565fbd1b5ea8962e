import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tfcolor.color import ab_bins
from tfcolor.losses import distillation
from tfcolor.losses import objective


class Teacher:
    """Answers with what it was made of, and remembers what it was asked."""

    def __init__(self, ab, ab_logits):
        self.answers = {"ab": ab, "ab_logits": ab_logits}
        self.asked = None

    def __call__(self, inputs, training):
        assert training is False
        self.asked = inputs
        return self.answers


def _normal(*shape, scale=1.0, seed=0):
    values = np.random.default_rng(seed).normal(size=shape) * scale
    return tf.constant(values, tf.float32)


@pytest.fixture
def batch():
    targets = {
        "L": _normal(2, 8, 8, 1, seed=1),
        "ab": _normal(2, 8, 8, 2, scale=30, seed=2),
    }
    outputs = {
        "ab": _normal(2, 8, 8, 2, scale=30, seed=3),
        "ab_logits": _normal(2, 2, 2, 529, seed=4),
    }
    return targets, outputs


def _config(**options):
    return objective.ObjectiveConfig(
        **{"huber_weight": 2.0, "class_weight": 0.5} | options
    )


@pytest.mark.parametrize("true_bins", [529, 261])
def test_soft_cross_entropy_is_that_of_scipy(true_bins):
    true, found = _normal(2, 3, 4, true_bins), _normal(2, 3, 4, 529, seed=5)
    logs = special.log_softmax(found.numpy(), axis=-1)
    if true_bins == 261:
        logs = logs[..., ab_bins.SRGB_BINS]
    expected = -(special.softmax(true.numpy(), axis=-1) * logs).sum(-1)
    np.testing.assert_allclose(
        distillation.soft_cross_entropy(true, found),
        expected.mean((1, 2)),
        rtol=1e-5,
    )


def test_a_student_needs_the_teachers_bins():
    with pytest.raises(ValueError, match="at least as many bins.*261 and 529"):
        distillation.soft_cross_entropy(
            _normal(1, 2, 2, 529), _normal(1, 2, 2, 261)
        )


def test_truth_and_teacher_share_the_loss(batch):
    targets, outputs = batch
    config = _config()
    truth = objective.objective(config)
    teacher = Teacher(_normal(2, 8, 8, 2, scale=30), _normal(2, 2, 2, 261))
    losses = distillation.distilled(truth, teacher, config=config, share=0.25)(
        *batch
    )
    alone = truth(targets, outputs)
    asked = truth(targets | {"ab": teacher.answers["ab"]}, outputs)
    entropy = distillation.soft_cross_entropy(
        teacher.answers["ab_logits"], outputs["ab_logits"]
    )
    expected = {
        "huber": 0.75 * alone["huber"],
        "class": 0.75 * alone["class"],
        "teacher_huber": 0.25 * asked["huber"],
        "teacher_class": 0.25 * 0.5 * entropy,
    }
    assert set(losses) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(losses[name], value, rtol=1e-5)


def test_the_teacher_sees_hints_where_there_are_any(batch):
    targets, outputs = batch
    teacher = Teacher(targets["ab"], _normal(2, 2, 2, 529))
    config = _config(class_weight=0.0)
    losses = distillation.distilled(
        objective.objective(config), teacher, config=config, share=0.5
    )
    losses(targets, outputs)
    assert not np.any(teacher.asked["hints"])
    assert teacher.asked["mask"].shape == (2, 8, 8, 1)
    hinted = {"hints": _normal(2, 8, 8, 2), "mask": _normal(2, 8, 8, 1)}
    assert set(losses(targets | hinted, outputs)) == {"huber", "teacher_huber"}
    assert teacher.asked == {"L": targets["L"]} | hinted


def test_the_teacher_does_not_learn(batch):
    targets, outputs = batch
    inputs = {
        name: keras.Input((None, None, channels), name=name)
        for name, channels in (("L", 1), ("hints", 2), ("mask", 1))
    }
    ab = keras.layers.Conv2D(2, 1)(inputs["L"])
    logits = keras.layers.Conv2D(261, 4, strides=4)(inputs["hints"])
    teacher = keras.Model(inputs, {"ab": ab, "ab_logits": logits})
    config = _config()
    losses = distillation.distilled(
        objective.objective(config), teacher, config=config, share=1.0
    )
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        total = sum(tf.reduce_sum(x) for x in losses(*batch).values())
    gradients = tape.gradient(
        total, [teacher.trainable_variables, outputs["ab_logits"]]
    )
    assert gradients[0] == [None] * 4
    assert np.any(gradients[1])


def test_a_share_is_a_share():
    with pytest.raises(ValueError, match="0..1. Received: share=1.5"):
        distillation.distilled(None, None, config=_config(), share=1.5)
