import numpy as np
import pytest
import tensorflow as tf

from tests.layers.test_instance_fusion import CHANNELS
from tests.layers.test_instance_fusion import layer_inputs
from tests.layers.test_instance_fusion import scoring_layer
from tfcolor.layers import instance_fusion

MANY = ((1, 0, 1, 1), (0, 0, 0, 0), (1, 1, 1, 1))


def _blended_in_turns(layer, inputs, turn):
    """What the layer makes of some boxes at a time."""
    background, valid = inputs["background"], inputs["box_valid"].numpy()
    places = np.argwhere(valid)
    gathered = instance_fusion.nothing(
        tf.size(background) // CHANNELS, CHANNELS
    )
    for first in range(0, len(places), turn):
        now = places[first : first + turn]
        chosen = np.zeros_like(valid)
        chosen[tuple(now.T)] = True
        instances = inputs["instances"][first : first + turn]
        cells, sample = instance_fusion.place_instances(
            [instances],
            inputs["boxes"],
            [tf.constant(chosen)],
            inputs["picture_size"],
            grid=background.shape[1:3],
        )
        gathered = instance_fusion.add(
            gathered, layer, instances, cells=cells, sample=sample
        )
    boxes = instance_fusion.count_boxes([inputs["box_valid"]])
    return instance_fusion.blend(gathered, layer, background, boxes=boxes)


@pytest.mark.parametrize("blending", instance_fusion.BLENDINGS)
@pytest.mark.parametrize("turn", [1, 2, 6, 7, 9])
def test_instances_in_turns_equal_all_at_once(blending, turn):
    layer, inputs = scoring_layer(blending=blending), layer_inputs(valid=MANY)
    expected = layer(**inputs)
    assert np.abs(expected - inputs["background"]).max() > 0.1
    blended = _blended_in_turns(layer, inputs, turn)
    np.testing.assert_allclose(blended, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("blending", instance_fusion.BLENDINGS)
@pytest.mark.parametrize("order", [1, -1])
def test_scores_too_large_for_exponentials_stay_finite(blending, order):
    layer, inputs = scoring_layer(blending=blending), layer_inputs(valid=MANY)
    layer.instance_convs[-1].bias.assign([120.0])
    size = np.linspace(1, 30, len(inputs["instances"]))[::order]
    inputs["instances"] *= tf.constant(size[:, None, None, None], tf.float32)
    expected = layer(**inputs)
    assert np.isfinite(expected).all()
    blended = _blended_in_turns(layer, inputs, 2)
    np.testing.assert_allclose(blended, expected, rtol=1e-4, atol=1e-4)


def test_without_instances_the_background_is_untouched():
    layer = scoring_layer(blending="faithful")
    inputs = layer_inputs(valid=((0, 0), (0, 0)))
    blended = _blended_in_turns(layer, inputs, 1)
    np.testing.assert_array_equal(blended, inputs["background"])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_ends_in_the_layers_dtype(policy):
    layer = scoring_layer(dtype=policy)
    inputs = layer_inputs(valid=MANY)
    dtype = policy.removeprefix("mixed_")
    for name in ("background", "instances"):
        inputs[name] = tf.cast(inputs[name], dtype)
    blended = _blended_in_turns(layer, inputs, 2)
    assert blended.dtype == dtype
    np.testing.assert_allclose(
        tf.cast(blended, tf.float32),
        tf.cast(layer(**inputs), tf.float32),
        atol=0.1,
    )
