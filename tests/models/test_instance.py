import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tfcolor.models import instance as instance_module
from tfcolor.models import siggraph_blocks
from tfcolor.models.instance import instance
from tfcolor.models.siggraph import siggraph
from tfcolor.weights import model_file

WIDTH = 1 / 16
CROPS = golden_files.crop_inputs(
    tf.random.uniform([3, 32, 48, 1], 0, 100, seed=0)
)


def test_instance_hands_on_13_maps_beside_ab():
    outputs = instance(width=WIDTH)(CROPS)
    assert list(siggraph_blocks.MAPS) == [
        *(f"block{i}" for i in range(1, 8)),
        *("block8_up", "block8", "block9_up", "block9"),
        *("block10_up", "block10"),
    ]
    assert set(outputs) == {"ab", *siggraph_blocks.MAPS}
    assert outputs["ab"].shape == (3, 32, 48, 2)
    filters = siggraph_blocks.map_filters(WIDTH)
    for name, scale in siggraph_blocks.MAPS.items():
        expected = (3, 32 // scale, 48 // scale, filters[name])
        assert outputs[name].shape == expected, name


def test_instance_is_the_full_network_without_its_class_output():
    full = siggraph(width=WIDTH)
    shared = instance_module.with_maps(full)
    np.testing.assert_array_equal(shared(CROPS)["ab"], full(CROPS)["ab"])
    lacking = {w.path for w in full.weights} - {w.path for w in shared.weights}
    assert lacking == {"ab_logits/kernel", "ab_logits/bias"}
    assert [w.path for w in instance(width=WIDTH).weights] == [
        w.path for w in shared.weights
    ]


def test_the_up_maps_are_after_relu_and_the_others_as_the_block_ends():
    model = instance(width=WIDTH, initializer="he_normal")
    outputs = model(CROPS)
    for name in siggraph_blocks.MAPS:
        lowest = float(tf.reduce_min(outputs[name]))
        if name.endswith("_up"):
            assert lowest == 0
            assert np.any(outputs[name])
    tail = model.get_layer("ab_out")(outputs["block10"]) * 110
    np.testing.assert_allclose(tail, outputs["ab"], atol=1e-4)


def test_instance_keeps_its_outputs_in_a_keras_file(tmp_path):
    model = instance(width=WIDTH)
    model.save(tmp_path / "instance.keras")
    loaded, _ = model_file.load(str(tmp_path / "instance.keras"))
    expected = model(CROPS)
    for name, value in loaded(CROPS).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-6)


def test_crops_do_not_touch_each_other():
    model = instance(width=WIDTH)
    together = model(CROPS)
    alone = model({key: value[1:2] for key, value in CROPS.items()})
    for name, value in alone.items():
        np.testing.assert_allclose(value, together[name][1:2], atol=1e-5)


def test_instance_refuses_other_options():
    with pytest.raises(ValueError, match="`width` must be above 0"):
        instance(width=0)
    with pytest.raises(ValueError, match="`initializer` must be one of"):
        instance(width=WIDTH, initializer="zeros")
