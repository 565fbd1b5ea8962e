import numpy as np
import pytest

from tfcolor.inference.contact_sheet import contact_sheet


def test_a_sheet_shows_every_picture_of_every_group():
    colors = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)]
    red, green, blue, yellow = (
        np.full((40, 60, 3), color, np.uint8) for color in colors
    )
    sheet = contact_sheet(
        [[red, green], [blue, yellow]], ["one", "two"], columns=1, height=20
    )
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3
    for color in colors:
        # 20 high, and as much narrower: 30 wide.
        assert (sheet == color).all(axis=-1).sum() == 20 * 30


def test_pictures_of_different_shapes_stand_in_equal_cells():
    wide = np.full((10, 40, 3), 9, np.uint8)
    high = np.full((40, 10, 3), 9, np.uint8)
    sheet = contact_sheet([[wide, high]], ["a", "b"], height=20)
    assert (sheet == 9).all(axis=-1).sum() == 20 * 80 + 20 * 5


def test_a_group_without_a_picture_for_each_label_is_refused():
    with pytest.raises(ValueError, match="a picture for each label"):
        contact_sheet([[np.zeros((4, 4, 3), np.uint8)]], ["one", "two"])
