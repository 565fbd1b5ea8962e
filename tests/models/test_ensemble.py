import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models import model_contract
from tests.models.test_resnet_colorizer import ab_shape
from tests.models.test_resnet_colorizer import squares
from tfcolor.models.alexnet import alexnet
from tfcolor.models.ensemble import ensemble
from tfcolor.models.resnet_colorizer import resnet_colorizer
from tfcolor.weights import model_file

small = functools.partial(ensemble, num_classes=5, width=1 / 16)


def _classifier(**options):
    return alexnet(num_classes=5, width=1 / 32, **options)


def _filters_seen(model):
    return model.get_layer("decode1").kernel.shape[2]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"class_source": "given"}, marks=pytest.mark.slow),
        pytest.param(
            {"features": "probabilities", "train_classifier": True},
            marks=pytest.mark.slow,
        ),
        pytest.param({"class_source": "constant"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_ensemble_keeps_the_model_contract(options, tmp_path):
    def build():
        more = (
            {} if "class_source" in options else {"classifier": _classifier()}
        )
        return small(**options, **more)

    model_contract.check_model(
        build,
        folder=tmp_path,
        loss=squares,
        sizes=((64, 64), (72, 88)),
        output_shapes=ab_shape,
    )


@pytest.mark.parametrize(
    "features, count",
    [("probabilities", 5), ("one_hot", 5), ("logits", 5), ("penultimate", 128)],
)
def test_the_decoder_sees_what_the_classifier_hands_on(features, count):
    model = small(classifier=_classifier(), features=features)
    assert _filters_seen(model) == 8 + count
    outputs = model({"L": tf.fill([1, 64, 64, 1], 50.0)})
    assert np.isfinite(outputs["ab"]).all()


def test_classes_stand_at_every_place_behind_the_channels_of_layer2():
    model = small(class_source="given")
    joined = keras.Model(model.input, model.get_layer("with_classes").output)
    inputs = model_contract.for_model(
        model, model_contract.random_inputs(32, 48)
    )
    classes = inputs["classes"].numpy()
    expected = np.broadcast_to(classes[:, None, None], (2, 4, 6, 5))
    np.testing.assert_array_equal(joined(inputs)[..., 8:], expected)


def test_a_control_has_as_many_trained_weights_as_the_ensemble():
    def trained(model):
        return sum(np.prod(w.shape) for w in model.trainable_weights)

    frozen = small(classifier=_classifier())
    assert trained(frozen) == trained(small(class_source="constant"))
    assert trained(frozen) == trained(small(class_source="given"))
    alone = small(class_source="none")
    assert trained(alone) == trained(resnet_colorizer(width=1 / 16))
    assert trained(frozen) - trained(alone) == 9 * 5 * 8


def test_without_classes_it_is_the_colorizer():
    colorizer = resnet_colorizer(width=1 / 16)
    model = small(class_source="none")
    model.set_weights(colorizer.get_weights())
    inputs = {"L": model_contract.random_inputs(32, 32)["L"]}
    model_contract.assert_outputs_equal(model(inputs), colorizer(inputs), 1e-6)


def test_the_constant_is_the_same_for_all_pictures():
    model = small(class_source="constant")
    joined = keras.Model(model.input, model.get_layer("with_classes").output)
    inputs = {"L": model_contract.random_inputs(32, 32)["L"]}
    np.testing.assert_allclose(joined(inputs)[..., 8:], 1 / 5)


def _gradients(model):
    inputs = {"L": model_contract.random_inputs(64, 64)["L"]}
    with tf.GradientTape() as tape:
        loss = squares(model(inputs, training=True))
    weights = model.trainable_weights
    return tape.gradient(loss, [w.value for w in weights])


def test_a_frozen_classifier_neither_learns_nor_drops_anything():
    classifier = _classifier(dropout=0.9)
    model = small(classifier=classifier)
    assert not model.get_layer("classifier").trainable_weights
    inputs = {"L": model_contract.random_inputs(64, 64)["L"]}
    joined = keras.Model(model.input, model.get_layer("with_classes").output)
    classes = [joined(inputs, training=True)[..., 8:] for _ in range(2)]
    np.testing.assert_array_equal(*classes)


def test_a_classifier_that_is_trained_along_learns_from_color():
    model = small(classifier=_classifier(), train_classifier=True)
    assert len(_gradients(model)) == len(model.trainable_weights)
    assert all(g is not None and np.any(g) for g in _gradients(model))


def test_a_frozen_classifier_stays_frozen_in_a_file(tmp_path):
    model = small(classifier=_classifier())
    model.save(tmp_path / "model.keras")
    loaded, _ = model_file.load(str(tmp_path / "model.keras"))
    assert not loaded.get_layer("classifier").trainable_weights
    inputs = {"L": model_contract.random_inputs(64, 64)["L"]}
    model_contract.assert_outputs_equal(loaded(inputs), model(inputs), 1e-6)


def _boxed(**options):
    return small(
        num_classes=2, class_source="boxes", box_class_ids=(17, 90), **options
    )


def test_classes_of_boxes_stand_where_the_boxes_lie(tmp_path):
    model = _boxed()
    model.save(tmp_path / "model.keras")
    loaded, _ = model_file.load(str(tmp_path / "model.keras"))
    inputs = {
        "L": model_contract.random_inputs(32, 32)["L"],
        # The left half, in a picture twice as high as the network's.
        "boxes": tf.constant([[[0.0, 0, 64, 16]], [[0.0, 0, 64, 16]]]),
        "box_classes": tf.constant([[90], [0]]),
        "picture_size": tf.constant([[64, 32]] * 2),
    }
    joined = keras.Model(loaded.input, loaded.get_layer("with_classes").output)
    marks = joined(inputs)[..., 8:].numpy()
    assert marks.shape == (2, 4, 4, 2)
    np.testing.assert_array_equal(marks[0, :, :2, 1], 1)
    assert marks.sum() == 8
    model_contract.assert_outputs_equal(loaded(inputs), model(inputs), 1e-6)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"num_classes": 1, "class_source": "none"}, "`num_classes` must be"),
        ({"class_source": "truth"}, "`class_source` must be"),
        ({}, "`classifier` must be given"),
        ({"class_source": "none", "classifier": "own"}, "must be given for"),
        ({"num_classes": 4, "classifier": "own"}, "must have `num_classes`"),
        ({"classifier": "other"}, "must be a model of `alexnet`"),
        ({"classifier": "own", "features": "all"}, "`features` must be"),
        ({"class_source": "boxes"}, "`box_class_ids` must be"),
        (
            {"class_source": "none", "box_class_ids": (1,)},
            "`box_class_ids` must be",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(options, said):
    networks = {
        "own": _classifier,
        "other": lambda: resnet_colorizer(width=0.1),
    }
    options = dict(options)
    if "classifier" in options:
        options["classifier"] = networks[options["classifier"]]()
    with pytest.raises(ValueError, match=f"{said}(.|\n)*Received"):
        small(**options)
