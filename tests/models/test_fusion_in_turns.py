import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.test_fusion import boxed_inputs
from tests.models.test_fusion import scoring_networks
from tfcolor.inference import adaptive_crops
from tfcolor.inference import network
from tfcolor.models.fusion import instance_colorizer
from tfcolor.models.fusion_in_turns import with_turns

AT_ONCE = 3
MIXED = ((1, 0, 1, 1, 1), (0,) * 5, (1, 1, 1, 1, 0), (0, 0, 1, 0, 0))
KINDS = {
    "no box": ((0, 0),),
    "one box": ((0, 1),),
    "a turn less one": ((1, 0, 1),),
    "a turn": ((1, 1, 1),),
    "a turn and one": ((1, 1, 0, 1, 1),),
    "many": ((1,) * 11,),
    "a mixed batch": MIXED,
}


def _with_noise_in_padding(inputs):
    padding = ~inputs["box_valid"]
    return inputs | {
        "boxes": tf.where(padding[..., None], 1e6, inputs["boxes"]),
        "crops": tf.where(
            padding[..., None, None, None], np.nan, inputs["crops"]
        ),
    }


def _with_a_box_outside(inputs):
    outside = tf.one_hot(1, inputs["boxes"].shape[1])[None, :, None]
    return inputs | {"boxes": inputs["boxes"] + 1000 * outside}


def _noting_calls(model, calls):
    """Returns the model, which notes each call: in a graph, its tracing."""
    call = model.call

    def noted(*arguments, **options):
        calls.append(None)
        return call(*arguments, **options)

    model.call = noted
    return model


# One test for all: another one would optimize the graphs once more.
@pytest.mark.long
def test_boxes_in_turns_equal_all_at_once():
    model = instance_colorizer(**scoring_networks(blending="faithful"))
    at_once = network.network_function(model)
    turns, traced = with_turns(model, AT_ONCE), []
    in_turns = network.network_function(_noting_calls(turns, traced))
    all_inputs = {
        name: boxed_inputs(valid, height=24, width=40)
        for name, valid in KINDS.items()
    }
    many = all_inputs["many"]
    all_inputs["a box outside its picture"] = _with_a_box_outside(many)
    for name, inputs in all_inputs.items():
        expected = at_once(inputs).numpy()
        assert expected.std() > 0.1
        found = in_turns(_with_noise_in_padding(inputs))
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=1e-5, err_msg=name
        )
    assert len(traced) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["one box", "a turn and one", "a mixed batch"])
def test_the_other_blending_may_take_turns_too(kind):
    model = instance_colorizer(**scoring_networks(blending="masked"))
    inputs = boxed_inputs(KINDS[kind], height=24, width=40)
    np.testing.assert_allclose(
        with_turns(model, AT_ONCE)(inputs)["ab"],
        model(inputs)["ab"],
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.slow
def test_without_a_full_network_all_pictures_take_turns():
    networks = scoring_networks() | {"full": None}
    model, inputs = instance_colorizer(**networks), boxed_inputs(MIXED)
    in_turns = with_turns(model, 2)
    np.testing.assert_allclose(
        in_turns(inputs)["ab"], model(inputs)["ab"], rtol=0, atol=1e-5
    )


@pytest.mark.slow
def test_groups_of_boxes_go_one_after_the_other():
    model = instance_colorizer(**scoring_networks(blending="faithful"))
    grouped = adaptive_crops.with_groups(model, 2)
    inputs = boxed_inputs(MIXED, crop=16)
    even = tf.constant([[True, False] * 2 + [True]])
    inputs |= {
        "box_valid": inputs["box_valid"] & even,
        "box_valid_2": inputs["box_valid"] & ~even,
        "crops_2": inputs["crops"][:, :, ::2, ::2],
    }
    in_turns = with_turns(grouped, 2)
    np.testing.assert_allclose(
        in_turns(inputs)["ab"], grouped(inputs)["ab"], rtol=0, atol=1e-5
    )


def test_weights_are_shared_and_the_model_is_left_as_it_was():
    model = instance_colorizer(**scoring_networks())
    before = model.to_json()
    in_turns = with_turns(model, AT_ONCE)
    in_turns(boxed_inputs(((1,) * 5,)))
    assert {id(w) for w in in_turns.weights} == {id(w) for w in model.weights}
    assert model.to_json() == before
    # A layer that was called twice in a graph would have no one output.
    fusion = model.get_layer("fusion")
    assert fusion.get_layer("block4_conv1").output is not None


@pytest.mark.slow
def test_mixed_precision_stays_finite_and_ends_in_float32():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    model = instance_colorizer(**scoring_networks(blending="faithful"))
    ab = with_turns(model, 2)(boxed_inputs(MIXED))["ab"]
    assert ab.dtype == tf.float32
    assert np.all(np.isfinite(ab))
