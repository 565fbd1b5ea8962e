import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.layers import instance_fusion
from tfcolor.layers.instance_fusion import InstanceFusion

CHANNELS = 5


def layer_inputs(
    *, seed=0, size=16, crop=8, valid=((1, 0, 1), (0, 0, 0), (1, 1, 1))
):
    rng = np.random.default_rng(seed)
    valid = np.array(valid, bool)
    corners = rng.integers(0, 60, [*valid.shape, 2])
    boxes = np.concatenate([corners, corners + 40], axis=-1)
    return {
        "background": _normal(rng, len(valid), size, size),
        "instances": _normal(rng, max(valid.sum(), 1), crop, crop),
        "boxes": tf.constant(boxes, tf.float32),
        "box_valid": tf.constant(valid),
        "picture_size": tf.fill([len(valid), 2], 100),
    }


def _normal(rng, *shape):
    return tf.constant(rng.normal(size=[*shape, CHANNELS]), tf.float32)


def scoring_layer(**options):
    """A layer whose scores are far from 0."""
    layer = InstanceFusion(**options)
    shape = (None, None, None, CHANNELS)
    layer.build(shape, shape)
    random_scores(layer)
    return layer


def random_scores(layer):
    """Gives a layer weights that make scores far from 0."""
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.05, 0.2, w.shape) for w in layer.weights])


def _one_by_one(layer, inputs):
    """The rule in plain loops over pictures and boxes."""
    fused, instance = [], 0
    size = inputs["background"].shape[1]
    for picture, background in enumerate(inputs["background"]):
        scores, maps, covers = [], [], []
        for box, valid in zip(
            inputs["boxes"][picture], inputs["box_valid"][picture], strict=True
        ):
            if not valid:
                continue
            crop = inputs["instances"][instance : instance + 1]
            instance += 1
            top, left, bottom, right = (int(int(v) / 100 * size) for v in box)
            around = [
                [0, 0],
                [top, size - bottom],
                [left, size - right],
                [0, 0],
            ]

            def placed(x, area=(bottom - top, right - left), around=around):
                return tf.pad(tf.image.resize(x, area), around)[0]

            scores.append(placed(_score(layer.instance_convs, crop)))
            maps.append(placed(crop))
            covers.append(placed(tf.ones([1, 8, 8, 1])))
        score = _score(layer.background_convs, background[None])[0]
        if not maps:
            fused.append(background)
            continue
        covered = tf.reduce_max(covers, axis=0)
        powers = [tf.exp(s) for s in scores]
        if layer.blending == "masked":
            powers = [p * c for p, c in zip(powers, covers, strict=True)]
        powers = [p * covered for p in powers] + [tf.exp(score)]
        total = tf.add_n(powers)
        fused.append(
            tf.add_n(
                [
                    p / total * m
                    for p, m in zip(powers, [*maps, background], strict=True)
                ]
            )
        )
    return tf.stack(fused)


def _score(convs, x):
    for conv in convs:
        x = conv(x)
    return x


def test_the_background_bias_is_the_background_s_weight_before_training():
    inputs = layer_inputs(valid=((1, 0, 0), (0, 0, 0), (0, 0, 0)))
    inputs["boxes"] = tf.zeros([3, 3, 4]) + [0.0, 0.0, 100.0, 100.0]
    inputs["instances"] = tf.zeros_like(inputs["instances"])
    layer = InstanceFusion(background_bias=3.0)
    blended = layer(**inputs)[0]
    # Scores of zeros are 0 for the instance; kernels are small.
    share = np.exp(3) / (np.exp(3) + 1)
    expected = share * inputs["background"][0]
    np.testing.assert_allclose(blended, expected, atol=0.01)
    assert layer.get_config()["background_bias"] == 3.0


@pytest.mark.parametrize("blending", instance_fusion.BLENDINGS)
def test_blending_equals_plain_loops_over_pictures_and_boxes(blending):
    layer, inputs = scoring_layer(blending=blending), layer_inputs()
    expected = _one_by_one(layer, inputs)
    assert np.abs(expected - inputs["background"]).max() > 0.1
    np.testing.assert_allclose(layer(**inputs), expected, atol=1e-5)
    np.testing.assert_allclose(
        tf.function(layer)(**inputs), expected, atol=1e-5
    )


@pytest.mark.parametrize("blending", instance_fusion.BLENDINGS)
def test_maps_of_several_sizes_equal_maps_of_one(blending):
    layer, inputs = scoring_layer(blending=blending), layer_inputs()
    valid = inputs["box_valid"].numpy()
    expected = layer(**inputs)
    rows = np.argwhere(valid)
    # Boxes by turns in two groups; a third one has none, and a spare row.
    group = np.full(valid.shape, -1)
    group[tuple(rows.T)] = np.arange(len(rows)) % 2
    maps = inputs["instances"].numpy()
    several = inputs | {
        "instances": [maps[0::2], tf.zeros([1, 4, 4, CHANNELS]), maps[1::2]],
        "box_valid": [group == 0, group == 2, group == 1],
    }
    np.testing.assert_allclose(layer(**several), expected, atol=1e-5)
    np.testing.assert_allclose(
        tf.function(layer)(**several), expected, atol=1e-5
    )


