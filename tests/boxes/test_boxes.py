import numpy as np
import pytest
import tensorflow as tf

from tfcolor.boxes import boxes as boxes_lib

# In a picture of 20 x 30 pixels, by what becomes of each.
FOUND = [
    ([2, 3, 8, 9], [2, 3, 8, 9]),
    ([-5.5, -1, 4.9, 7.2], [0, 0, 4, 7]),
    ([15.7, 28.1, 99, 99], [15, 28, 20, 30]),
    ([3, 4, 4, 5], [3, 4, 4, 5]),
    ([-50, -50, 50, 50], [0, 0, 20, 30]),
    ([20, 5, 25, 9], boxes_lib.OUTSIDE),
    ([5, 30, 9, 31], boxes_lib.OUTSIDE),
    ([-9, 5, 0, 9], boxes_lib.OUTSIDE),
    ([5, -9, 9, 0], boxes_lib.OUTSIDE),
    ([5, 5, 5, 9], boxes_lib.NO_AREA),
    ([5, 9, 9, 6], boxes_lib.NO_AREA),
    ([5.1, 5, 5.9, 9], boxes_lib.NO_AREA),
    ([5, 29, 9, 29.9], boxes_lib.NO_AREA),
    ([0, 0, 0, 0], boxes_lib.OUTSIDE),
]
BOXES = np.array([box for box, _ in FOUND], np.float32)


def _fit(boxes, scores, max_boxes):
    return boxes_lib.fit_to_picture(
        boxes, scores, height=20, width=30, max_boxes=max_boxes
    )


def test_drop_reasons_name_boxes_without_a_pixel_inside():
    reasons = boxes_lib.drop_reasons(BOXES, height=20, width=30).numpy()
    wanted = [
        what if isinstance(what, str) else boxes_lib.KEPT for _, what in FOUND
    ]
    assert [boxes_lib.REASONS[i] for i in reasons] == wanted


def test_fit_to_picture_clips_cuts_sorts_and_pads():
    scores = np.linspace(0.1, 0.9, len(BOXES)).astype(np.float32)
    boxes, box_valid, reasons = _fit(BOXES, scores, 8)
    kept = [what for _, what in FOUND if not isinstance(what, str)]
    np.testing.assert_array_equal(boxes[: len(kept)], kept[::-1])
    assert not boxes[len(kept) :].numpy().any()
    np.testing.assert_array_equal(box_valid, [True] * 5 + [False] * 3)
    assert np.count_nonzero(reasons) == len(FOUND) - len(kept)
    assert boxes.shape == (8, 4) and boxes.dtype == tf.float32


def test_of_too_many_boxes_those_of_highest_score_stay():
    boxes = np.array([[i, 0, i + 1, 5] for i in range(12)], np.float32)
    scores = np.array([3, 9, 1, 8, 2, 7, 0, 5, 4, 6, 11, 10], np.float32)
    kept, box_valid, _ = _fit(boxes, scores, 4)
    np.testing.assert_array_equal(kept[:, 0], [10, 11, 1, 3])
    assert box_valid.numpy().all()


def test_of_equal_scores_the_larger_box_comes_first():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 9, 9], [0, 0, 1, 99]], np.float32)
    order = boxes_lib.best_first(boxes, np.array([1, 1, 0], np.float32))
    np.testing.assert_array_equal(order, [1, 0, 2])
    order = boxes_lib.best_first(boxes, np.ones(3, np.float32))
    np.testing.assert_array_equal(order, [2, 1, 0])


def test_a_picture_without_boxes_gets_rows_that_are_not_valid():
    boxes, box_valid, reasons = _fit(np.zeros([0, 4]), np.zeros([0]), 3)
    np.testing.assert_array_equal(boxes, np.zeros([3, 4]))
    assert not box_valid.numpy().any()
    assert reasons.shape == (0,)


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_dataset_map_equals_eager_for_any_number_of_boxes(count):
    rng = np.random.default_rng(count)
    boxes = rng.uniform(-5, 35, [count, 4]).astype(np.float32)
    scores = rng.uniform(size=count).astype(np.float32)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter([(boxes, scores)]),
        output_signature=(
            tf.TensorSpec([None, 4], tf.float32),
            tf.TensorSpec([None], tf.float32),
        ),
    ).map(lambda boxes, scores: _fit(boxes, scores, 4))
    assert dataset.element_spec[0].shape == (4, 4)
    assert dataset.element_spec[1].shape == (4,)
    (mapped,) = list(dataset)
    for eager, graph in zip(_fit(boxes, scores, 4), mapped, strict=True):
        np.testing.assert_array_equal(eager, graph)
