import numpy as np
import pytest
from PIL import Image

from tfcolor.evaluation import geometry


def _picture(height, width):
    generator = np.random.default_rng(height * 1000 + width)
    return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_original_leaves_a_picture_as_it_is():
    rgb = _picture(7, 20)
    np.testing.assert_array_equal(geometry.fit(rgb, "original", 8), rgb)


def test_squash_is_pillows_antialiased_bilinear_resize():
    rgb = _picture(50, 90)
    expected = Image.fromarray(rgb).resize((16, 16), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(geometry.fit(rgb, "squash", 16), expected)


@pytest.mark.parametrize("size", [(16, 48), (48, 16)])
def test_center_crop_keeps_the_middle_of_the_long_side(size):
    rgb = np.zeros((*size, 3), np.uint8)
    middle = [slice(16, 32) if side == 48 else slice(None) for side in size]
    rgb[tuple(middle)] = 200
    np.testing.assert_array_equal(
        geometry.fit(rgb, "center_crop", 16), np.full((16, 16, 3), 200)
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 101), (101, 3), (33, 32)])
@pytest.mark.parametrize("name", ["squash", "center_crop"])
def test_any_picture_becomes_a_square(name, size):
    assert geometry.fit(_picture(*size), name, 24).shape == (24, 24, 3)


def test_every_geometry_has_a_name_for_people():
    names = {geometry.describe(g, 256) for g in geometry.GEOMETRIES}
    assert names == {
        "original size",
        "squash to 256 x 256",
        "center crop of 256 x 256",
    }


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="geometry='crop'"):
        geometry.fit(_picture(4, 4), "crop", 8)
    with pytest.raises(ValueError, match="size=0"):
        geometry.fit(_picture(4, 4), "squash", 0)
