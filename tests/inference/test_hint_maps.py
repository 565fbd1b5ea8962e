import numpy as np
import pytest
from skimage.color import rgb2lab

from tfcolor.inference import hint_maps
from tfcolor.inference.hint_points import HintPoint

_RED, _BLUE = "#ff0000", "#0000ff"


def _draw(*points, width=64, height=64, image_size=16):
    return hint_maps.draw_hints(
        list(points), width=width, height=height, image_size=image_size
    )


def test_color_to_ab_agrees_with_skimage():
    expected = rgb2lab(np.array([0x3B, 0x7D, 0xD8]) / 255)[1:]
    np.testing.assert_allclose(
        hint_maps.color_to_ab("#3b7DD8"), expected, atol=1e-3
    )


def test_no_points_give_empty_maps():
    hints, mask = _draw()
    assert hints.shape == (16, 16, 2) and not hints.any()
    assert mask.shape == (16, 16, 1) and not mask.any()


def test_a_tiny_point_colors_the_one_pixel_it_falls_on():
    # 4 x 4 pixels of the picture make one of the grid.
    hints, mask = _draw(HintPoint(63, 0, _RED, radius=0.1))
    assert np.argwhere(mask[..., 0]).tolist() == [[0, 15]]
    np.testing.assert_allclose(hints[0, 15], hint_maps.color_to_ab(_RED))
    assert np.count_nonzero(hints) == 2


def test_a_radius_is_in_pixels_of_the_picture_on_both_axes():
    _, mask = _draw(
        HintPoint(63.5, 31.5, _RED, radius=16), width=128, height=64
    )
    rows, columns = np.nonzero(mask[..., 0])
    # 32 pixels across are 4 of 8 columns' width, and 8 of 4 rows' height.
    assert (columns.min(), columns.max()) == (6, 9)
    assert (rows.min(), rows.max()) == (4, 11)


def test_the_default_radius_is_a_fiftieth_of_the_short_side():
    given = _draw(HintPoint(300, 200, _RED, radius=8), width=600, height=400)
    default = _draw(HintPoint(300, 200, _RED), width=600, height=400)
    np.testing.assert_array_equal(given[1], default[1])


def test_overlapping_points_are_averaged():
    hints, mask = _draw(
        HintPoint(30, 30, _RED, radius=4), HintPoint(30, 30, _BLUE, radius=9)
    )
    mean = (hint_maps.color_to_ab(_RED) + hint_maps.color_to_ab(_BLUE)) / 2
    np.testing.assert_allclose(hints[7, 7], mean, rtol=1e-6)
    assert mask.max() == 1


@pytest.mark.parametrize("size", [(1, 1), (7, 2000)])
def test_every_place_of_every_picture_can_be_hinted(size):
    height, width = size
    for x, y in ((0, 0), (width - 1, height - 1)):
        _, mask = _draw(HintPoint(x, y, _RED), width=width, height=height)
        assert mask.sum() >= 1


def test_points_out_of_the_picture_are_refused():
    with pytest.raises(ValueError, match="Received: x=64"):
        _draw(HintPoint(64, 0, _RED))
