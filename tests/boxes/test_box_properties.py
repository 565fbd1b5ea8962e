"""What holds of all boxes, tried on many."""

import hypothesis
import numpy as np
from hypothesis import strategies

from tests import properties
from tfcolor.boxes import boxes as boxes_lib
from tfcolor.boxes import picture_boxes

_SIZE = {"height": 20, "width": 30}


def _fit(boxes, scores, count=8):
    found, valid, _ = boxes_lib.fit_to_picture(
        boxes, scores, **_SIZE, max_boxes=count
    )
    return found.numpy(), valid.numpy()


def _scores(boxes):
    """Different ones: equal scores are told apart by area."""
    return np.linspace(1, 0.1, len(boxes), dtype=np.float32)


@properties.tried(40)
@hypothesis.given(properties.boxes())
def test_boxes_that_are_kept_lie_inside_and_have_pixels(boxes):
    found, valid = _fit(boxes, _scores(boxes))
    inside = found[valid]
    assert (inside >= 0).all() and (inside == np.floor(inside)).all()
    assert (inside[:, 2:] > inside[:, :2]).all()
    assert (inside[:, 2] <= 20).all() and (inside[:, 3] <= 30).all()
    assert not found[~valid].any()
    again, still = _fit(found[valid], _scores(inside))
    np.testing.assert_array_equal(again, found)
    np.testing.assert_array_equal(still, valid)


@properties.tried(40)
@hypothesis.given(properties.boxes(), strategies.integers(0, 2**32 - 1))
def test_the_order_of_boxes_changes_nothing(boxes, seed):
    order = np.random.default_rng(seed).permutation(len(boxes))
    scores = _scores(boxes)
    for one, other in zip(
        _fit(boxes, scores), _fit(boxes[order], scores[order]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@properties.tried(40)
@hypothesis.given(properties.boxes())
def test_more_room_for_boxes_changes_none_of_them(boxes):
    few, few_valid = _fit(boxes, _scores(boxes), 8)
    many, many_valid = _fit(boxes, _scores(boxes), 20)
    np.testing.assert_array_equal(many[:8], few)
    np.testing.assert_array_equal(many_valid[:8], few_valid)
    assert not many[8:].any() and not many_valid[8:].any()


@properties.tried(40)
@hypothesis.given(properties.boxes())
def test_boxes_of_a_mirror_image_are_mirrored(boxes):
    # Whole pixels: cutting goes to the left in both.
    boxes = np.round(boxes)
    mirrored = boxes[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, 30, 0, 30]
    found, valid = _fit(boxes, _scores(boxes))
    turned, also = _fit(mirrored.astype(np.float32), _scores(boxes))
    np.testing.assert_array_equal(valid, also)
    back = turned[:, [0, 3, 2, 1]] * [1, -1, 1, -1] + [0, 30, 0, 30]
    np.testing.assert_array_equal(back[valid], found[valid])


@properties.tried(40)
@hypothesis.given(
    properties.boxes(), strategies.integers(0, 19), strategies.integers(0, 29)
)
def test_boxes_of_a_crop_are_moved_and_cut(boxes, top, left):
    boxes = np.round(boxes)
    inside = boxes_lib.clip(boxes, **_SIZE).numpy()
    moved = inside - np.array([top, left] * 2, np.float32)
    size = {"height": 20 - top, "width": 30 - left}
    cut = boxes_lib.clip(moved, **size).numpy()
    direct = boxes_lib.clip(boxes - [top, left, top, left], **size).numpy()
    np.testing.assert_array_equal(cut, direct)


@properties.tried(40)
@hypothesis.given(properties.boxes(), strategies.integers(1, 4))
def test_boxes_grow_with_their_picture_and_come_back(boxes, factor):
    made = picture_boxes.make(np.round(boxes))
    larger = made.resized((20, 30), height=20 * factor, width=30 * factor)
    np.testing.assert_array_equal(larger.boxes, made.boxes * factor)
    back = larger.resized((20 * factor, 30 * factor), height=20, width=30)
    np.testing.assert_allclose(back.boxes, made.boxes, atol=0.01)
