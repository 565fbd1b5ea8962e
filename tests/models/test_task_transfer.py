import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tests.models import model_contract
from tests.models import study_state
from tfcolor.models import task_transfer as task_transfer_lib
from tfcolor.models.siggraph import siggraph
from tfcolor.models.task_transfer import task_transfer
from tfcolor.weights import transfer

WIDTH = 1 / 32
STUDY = {"head": "flatten", "legacy_bn_order": True, "freeze": "legacy"}


def _tiny(**options):
    options = {"width": WIDTH, "num_classes": 4} | options
    return task_transfer(initializer="he_normal", **options)


def _count(weights):
    return sum(int(np.prod(w.shape)) for w in weights)


@pytest.mark.slow
def test_task_transfer_keeps_to_the_contract(tmp_path):
    model_contract.check_model(
        _tiny,
        folder=tmp_path,
        loss=lambda outputs: tf.reduce_sum(outputs["logits"] ** 2),
        output_shapes=lambda height, width: {"logits": (4,)},
    )


def test_the_study_has_the_weights_it_reports():
    model = task_transfer(num_classes=10, image_size=256, **STUDY)
    statistics = [w for w in model.weights if "moving" in w.path]
    assert _count(model.weights) - _count(statistics) == 16_614_058
    assert _count(model.trainable_weights) == 327_722
    names = task_transfer_lib.trunk_layers(legacy_bn_order=True)
    assert sum(len(model.get_layer(name).weights) for name in names) == 26


def test_the_study_gives_what_its_own_code_gives():
    golden = golden_files.load("task_transfer_narrow_32px")
    size, seed = int(golden["size"]), int(golden["seed"])
    model = task_transfer(
        num_classes=10, width=1 / 16, min_filters=1, image_size=size, **STUDY
    )
    shape = {"width": 1 / 16, "size": size}
    study_state.load(model, study_state.state(seed, **shape), **shape)
    rng = np.random.default_rng(seed)
    L = rng.uniform(0, 100, golden["logits"].shape[:1] + (size, size, 1))
    inputs = golden_files.crop_inputs(tf.constant(L, tf.float32))
    np.testing.assert_allclose(
        model(inputs)["logits"], golden["logits"], rtol=0, atol=1e-5
    )
    # Frozen normalizations go on using the statistics of the batch.
    np.testing.assert_allclose(
        model(inputs, training=True)["logits"],
        golden["training_logits"],
        rtol=0,
        atol=1e-4,
    )


def test_a_narrow_classifier_still_reads_32_features():
    assert _tiny().get_layer("logits").kernel.shape == (32, 4)
    assert _tiny(width=2).get_layer("logits").kernel.shape == (64, 4)
    assert _tiny(min_filters=1).get_layer("logits").kernel.shape == (1, 4)


def test_the_trunk_is_that_of_the_colorizer_it_comes_from():
    colorizer = siggraph(width=WIDTH, initializer="he_normal")
    colorizer.get_layer("block3_bn").moving_mean.assign(
        tf.random.normal([8], seed=1)
    )
    model = _tiny()
    transfer.copy_layers(colorizer, model, task_transfer_lib.trunk_layers())
    inputs = model_contract.random_inputs(32, 48)
    features = [
        keras.Model(m.input, m.get_layer("block5_bn").output)(inputs)
        for m in (colorizer, model)
    ]
    np.testing.assert_array_equal(*features)
    assert len(task_transfer_lib.trunk_layers()) == 18


def test_a_frozen_trunk_neither_learns_nor_changes_its_statistics():
    model = _tiny(freeze="trunk")
    assert {w.path.split("_")[0] for w in model.trainable_weights} == {
        *("transfer1", "transfer2", "transfer3", "transfer4"),
        *("logits/kernel", "logits/bias"),
    }
    before = [w.numpy() for w in model.get_layer("block5_bn").weights]
    model(model_contract.random_inputs(32, 32), training=True)
    for old, weight in zip(
        before, model.get_layer("block5_bn").weights, strict=True
    ):
        np.testing.assert_array_equal(old, weight)
    new = model.get_layer("transfer1_bn").moving_mean
    assert np.any(new.numpy())


def test_legacy_freezing_leaves_the_last_offset_and_the_linear_layer():
    model = _tiny(freeze="legacy")
    assert [w.path for w in model.trainable_weights] == [
        *("transfer4_bn/beta", "logits/kernel", "logits/bias"),
    ]
    # Also after someone has looked: Keras counts weights anew each time.
    assert len(model.non_trainable_weights) == len(model.weights) - 3


def test_the_legacy_order_ends_blocks_in_relu():
    inputs = model_contract.random_inputs(32, 32)
    for legacy in (False, True):
        model = _tiny(legacy_bn_order=legacy)
        first = model.get_layer("transfer1_conv").input
        value = keras.Model(model.input, first)(inputs, training=True)
        assert bool(tf.reduce_min(value) < 0) != legacy


def test_a_flat_head_knows_where_things_are():
    inputs = model_contract.random_inputs(32, 32)
    turned = {k: v[:, ::-1, ::-1] for k, v in inputs.items()}
    flat = _tiny(head="flatten", image_size=32)
    kernel = flat.get_layer("logits").kernel
    assert kernel.shape == (4 * 4 * 32, 4)
    assert np.abs(flat(inputs)["logits"] - flat(turned)["logits"]).max() > 1e-3
    with pytest.raises(ValueError, match="expected shape"):
        flat(model_contract.random_inputs(32, 40))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_classes": 1}, "`num_classes` must be 2 or more"),
        ({"head": "max"}, "`head` must be one of"),
        ({"freeze": "all"}, "`freeze` must be one of"),
        ({"head": "flatten"}, "`image_size` must be given"),
        ({"image_size": 100}, "multiple of 8. Received: image_size=100"),
        ({"width": 0}, "`width` must be above 0"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        _tiny(**options)
