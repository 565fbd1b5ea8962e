import numpy as np

from tfcolor.data import picture_boxes
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
