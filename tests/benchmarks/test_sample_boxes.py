import pytest

from benchmarks import sample_boxes


def test_boxes_lie_in_the_picture_and_differ():
    boxes = sample_boxes.boxes(32, height=300, width=500)
    assert len({tuple(box) for box in boxes}) == 32
    for top, left, bottom, right in boxes:
        assert 0 <= top < bottom <= 300
        assert 0 <= left < right <= 500
    assert sample_boxes.boxes(8, height=300, width=500) == boxes[:8]


def test_scaled_boxes_keep_their_centers():
    boxes = sample_boxes.boxes(8, height=400, width=400)
    halves = sample_boxes.boxes(8, height=400, width=400, scale=0.5)
    for box, half in zip(boxes, halves, strict=True):
        for i in (0, 1):
            center = (box[i] + box[i + 2]) / 2
            assert abs((half[i] + half[i + 2]) / 2 - center) <= 2
            assert abs(2 * (half[i + 2] - half[i]) - box[i + 2] + box[i]) <= 4


def test_more_boxes_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="Received: count=1000"):
        sample_boxes.boxes(1000, height=300, width=500)
