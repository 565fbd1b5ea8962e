import numpy as np
import pytest
import tensorflow as tf

from tests.models import model_contract
from tfcolor.losses import objective
from tfcolor.models.efficientnet_unet import check_size
from tfcolor.models.efficientnet_unet import efficientnet_unet


def _shapes(height, width):
    return {
        "ab": (height, width, 2),
        "ab_logits": (height // 4, width // 4, 261),
    }


def _loss(outputs):
    losses = objective.objective(
        objective.ObjectiveConfig(huber_weight=1.0, class_weight=1.0)
    )
    targets = {"ab": tf.fill(outputs["ab"].shape, 30.0)}
    return tf.add_n(
        [tf.reduce_sum(v) for v in losses(targets, outputs).values()]
    )


@pytest.fixture(scope="module")
def model():
    return efficientnet_unet()


@pytest.mark.slow
def test_efficientnet_unet_keeps_the_model_contract(tmp_path):
    model_contract.check_model(
        efficientnet_unet,
        folder=tmp_path,
        loss=_loss,
        sizes=((64, 64), (32, 96)),
        output_shapes=_shapes,
    )


def test_it_has_the_shapes_and_the_number_of_weights_of_its_description(model):
    outputs = model(model_contract.random_inputs(64, 96))
    assert {k: v.shape[1:] for k, v in outputs.items()} == _shapes(64, 96)
    # Of these the encoder has 3.37 million.
    assert 3.8e6 < model.count_params() < 4.0e6


def test_frozen_blocks_do_not_learn():
    model = efficientnet_unet(frozen_blocks=5)
    learning = {w.path.split("/")[0] for w in model.trainable_weights}
    assert "block5_expand" in learning
    assert not any(f"block{i}_project" in learning for i in range(5))
    assert "stem" not in learning


def test_a_large_decoder_has_more_weights_and_the_same_outputs():
    model = efficientnet_unet(variant="lite2", decoder="large")
    outputs = model(model_contract.random_inputs(64, 96))
    assert {k: v.shape[1:] for k, v in outputs.items()} == _shapes(64, 96)
    assert 5.9e6 < model.count_params() < 6.1e6
    assert model.get_layer("decoder4_conv2").filters == 96
    with pytest.raises(ValueError, match="Received: decoder='huge'"):
        efficientnet_unet(decoder="huge")


@pytest.mark.parametrize("count", [-1, 17])
def test_blocks_that_are_not_there_cannot_be_frozen(count):
    with pytest.raises(ValueError, match="in 0..16.*Received: frozen_blocks="):
        efficientnet_unet(frozen_blocks=count)


def test_a_hint_changes_colors_and_no_hint_is_no_mask(model):
    inputs = model_contract.constant_inputs(64, 64, 60)
    plain = model(inputs)["ab"]
    mask = np.zeros((1, 64, 64, 1), np.float32)
    mask[0, 30:34, 30:34] = 1
    mask = tf.constant(mask)
    hinted = model(inputs | {"hints": mask * [60.0, -40.0], "mask": mask})["ab"]
    assert np.abs(hinted - plain).max() > 1e-3
    # A hint of grey is a hint, too.
    grey = model(inputs | {"mask": mask})["ab"]
    assert np.abs(grey - plain).max() > 1e-4


@pytest.mark.parametrize("size", [0, 8, 40])
def test_its_smallest_picture_is_said_before_it_is_built(size):
    with pytest.raises(ValueError, match="32 or a multiple .*efficientnet_une"):
        check_size(size)
    check_size(32)
