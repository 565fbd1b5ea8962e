import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import model_contract
from tfcolor.color import lab
from tfcolor.losses import colorized
from tfcolor.models import discriminator as discriminator_lib
from tfcolor.models.ddcolor import ddcolor
from tfcolor.models.discriminator import Judged
from tfcolor.models.discriminator import discriminator
from tfcolor.models.efficientnet_unet import efficientnet_unet


def test_it_judges_the_parts_of_a_picture():
    model = discriminator(width=1 / 16)
    logits = model(tf.random.uniform([2, 64, 96, 3]))
    assert logits.shape == (2, 1, 3, 1)


def test_it_has_as_many_weights_as_the_published_one():
    # Of convolutions and their biases, queries, keys and values, and a share.
    filters, count = 64, 64 * (3 * 16 + 1)
    for _ in range(3):
        count += filters * (filters * 9 + 1)
        count += 2 * filters * (filters * 16 + 1)
        filters *= 2
    count += filters * (filters * 9 + 1) + filters * 16
    count += 128 * (16 + 16 + 128) + 1
    model = discriminator()
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == count


def test_training_finds_the_norm_of_a_kernel():
    layer = discriminator_lib.SpectralConv(5, 3, use_bias=False)
    x = tf.random.normal([1, 8, 8, 4])
    for _ in range(60):
        layer(x, training=True)
    kernel = layer.kernel.numpy()
    norm = np.linalg.norm(kernel.reshape(-1, 5), 2)
    expected = tf.nn.conv2d(x, kernel / norm, 1, "VALID")
    np.testing.assert_allclose(layer(x), expected, atol=1e-4)


def test_attention_is_softmax_over_the_places_that_ask():
    rng = np.random.default_rng(0)
    x, value = rng.normal(size=(2, 1, 3, 2, 5)).astype(np.float32)
    query, key = rng.normal(size=(2, 1, 3, 2, 4)).astype(np.float32)
    layer = discriminator_lib.PlacesByPlaces()
    np.testing.assert_array_equal(layer(x, query, key, value), x)
    layer.share.assign([0.5])
    q, k, v = (part.reshape(6, -1) for part in (query, key, value))
    shares = np.exp(q @ k.T)
    shares /= shares.sum(0)
    expected = x + 0.5 * (shares.T @ v).reshape(x.shape)
    np.testing.assert_allclose(layer(x, query, key, value), expected, atol=1e-5)


@pytest.mark.slow
def test_each_side_learns_from_its_own_loss_alone():
    colorizer = ddcolor(
        encoder="tiny", width=1 / 32, queries=3, decoder_blocks=3
    )
    model = Judged(colorizer, discriminator(width=1 / 32))
    L = tf.random.uniform([1, 64, 64, 1], 0, 100)
    rgb = tf.random.uniform([1, 64, 64, 3])
    targets = {"L": L, "ab": tf.zeros([1, 64, 64, 2])}
    config = colorized.ColorizedConfig(
        absolute_weight=1e-9, colorfulness_weight=0, adversarial_weight=1
    )
    objective = colorized.objective(config)
    for name, learning, resting in (
        ("adversarial", model.colorizer, model.judge),
        ("discriminator", model.judge, model.colorizer),
    ):
        with tf.GradientTape(persistent=True) as tape:
            outputs = model({"L": L, "rgb": rgb}, training=True)
            loss = tf.reduce_sum(objective(targets, outputs)[name])
        for network, learns in ((learning, True), (resting, False)):
            gradients = tape.gradient(
                loss, [v.value for v in network.trainable_variables]
            )
            moved = any(g is not None and np.any(g) for g in gradients)
            assert moved == learns, (name, network.name)


@pytest.mark.slow
def test_both_colors_are_judged_alike():
    colorizer = ddcolor(
        encoder="tiny", width=1 / 32, queries=3, decoder_blocks=3
    )
    model = Judged(colorizer, discriminator(width=1 / 32))
    keras.utils.set_random_seed(0)
    L = tf.random.uniform([1, 64, 64, 1], 0, 100)
    outputs = model({"L": L, "rgb": tf.random.uniform([1, 64, 64, 3])})
    np.testing.assert_allclose(
        outputs["predicted_logits"], outputs["fooling_logits"], atol=1e-5
    )
    np.testing.assert_array_equal(outputs["ab"], colorizer({"L": L})["ab"])


def test_colors_are_judged_under_the_lightness_that_is_given():
    colorizer = efficientnet_unet()
    model = Judged(colorizer, discriminator(width=1 / 32))
    inputs = model_contract.random_inputs(64, 64)
    inputs["rgb"] = tf.random.uniform([2, 64, 64, 3])
    outputs = model(inputs)
    assert outputs["ab_logits"].shape == (2, 16, 16, 261)
    judged_L = 100 - inputs["L"]
    others = model(inputs | {"judged_L": judged_L})
    np.testing.assert_array_equal(outputs["ab"], others["ab"])
    rgb = lab.lab_to_rgb(tf.concat([judged_L, outputs["ab"]], -1))
    expected = model.judge(rgb)
    np.testing.assert_allclose(others["predicted_logits"], expected, atol=1e-5)
    np.testing.assert_allclose(others["fooling_logits"], expected, atol=1e-5)
    assert np.abs(outputs["predicted_logits"] - expected).max() > 1e-5
