import keras
import numpy as np
import pytest
import tensorflow as tf

from tfcolor.layers.box_class_map import BoxClassMap

IDS = (1, 5, 90)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
def test_cells_are_marked_with_the_classes_of_their_boxes(wrap):
    boxes = [
        [[0, 0, 50, 20], [50, 100, 100, 200], [0, 0, 100, 200]],
        [[40, 90, 60, 110], [40, 90, 60, 110], [0, 0, 0, 0]],
    ]
    classes = [[1, 90, 4], [5, 5, 0]]
    marks = wrap(BoxClassMap(IDS))(
        tf.zeros([2, 4, 8, 7]),
        tf.constant(boxes, tf.float32),
        tf.constant(classes),
        tf.constant([[100, 200]] * 2),
    ).numpy()
    expected = np.zeros([2, 4, 8, 3])
    # A box thinner than a cell has one all the same.
    expected[0, :2, :1, 0] = 1
    expected[0, 2:, 4:, 2] = 1
    # Two boxes of a class mark once.
    expected[1, 1:2, 3:4, 1] = 1
    np.testing.assert_array_equal(marks, expected)


def test_the_layer_is_rebuilt_from_its_config():
    layer = BoxClassMap(IDS, name="marks")
    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (tuple(copy.class_ids), copy.name) == (IDS, "marks")
