import numpy as np
import pytest

from tfcolor.boxes import picture_boxes
from tfcolor.detection import draw

GREY = np.full([120, 160, 3], 128, np.uint8)


def test_the_frame_of_a_box_is_drawn_on_its_outermost_pixels():
    found = picture_boxes.make([[20, 30, 110, 151]], [0.9], [18])
    before = GREY.copy()
    drawn = draw.draw_boxes(GREY, found, {18: "dog"})
    np.testing.assert_array_equal(GREY, before)
    changed = np.any(drawn != GREY, axis=-1)
    rows, columns = np.nonzero(changed.any(axis=1))[0], np.nonzero(changed)[1]
    assert (rows.min(), rows.max()) == (20, 109)
    assert (columns.min(), columns.max()) == (30, 150)
    assert changed[109, 30:151].all() and changed[20:110, 150].all()
    assert not changed[60, 40:140].any()


def test_a_label_at_the_border_stays_inside_the_picture():
    found = picture_boxes.make([[0, 155, 5, 160]], [0.9], [99])
    drawn = draw.draw_boxes(GREY, found, {})
    changed = np.any(drawn != GREY, axis=-1)
    # Wide enough for a text, so it was moved to the left.
    assert changed[2].sum() > 40


def test_without_boxes_the_picture_is_as_it_was():
    drawn = draw.draw_boxes(GREY, picture_boxes.none(), {})
    np.testing.assert_array_equal(drawn, GREY)
    assert drawn is not GREY


def _overlaps(places, sizes):
    rows = [
        (t, left, t + h, left + w)
        for (t, left), (h, w) in zip(places, sizes, strict=True)
    ]
    return [
        (a, b)
        for i, a in enumerate(rows)
        for b in rows[i + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


@pytest.mark.parametrize(
    "boxes",
    [
        [(20, 30, 110, 151)] * 8,
        [(20 + i, 30 + 3 * i, 60, 80) for i in range(8)],
        [(0, 0, 5, 5), (0, 0, 120, 160), (115, 155, 120, 160)] * 2,
    ],
    ids=["at one place", "close by", "in corners"],
)
def test_labels_do_not_hide_each_other(boxes):
    sizes = [(13, 60 + 5 * (i % 3)) for i in range(len(boxes))]
    places = draw.place_labels(sizes, boxes, 120, 160)
    assert not _overlaps(places, sizes)
    for (top, left), (high, wide) in zip(places, sizes, strict=True):
        assert 0 <= top <= 120 - high and 0 <= left <= 160 - wide
    # The best box keeps its corner.
    assert places[0] == (boxes[0][0], boxes[0][1])


def test_boxes_apart_have_their_labels_in_their_corners():
    boxes = [(5, 5, 50, 80), (60, 90, 110, 150)]
    places = draw.place_labels([(12, 50)] * 2, boxes, 120, 160)
    assert places == [(5, 5), (60, 90)]


def test_more_labels_than_there_is_room_for_hide_as_little_as_can_be():
    sizes = [(20, 40)] * 5
    places = draw.place_labels(sizes, [(0, 0, 40, 40)] * 5, 40, 40)
    assert places[:2] == [(0, 0), (20, 0)] and len(places) == 5
