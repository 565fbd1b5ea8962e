import numpy as np
import pytest
import tensorflow as tf

from tfcolor.inference import network_inputs
from tfcolor.inference import prepare


def _picture(height, width, dtype=np.uint8):
    high = np.iinfo(dtype).max
    rng = np.random.default_rng(height)
    return rng.integers(0, high, (height, width, 3), dtype)


def _L(picture, side):
    return prepare.network_L(tf.constant(picture), side)


def test_crops_are_what_lies_in_the_boxes():
    pictures = [_picture(20, 30), _picture(9, 7, np.uint16)]
    boxes = [np.array([[2.9, 3, 12, 13.5], [-5, -5, 100, 4]]), None]
    inputs = network_inputs.batch_box_inputs(
        pictures, boxes, network_inputs.BoxCrops(32, (16,))
    )
    whole = [[2, 3, 12, 13], [0, 0, 20, 4]]
    np.testing.assert_array_equal(inputs["boxes"][0], whole)
    np.testing.assert_array_equal(
        inputs["box_valid"], [[True, True], [False, False]]
    )
    np.testing.assert_array_equal(inputs["picture_size"], [[20, 30], [9, 7]])
    for crop, (top, left, bottom, right) in zip(
        inputs["crops"][0], whole, strict=True
    ):
        expected = _L(pictures[0][top:bottom, left:right], 16)
        np.testing.assert_allclose(crop, expected, atol=1e-4)
    assert not np.any(inputs["crops"][1])


def test_pictures_without_boxes_have_a_row_of_none():
    inputs = network_inputs.batch_box_inputs(
        [_picture(4, 5)], [None], network_inputs.BoxCrops(8, (8,))
    )
    assert inputs["boxes"].shape == (1, 1, 4)
    assert not np.any(inputs["box_valid"])


def test_boxes_that_cannot_be_used_are_not_valid():
    boxes = [[0, 0, 4, 4], [3, 3, 3, 9], [50, 0, 60, 5], [1.2, 1.2, 1.9, 1.9]]
    inputs = network_inputs.batch_box_inputs(
        [_picture(20, 20)], [boxes], network_inputs.BoxCrops(8, (8, 16))
    )
    np.testing.assert_array_equal(
        inputs["box_valid"][0], [True, False, False, False]
    )
    assert not np.any(inputs["box_valid_2"])
    np.testing.assert_array_equal(inputs["boxes"][0, 0], boxes[0])
    assert np.any(inputs["crops"][0, 0])
    assert not np.any(inputs["crops"][0, 1:])


@pytest.mark.parametrize(
    "boxes", [[[0, 0, 4]], [0, 0, 4, 4], [[0, 0, np.nan, 4]]]
)
def test_boxes_must_be_finite_rows_of_four(boxes):
    with pytest.raises(ValueError, match="`boxes` must be finite"):
        network_inputs.batch_box_inputs(
            [_picture(20, 20)], [boxes], network_inputs.BoxCrops(8, (8,))
        )


def test_pictures_are_squashed_to_one_size():
    pictures = [_picture(20, 30), _picture(5, 9, np.uint16)]
    inputs = network_inputs.batch_inputs(pictures, [None, ()], image_size=8)
    for L, picture in zip(inputs["L"], pictures, strict=True):
        np.testing.assert_allclose(L, _L(picture, 8), atol=1e-4)
    assert inputs["hints"].shape == (2, 8, 8, 2)
    assert not np.any(inputs["mask"])