def test_instances_that_do_not_cover_a_pixel_take_weight_only_if_faithful():
    inputs = layer_inputs(valid=[[1, 1, 1]]) | {
        "boxes": tf.constant(
            [[[0, 0, 50, 50], [50, 0, 90, 50], [0, 50, 50, 99]]], tf.float32
        )
    }
    ones = {k: tf.ones_like(inputs[k]) for k in ("background", "instances")}
    fused = {
        blending: _zero_scores(blending)(**(inputs | ones)).numpy()
        for blending in instance_fusion.BLENDINGS
    }
    np.testing.assert_allclose(fused["masked"], 1, atol=1e-6)
    # Of four equal weights, two belong to boxes elsewhere, with features of 0.
    np.testing.assert_allclose(fused["faithful"][0, :8, :8], 0.5, atol=1e-6)
    np.testing.assert_allclose(fused["faithful"][0, 8:, 8:], 1, atol=1e-6)


def _zero_scores(blending):
    layer = InstanceFusion(blending=blending)
    layer.build((None, None, None, CHANNELS), (None, None, None, CHANNELS))
    layer.set_weights([np.zeros(w.shape) for w in layer.weights])
    return layer


def test_outside_boxes_the_background_is_untouched():
    inputs = layer_inputs(valid=[[1, 0, 0]])
    inputs["boxes"] = tf.constant(
        [[[0, 0, 50, 50]] + [[0, 0, 99, 99]] * 2], tf.float32
    )
    fused = scoring_layer()(**inputs)
    np.testing.assert_array_equal(fused[0, 8:], inputs["background"][0, 8:])
    changed = np.any(fused != inputs["background"], -1)
    assert np.mean(changed[0, :8, :8]) > 0.9


def test_pictures_do_not_touch_each_other():
    layer, inputs = scoring_layer(), layer_inputs()
    together = layer(**inputs)
    first = 0
    for i in range(3):
        count = int(tf.reduce_sum(tf.cast(inputs["box_valid"][i], tf.int32)))
        alone = {k: v[i : i + 1] for k, v in inputs.items() if k != "instances"}
        # Without boxes any instance will do.
        instances = inputs["instances"][first : first + max(count, 1)]
        first += count
        np.testing.assert_allclose(
            layer(**alone, instances=instances), together[i : i + 1], atol=1e-6
        )


def test_gradients_reach_all_weights_and_both_maps():
    layer, inputs = scoring_layer(), layer_inputs()
    watched = [inputs["background"], inputs["instances"]]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tf.reduce_sum(layer(**inputs) ** 2)
    weights = [v.value for v in layer.trainable_variables]
    gradients = tape.gradient(loss, weights + watched)
    for gradient in gradients:
        assert np.any(tf.convert_to_tensor(gradient))
        assert np.all(np.isfinite(tf.convert_to_tensor(gradient)))


def test_one_trace_serves_any_number_of_boxes():
    layer, traces = scoring_layer(), []

    @tf.function(reduce_retracing=True)
    def run(instances, **inputs):
        traces.append(1)
        fused = layer(instances=instances, **inputs)
        assert fused.shape == (3, 16, 16, CHANNELS)
        return fused

    kinds = ([[1, 0, 1], [0, 0, 0], [1, 1, 1]], [[0] * 3] * 3, [[1] * 3] * 3)
    for valid in kinds:
        inputs = layer_inputs(valid=valid)
        np.testing.assert_allclose(run(**inputs), layer(**inputs), atol=1e-6)
    assert len(traces) <= 2


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_boxes_exact_and_large_scores_finite(policy):
    inputs = layer_inputs(valid=[[1, 0, 0]])
    # float16 rounds 4001 to 4000, and its largest number is 65504.
    inputs["picture_size"] = tf.constant([[4016, 4016]])
    inputs["boxes"] = tf.constant(
        [[[4001, 4001, 4016, 4016]] + [[0.0] * 4] * 2]
    )
    layer = scoring_layer(dtype=policy, blending="faithful")
    layer.set_weights([w * 3 for w in layer.get_weights()])
    fused = layer(**inputs)
    assert fused.dtype == policy.removeprefix("mixed_")
    assert np.all(np.isfinite(tf.cast(fused, tf.float32)))
    changed = np.any(fused != tf.cast(inputs["background"], fused.dtype), -1)
    assert changed.sum() == 1 and changed[0, 15, 15]


def test_the_layer_comes_back_from_its_config():
    layer = InstanceFusion(blending="faithful", name="fusion")
    copy = InstanceFusion.from_config(layer.get_config())
    assert (copy.blending, copy.name) == ("faithful", "fusion")
    assert keras.saving.get_registered_name(InstanceFusion).startswith(
        "tfcolor"
    )


def test_an_unknown_blending_is_refused():
    with pytest.raises(ValueError, match="`blending` must be one of"):
        InstanceFusion(blending="mean")
