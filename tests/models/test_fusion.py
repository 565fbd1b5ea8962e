import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import model_contract
from tfcolor.layers.instance_fusion import InstanceFusion
from tfcolor.models.fusion import freeze_trunk
from tfcolor.models.fusion import fusion
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file

WIDTH = 1 / 16
VALID = ((1, 0, 1), (0, 0, 0), (0, 1, 0), (0, 0, 0))


def scoring_networks(**options):
    made = {
        "full": siggraph(width=WIDTH, initializer="he_normal"),
        "instance": instance(width=WIDTH, initializer="he_normal"),
        "fusion": fusion(width=WIDTH, initializer="he_normal", **options),
    }
    rng = np.random.default_rng(2)
    for layer in made["fusion"].layers:
        if isinstance(layer, InstanceFusion):
            # Fresh scores are nearly all 0; these differ, and no ReLU is dead.
            layer.set_weights(
                [rng.normal(0.02, 0.05, w.shape) for w in layer.weights]
            )
            for conv in layer.instance_convs + layer.background_convs:
                conv.bias.assign(np.ones(conv.bias.shape))
    return made


def boxed_inputs(valid=VALID, height=32, width=40, crop=16):
    rng = np.random.default_rng(1)
    valid = np.array(valid, bool)
    corners = rng.integers(0, 60, [*valid.shape, 2])
    boxes = np.concatenate([corners, corners + 40], axis=-1)
    crops = rng.uniform(0, 100, [*valid.shape, crop, crop, 1])
    return model_contract.random_inputs(height, width, batch=len(valid)) | {
        "boxes": tf.constant(boxes, tf.float32),
        "box_valid": tf.constant(valid),
        "picture_size": tf.fill([len(valid), 2], 100),
        "crops": tf.constant(crops, tf.float32),
    }


def _row(inputs, i):
    return {key: value[i : i + 1] for key, value in inputs.items()}


def test_the_fusion_stage_trains_as_many_weights_as_published():
    channels = (64, 128, 256, 512, 512, 512, 512, 256, 256, 128, 128, 128, 128)
    scores = sum(
        2 * ((9 * c + 1) * 16 + (9 * 16 + 1) * 16 + 9 * 16 + 1)
        for c in channels
    )
    assert scores == 1_078_266
    model = fusion(width=WIDTH)
    freeze_trunk(model)
    narrow = sum(
        2 * ((9 * c // 16 + 1) * 16 + (9 * 16 + 1) * 16 + 9 * 16 + 1)
        for c in (16 * max(1, round(c / 16)) for c in channels)
    )
    ends = 8 * 8 * 9 + 8 + 8 * 2 + 2
    count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert count == narrow + ends


@pytest.mark.slow
def test_the_published_width_has_1226108_weights_in_the_fusion_stage():
    model = fusion()
    blending = [w for w in model.layers if isinstance(w, InstanceFusion)]
    assert len(blending) == 13
    assert sum(layer.count_params() for layer in blending) == 1_078_266
    freeze_trunk(model)
    count = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert count == 1_226_108


def test_frozen_normalizations_keep_their_statistics_in_training():
    networks = scoring_networks()
    freeze_trunk(networks["fusion"])
    networks["instance"].trainable = False
    model = instance_colorizer(**(networks | {"full": None}))
    before = model.get_weights()
    outputs = model(boxed_inputs(), training=True)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_allclose(
        outputs["ab"], model(boxed_inputs())["ab"], atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("blending", ["masked", "faithful"])
def test_a_mixed_batch_equals_its_pictures_one_by_one(blending):
    networks, inputs = scoring_networks(blending=blending), boxed_inputs()
    model = instance_colorizer(**networks)
    together = model(inputs)["ab"]
    whole = networks["full"]({k: inputs[k] for k in ("L", "hints", "mask")})
    for i, valid in enumerate(VALID):
        alone = model(_row(inputs, i))["ab"]
        np.testing.assert_allclose(alone, together[i : i + 1], atol=1e-3)
        same = np.allclose(whole["ab"][i], together[i], atol=1e-3)
        assert same == (not any(valid))


def test_what_stands_in_padding_does_not_matter():
    model, inputs = instance_colorizer(**scoring_networks()), boxed_inputs()
    expected = model(inputs)["ab"]
    padding = ~inputs["box_valid"]
    noise = {
        "boxes": tf.where(padding[..., None], 1e6, inputs["boxes"]),
        "crops": tf.where(
            padding[..., None, None, None], np.nan, inputs["crops"]
        ),
    }
    np.testing.assert_allclose(model(inputs | noise)["ab"], expected, atol=1e-4)


@pytest.mark.long
def test_one_trace_serves_boxes_and_sizes_of_all_kinds():
    model = instance_colorizer(**scoring_networks())
    spec = {
        key: tf.TensorSpec(tensor.shape, tensor.dtype)
        for key, tensor in model.input.items()
    }
    run = tf.function(model, input_signature=[spec])
    for valid in (VALID, ((0, 0),), ((1, 1, 1, 1, 1),)):
        inputs = boxed_inputs(valid, crop=24)
        np.testing.assert_allclose(
            run(inputs)["ab"], model(inputs)["ab"], atol=1e-3
        )
    assert run.experimental_get_tracing_count() == 1


def test_without_a_full_network_box_less_pictures_go_through_fusion():
    networks, inputs = scoring_networks(), boxed_inputs()
    model = instance_colorizer(**(networks | {"full": None}))
    with_full = instance_colorizer(**networks)
    ab, expected = model(inputs)["ab"], with_full(inputs)["ab"]
    for i, valid in enumerate(VALID):
        assert np.allclose(ab[i], expected[i], atol=1e-3) == any(valid)


@pytest.mark.slow
def test_the_whole_model_comes_back_from_a_keras_file(tmp_path):
    model, inputs = (
        instance_colorizer(**scoring_networks(blending="faithful")),
        boxed_inputs(),
    )
    model.save(tmp_path / "whole.keras")
    loaded, _ = model_file.load(str(tmp_path / "whole.keras"))
    assert [w.path for w in loaded.weights] == [w.path for w in model.weights]
    np.testing.assert_allclose(
        loaded(inputs)["ab"], model(inputs)["ab"], atol=1e-3
    )
    blended = loaded.get_layer("fusion").get_layer("block8_up_fusion")
    assert blended.blending == "faithful"


def test_every_weight_of_the_fusion_stage_gets_a_gradient():
    networks = scoring_networks()
    freeze_trunk(networks["fusion"])
    networks["instance"].trainable = False
    model = instance_colorizer(**(networks | {"full": None}))
    weights = model.trainable_variables
    assert len(weights) == 13 * 12 + 4
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            (model(boxed_inputs(), training=True)["ab"] - 30) ** 2
        )
    gradients = tape.gradient(loss, [w.value for w in weights])
    still = [
        weight.path
        for weight, gradient in zip(weights, gradients, strict=True)
        if gradient is None or not np.any(gradient)
    ]
    assert not still


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_stays_finite_and_ends_in_float32(policy):
    keras.mixed_precision.set_dtype_policy(policy)
    model = instance_colorizer(**scoring_networks(blending="faithful"))
    ab = model(boxed_inputs())["ab"]
    assert ab.dtype == tf.float32
    assert np.all(np.isfinite(ab))


def test_other_options_are_refused():
    with pytest.raises(ValueError, match="`blending` must be one of"):
        fusion(width=WIDTH, blending="mean")
    with pytest.raises(ValueError, match="`width` must be above 0"):
        fusion(width=-1)
