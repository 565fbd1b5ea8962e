import numpy as np
import pytest

from tfcolor.boxes import picture_boxes


def test_make_fills_in_what_is_not_known():
    found = picture_boxes.make([[1, 2, 3, 4]])
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.classes.dtype == np.int32
    assert found.scores == [1] and found.classes == [0]


@pytest.mark.parametrize("empty", [[], np.zeros([0]), np.zeros([0, 4])])
def test_make_takes_any_empty_array(empty):
    found = picture_boxes.make(empty)
    assert found.boxes.shape == (0, 4) and len(found) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2, 3]],), r"\[M, 4\]"),
        (([[1, 2, 3, 4]], [0.5, 0.5]), "`scores`"),
        (([[1, 2, 3, 4]], [0.5], []), "`classes`"),
        (([[1, 2, 3, np.nan]],), "finite"),
        (([[1, 2, 3, 4]], [np.inf]), "finite"),
    ],
)
def test_make_refuses_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        picture_boxes.make(*arguments)


def test_resized_scales_each_side_by_itself():
    found = picture_boxes.make([[1, 2, 3, 4]], [0.5], [7])
    resized = found.resized((10, 20), height=30, width=10)
    np.testing.assert_array_equal(resized.boxes, [[3, 1, 9, 2]])
    assert resized.scores == [0.5] and resized.classes == [7]


def test_resized_refuses_boxes_of_a_picture_on_its_side():
    found = picture_boxes.make([[1, 2, 3, 4]])
    with pytest.raises(ValueError, match="upright"):
        found.resized((20, 10), height=10, width=20)
    with pytest.raises(ValueError, match="upright"):
        found.resized((40, 20), height=10, width=20)
    square = found.resized((20, 20), height=10, width=10)
    np.testing.assert_array_equal(square.boxes, [[0.5, 1, 1.5, 2]])


def test_take_keeps_scores_and_classes_beside_their_boxes():
    found = picture_boxes.make(np.eye(4), [0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4])
    some = found.take(np.array([2, 0]))
    np.testing.assert_array_equal(some.boxes, np.eye(4)[[2, 0]])
    np.testing.assert_allclose(some.scores, [0.3, 0.1])
    np.testing.assert_array_equal(some.classes, [3, 1])
