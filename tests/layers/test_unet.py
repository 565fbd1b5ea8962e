import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.color import lab
from tfcolor.layers.unet import GlobalAttention
from tfcolor.layers.unet import GreyFromL
from tfcolor.layers.unet import HintCorrection
from tfcolor.layers.unet import PooledHints


def test_grey_from_l_is_the_byte_that_has_this_lightness():
    values = np.arange(256, dtype=np.float32)[None, None, :, None]
    L = lab.grey_to_L(tf.constant(values / 255))
    found = GreyFromL()(L).numpy() * 128 + 127
    np.testing.assert_allclose(found, values, atol=0.02)


def test_black_has_a_finite_gradient():
    L = tf.zeros([1, 2, 2, 1])
    with tf.GradientTape() as tape:
        tape.watch(L)
        total = tf.reduce_sum(GreyFromL()(L))
    assert np.isfinite(tape.gradient(total, L)).all()


def test_pooled_hints_are_the_mean_of_the_hinted_pixels():
    hints = np.zeros((1, 8, 16, 2), np.float32)
    mask = np.zeros((1, 8, 16, 1), np.float32)
    # Two hints in the left cell, none in the right one.
    hints[0, 1, 2], hints[0, 5, 6] = (55, -22), (11, 44)
    mask[0, 1, 2] = mask[0, 5, 6] = 1
    pooled = PooledHints(size=8)(hints, mask).numpy()
    assert pooled.shape == (1, 1, 2, 3)
    share = 2 / 64
    confidence = share / (share + 1e-3)
    np.testing.assert_allclose(pooled[0, 0, 0, 2], confidence, atol=1e-5)
    np.testing.assert_allclose(
        pooled[0, 0, 0, :2], np.array([33, 11]) / 110 * confidence, atol=1e-4
    )
    np.testing.assert_array_equal(pooled[0, 0, 1], 0)


def test_one_hinted_pixel_is_seen_at_every_size():
    hints, mask = np.zeros((1, 32, 32, 2)), np.zeros((1, 32, 32, 1))
    hints[0, 3, 3], mask[0, 3, 3] = (60, 0), 1
    for size in (4, 8, 16, 32):
        pooled = PooledHints(size=size)(hints, mask).numpy()
        confidence = pooled[0, 0, 0, 2]
        assert confidence > 0.4
        np.testing.assert_allclose(
            pooled[0, 0, 0, 0] / confidence, 60 / 110, rtol=0.01
        )


def _attention_by_loops(x, layer):
    norm, qkv, out = (
        layer.norm(x).numpy(),
        layer.qkv.numpy(),
        layer.out.numpy(),
    )
    batch, height, width, channels = x.shape
    places = norm.reshape(batch, -1, channels) @ qkv
    query, key, value = np.split(places, 3, axis=-1)
    depth = channels // layer.heads
    found = np.zeros_like(query)
    for b in range(batch):
        for head in range(layer.heads):
            part = slice(head * depth, (head + 1) * depth)
            scores = query[b, :, part] @ key[b, :, part].T / np.sqrt(depth)
            weights = np.exp(scores - scores.max(1, keepdims=True))
            weights /= weights.sum(1, keepdims=True)
            found[b, :, part] = weights @ value[b, :, part]
    return x + (found @ out).reshape(x.shape)


def test_global_attention_is_multi_head_attention_over_all_places():
    layer = GlobalAttention(heads=2)
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 8)).astype(np.float32)
    layer.build(x.shape)
    layer.out.assign(np.random.default_rng(1).normal(size=(8, 8)))
    np.testing.assert_allclose(
        layer(x), _attention_by_loops(x, layer), atol=1e-4
    )


def test_channels_that_heads_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="6 channels, heads=4"):
        GlobalAttention(heads=4)(np.zeros((1, 2, 2, 6)))


@pytest.mark.parametrize(
    "layer", [PooledHints(size=8, name="a"), GlobalAttention(heads=2, name="b")]
)
def test_layers_come_back_from_their_config(layer):
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert copy.get_config() == layer.get_config()


def _two_surfaces():
    """A dark left and a light right half, all grey, a hint on the left."""
    L = np.full((1, 64, 64, 1), 30, np.float32)
    L[:, :, 32:] = 80
    hints, hinted = np.zeros((1, 64, 64, 2)), np.zeros((1, 64, 64, 1))
    hints[0, 20:24, 10:14], hinted[0, 20:24, 10:14] = (40, -30), 1
    return np.zeros((1, 64, 64, 2), np.float32), L, hints, hinted


def test_a_hint_reaches_its_surface_and_not_the_next_one():
    ab, L, hints, hinted = _two_surfaces()
    found = HintCorrection()(ab, L, hints, hinted).numpy()[0]
    np.testing.assert_allclose(found[22, 12], (40, -30), atol=4)
    assert found[30, 25, 0] > 25
    assert np.abs(found[:, 32:]).max() < 1
    # It is the difference that spreads: a right prediction stays.
    right = ab + [40.0, -30.0]
    stays = HintCorrection()(right, L, hints, hinted).numpy()
    np.testing.assert_allclose(stays, right, atol=1e-3)


def test_a_larger_window_reaches_further():
    ab, L, hints, hinted = _two_surfaces()
    near, far = (
        HintCorrection(window)(ab, L, hints, hinted).numpy()[0, 60, 12, 0]
        for window in (3, 5)
    )
    assert far > near + 1


@pytest.mark.parametrize("window", [0, 4])
def test_a_window_without_a_middle_is_refused(window):
    with pytest.raises(ValueError, match=f"window={window}"):
        HintCorrection(window)


def test_without_hints_colors_stay_as_they_are():
    ab, L, hints, hinted = _two_surfaces()
    ab = np.random.default_rng(0).normal(0, 20, ab.shape).astype(np.float32)
    found = HintCorrection()(ab, L, hints * 0, hinted * 0)
    np.testing.assert_array_equal(found, ab)
