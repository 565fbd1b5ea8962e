import numpy as np
import pytest
import tensorflow as tf

from tests import class_albums
from tfcolor.data import class_colors
from tfcolor.data import epochs
from tfcolor.data import full_data_config
from tfcolor.data import labelled_parts
from tfcolor.data import lightness
from tfcolor.data import memory_source

CONFIG = full_data_config.FullDataConfig(image_size=16, batch_size=6, flip=True)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    images = class_albums.write_parts(tmp_path_factory.mktemp("album"))
    return labelled_parts.open_parts(
        images, validation_share=0.1, test_share=0.1
    )


def _batches(source, class_input, *, epoch=0, training=True, steps=None):
    view = class_colors.class_color_view(
        CONFIG,
        class_input=class_input,
        num_classes=3,
        label_pool=np.array([0, 1, 2]),
    )
    dataset = epochs.epoch(
        source, view, epoch=epoch, training=training, steps=steps
    )
    return list(dataset.as_numpy_iterator())


def test_colors_come_with_the_class_they_show(parts):
    for training in (True, False):
        for inputs, targets in _batches(parts.train, "true", training=training):
            assert inputs["L"].shape == (6, 16, 16, 1)
            assert targets["ab"].shape == (6, 16, 16, 2)
            labels = inputs["classes"].argmax(-1)
            assert (inputs["classes"].sum(-1) == 1).all()
            # Bright pictures are class 0, dark ones class 1.
            L = inputs["L"].mean(axis=(1, 2, 3))
            assert (L[labels == 0] > 70).all() and (L[labels == 1] < 30).all()
    np.testing.assert_array_equal(labels, targets["label"])
    assert targets["name"][0].decode() in parts.train._source.paths


def test_without_class_input_there_is_lightness_alone(parts):
    inputs, targets = _batches(parts.train, "none")[0]
    assert set(inputs) == {"L"} and set(targets) == {"ab"}


def test_shuffled_classes_say_nothing_of_the_picture(parts):
    source = memory_source.into_memory(parts.train, side=16, crops=True)
    true = _batches(source, "true", steps=60)
    shuffled = _batches(source, "shuffled", steps=60)
    hits = []
    for (one, _), (other, _) in zip(true, shuffled, strict=True):
        # The same pictures in the same order.
        np.testing.assert_array_equal(one["L"], other["L"])
        hits.append((one["classes"] * other["classes"]).sum(-1))
    assert len(hits) == 60
    assert 0.25 < np.mean(hits) < 0.42


def test_a_validation_is_the_same_whenever_it_is_asked(parts):
    first = _batches(parts.validation, "shuffled", epoch=0, training=False)
    again = _batches(parts.validation, "shuffled", epoch=5, training=False)
    for (one, _), (other, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(one["classes"], other["classes"])


def test_labels_are_those_of_the_source(parts):
    labels = class_colors.read_labels(parts.train)
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], 6))
    memory = memory_source.into_memory(parts.validation, side=8, crops=True)

    assert class_colors.read_labels(memory).dtype == np.int64
    # As of sources that must be read for it.
    np.testing.assert_array_equal(
        class_colors.read_labels(memory), np.repeat([0, 1, 2], 2)
    )


def test_unknown_class_inputs_are_refused(parts):
    with pytest.raises(ValueError, match="`class_input` must be .*Received"):
        _batches(parts.train, "wrong")


def test_the_lightness_of_grey_is_that_of_rgb2gray():
    rgb = tf.constant([[1.0, 0, 0], [0.2, 0.7, 0.4], [0.5, 0.5, 0.5]])
    from skimage import color

    expected = color.rgb2lab(
        np.repeat(color.rgb2gray(rgb.numpy()[None])[..., None], 3, -1)
    )[0, :, :1]
    channels = tf.constant(color.rgb2lab(rgb.numpy()), tf.float32)
    found = lightness.lightness_of_grey(channels[:, :1], channels[:, 1:])
    np.testing.assert_allclose(found, expected, atol=0.02)
    # Pure red: 22.7, where the color's own lightness is 53.2.
    assert 22 < found[0, 0] < 23.5 < channels[0, 0]


def test_only_lightness_and_classes_are_kept():
    ab = tf.constant([[[[80.0, 60.0]]]])
    L = tf.constant([[[[53.0]]]])
    given = {"L": L, "hints": ab, "mask": L, "classes": tf.ones([1, 2])}
    view = epochs.View(None, draw=None, finish=lambda _: (given, {"ab": ab}))

    for kind, expected in (("picture", 53.0), ("grey", 22.7)):
        kept, targets = lightness.lightness_only(view, kind).finish(None)
        assert set(kept) == {"L", "classes"} and set(targets) == {"ab"}
        np.testing.assert_allclose(kept["L"][0, 0, 0], expected, atol=3)
    with pytest.raises(ValueError, match="`lightness` must be .*Received"):
        lightness.lightness_only(view, "dark")
