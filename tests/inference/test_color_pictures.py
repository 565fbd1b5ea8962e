import numpy as np
import pytest

from tests import drawn
from tfcolor.data import sample_pictures
from tfcolor.inference import color_pictures
from tfcolor.pictures import decode


def test_photos_are_in_color():
    for sample in sample_pictures.paths():
        with open(sample, "rb") as file:
            rgb = decode.decode_rgb(file.read())
        assert color_pictures.is_color(rgb)
        assert color_pictures.is_color(rgb.astype(np.uint16) * 257)
        grey = rgb.mean(-1, keepdims=True)
        toned = grey * [1.0, 0.88, 0.7] + (1 - grey / 255) * [20, 5, 0]
        for neutral in (grey.repeat(3, -1), toned):
            neutral = np.clip(neutral, 0, 255).astype(np.uint8)
            assert not color_pictures.is_color(neutral)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_has_no_spread(channels):
    grey = drawn.grey(0)[..., :channels]
    assert color_pictures.color_spread(grey) < 0.01
    assert color_pictures.color_spread(grey[:1, :1]) < 0.01
