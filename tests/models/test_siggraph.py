import functools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import model_contract
from tfcolor.losses import objective
from tfcolor.models.siggraph import siggraph

SNAPSHOT = pathlib.Path(__file__).parent / "siggraph_weights.txt"
small = functools.partial(siggraph, width=1 / 16, initializer="he_normal")


def _loss(outputs, *, huber=0.0, squared=1.0, classes=1.0):
    losses = objective.objective(
        objective.ObjectiveConfig(
            huber_weight=huber, squared_weight=squared, class_weight=classes
        )
    )
    targets = {"ab": tf.fill(outputs["ab"].shape, 30.0)}
    return tf.add_n(
        [tf.reduce_sum(v) for v in losses(targets, outputs).values()]
    )


def _moved(model, **weights):
    """Names of the layers with a gradient that is not zero."""
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        outputs = model(model_contract.random_inputs(32, 32), training=True)
        loss = _loss(outputs, **weights)
    gradients = tape.gradient(loss, [v.value for v in variables])
    return {
        variable.path.split("/")[0]
        for variable, gradient in zip(variables, gradients, strict=True)
        if gradient is not None and np.any(gradient)
    }


def _layers(model):
    return {v.path.split("/")[0] for v in model.trainable_variables}


def test_siggraph_keeps_the_model_contract(tmp_path):
    model_contract.check_model(
        functools.partial(small, gradient_stop="none"),
        folder=tmp_path,
        loss=_loss,
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_siggraph_exports_to_an_equal_saved_model(tmp_path):
    model_contract.check_export(small, folder=tmp_path)


def test_siggraph_has_34187027_weights_under_the_names_of_checkpoints():
    model = siggraph()
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == 34_187_027
    lines = [f"{w.path} {tuple(w.shape)}" for w in model.weights]
    # Renaming a layer makes every saved model and checkpoint useless.
    assert lines == SNAPSHOT.read_text().splitlines()


def test_width_scales_the_filters_of_every_block():
    model = siggraph(width=0.25)
    shapes = {w.path: tuple(w.shape) for w in model.weights}
    assert shapes["block1_conv1/kernel"] == (3, 3, 4, 16)
    assert shapes["block7_conv3/kernel"] == (3, 3, 128, 128)
    assert shapes["ab_logits/kernel"] == (1, 1, 64, 529)
    assert shapes["ab_out/kernel"] == (1, 1, 32, 2)


def test_a_very_small_width_keeps_one_filter():
    model = siggraph(width=1e-3)
    outputs = model(model_contract.random_inputs(8, 8))
    assert outputs["ab"].shape == (2, 8, 8, 2)


def test_class_head_stop_keeps_the_class_loss_in_its_head():
    model = small(gradient_stop="class_head")
    assert _moved(model, squared=0.0) == {"ab_logits"}
    assert _moved(model, classes=0.0) == _layers(model) - {"ab_logits"}


def test_ab_branch_stop_keeps_the_ab_loss_in_blocks_9_and_10():
    model = small(gradient_stop="ab_branch")
    # The skip convolutions of blocks 9 and 10 are theirs; what goes into
    # them, blocks 1 and 2, is stopped, as is block 8.
    ab_branch = {
        *("up9", "skip2to9", "block9_conv2", "block9_bn"),
        *("up10", "skip1to10", "block10_conv2", "ab_out"),
    }
    assert _moved(model, classes=0.0) == ab_branch
    assert _moved(model, squared=0.0) == _layers(model) - ab_branch


def test_gradient_stops_do_not_change_what_is_computed():
    model, inputs = small(), model_contract.random_inputs(16, 24)
    for stop in ("none", "ab_branch"):
        other = small(gradient_stop=stop)
        other.set_weights(model.get_weights())
        model_contract.assert_outputs_equal(other(inputs), model(inputs), 1e-6)


def test_down_sampling_keeps_every_second_row_and_column():
    pool = small().get_layer("block1_pool")
    x = tf.random.normal([2, 8, 6, 3], seed=0)
    np.testing.assert_array_equal(pool(x), x[:, ::2, ::2])


def test_network_units_stay_inside_the_network():
    model = small()
    inputs = {
        "L": tf.fill([1, 8, 8, 1], 75.0),
        "hints": tf.fill([1, 8, 8, 2], 55.0),
        "mask": tf.ones([1, 8, 8, 1]),
    }
    first = model.get_layer("network_input").output
    network_input = keras.Model(model.inputs, first)([*inputs.values()])
    np.testing.assert_allclose(network_input[0, 0, 0], [0.25, 0.5, 0.5, 0.5])
    assert np.abs(model(inputs)["ab"]).max() <= 110


def test_mask_center_moves_the_mask_only():
    inputs = model_contract.random_inputs(16, 16)
    model, caffe = small(), small(mask_center=0.0)
    caffe.set_weights(model.get_weights())
    shifted = inputs | {"mask": inputs["mask"] - 0.5}
    model_contract.assert_outputs_equal(caffe(shifted), model(inputs), 1e-6)


def test_equal_seeds_build_equal_networks():
    networks = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        networks.append(small().get_weights())
    for first, second in zip(*networks, strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_published_initializer_is_normal_with_a_deviation_of_002():
    kernel = siggraph().get_layer("block5_conv2").kernel
    np.testing.assert_allclose(np.std(kernel), 0.02, rtol=0.01)
    np.testing.assert_allclose(np.mean(kernel), 0, atol=1e-4)


@pytest.mark.parametrize(
    "option",
    [
        {"width": 0},
        {"width": -1.0},
        {"gradient_stop": "block8"},
        {"initializer": "zeros"},
    ],
)
def test_siggraph_refuses_unknown_options(option):
    (name,) = option
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
        siggraph(**option)
