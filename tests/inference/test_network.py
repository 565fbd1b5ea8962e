import numpy as np
import pytest
import tensorflow as tf

from tests.inference import models
from tests.models.test_fusion import boxed_inputs
from tests.models.test_fusion import scoring_networks
from tfcolor.inference import network
from tfcolor.models import fusion_in_turns
from tfcolor.models import siggraph_blocks
from tfcolor.models.fusion import instance_colorizer


@pytest.fixture(scope="module")
def model():
    return instance_colorizer(**scoring_networks())


@pytest.mark.parametrize(
    ("valid", "in_turns"),
    [
        (((0, 0),), False),
        (((1, 1, 1),), False),
        (((1, 1, 1, 1),), True),
        # Two pictures with boxes; what is kept of each takes a box's memory.
        (((1, 1, 1), (1, 0, 0), (0, 0, 0)), False),
        (((1, 1, 1), (1, 1, 0), (0, 0, 0)), True),
    ],
)
def test_turns_are_taken_where_they_need_less_memory(
    model, monkeypatch, valid, in_turns
):
    def with_turns(turning, boxes_at_once):
        assert (turning, boxes_at_once) == (model, 3)
        return models.plain_model()

    monkeypatch.setattr(fusion_in_turns, "with_turns", with_turns)
    monkeypatch.setattr(
        *(network, "_traced_once"), lambda made: lambda inputs: made is model
    )
    function = network.network_function(model, boxes_at_once=3)
    assert bool(function(boxed_inputs(valid))) != in_turns


def test_models_of_other_kinds_take_no_turns(monkeypatch):
    monkeypatch.setattr(fusion_in_turns, "with_turns", None)
    inputs = boxed_inputs(((1, 1, 1),))
    counting = network.network_function(
        models.counting_model(), boxes_at_once=1
    )
    np.testing.assert_allclose(counting(inputs)[0, 0, 0, 0], 30)


def test_a_network_takes_its_inputs_of_all_there_are():
    L = tf.zeros([1, 8, 8, 1])
    inputs = siggraph_blocks.without_hints(L) | network.without_boxes(1, 8)
    for build, a in ((models.alone_model, 30), (models.plain_model, 40)):
        ab = network.network_function(build())(inputs)
        np.testing.assert_array_equal(ab[0, 0, 0, 0], a)
