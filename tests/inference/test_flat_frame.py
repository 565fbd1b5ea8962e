import io

import numpy as np
import pytest
from PIL import Image

from tfcolor.inference import flat_frame

_HEIGHT, _WIDTH = 100, 140


def _photo(channels=1, height=60, width=80):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    values = 128 + 60 * np.sin(x / 7) * np.cos(y / 9)
    values = values[..., None] + rng.normal(0, 8, (height, width, channels))
    return np.clip(values, 0, 255)


def _framed(color, *, top=20, left=30, channels=1, noise=0.0):
    rng = np.random.default_rng(1)
    picture = np.full((_HEIGHT, _WIDTH, channels), float(color))
    picture += rng.normal(0, noise, picture.shape)
    photo = _photo(channels)
    bottom, right = top + photo.shape[0], left + photo.shape[1]
    picture[top:bottom, left:right] = photo
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def _near(found, expected):
    return found is not None and max(np.abs(np.subtract(found, expected))) <= 3


@pytest.mark.parametrize("color", [0, 128, 255])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("noise", [0, 1.5])
@pytest.mark.parametrize(("top", "left"), [(20, 30), (0, 0), (40, 60)])
def test_a_photo_on_a_flat_bed_is_found(color, channels, noise, top, left):
    picture = _framed(color, top=top, left=left, channels=channels, noise=noise)
    expected = (top, top + 60, left, left + 80)
    assert _near(flat_frame.find_inner(picture), expected)
    deep = picture.astype(np.uint16) * 257
    assert _near(flat_frame.find_inner(deep), expected)


def test_black_bars_are_a_frame():
    picture = np.zeros((100, 80, 1), np.uint8)
    picture[20:80] = _photo().astype(np.uint8)
    assert _near(flat_frame.find_inner(picture), (20, 80, 0, 80))


def test_a_mount_on_a_bed_is_two_frames():
    picture = np.full((140, 200, 1), 90, np.uint8)
    picture[10:110, 20:160] = 240
    picture[30:90, 50:130] = _photo().astype(np.uint8)
    assert _near(flat_frame.find_inner(picture), (30, 90, 50, 130))


def test_jpegs_have_frames_too():
    file = io.BytesIO()
    Image.fromarray(_framed(128)[..., 0]).save(file, "JPEG", quality=80)
    with Image.open(file) as opened:
        picture = np.asarray(opened)[..., None]
    found = flat_frame.find_inner(picture)
    # Ringing at the edge belongs to the photo.
    assert found is not None
    assert np.abs(np.subtract(found, (20, 80, 30, 110))).max() <= 8


def _sky():
    picture = np.full((80, 100, 1), 250, np.uint8)
    picture[40:] = _photo(height=40, width=100).astype(np.uint8)
    return picture


def _thing_before_a_backdrop():
    y, x = np.mgrid[:100, :100]
    round_thing = (y - 50) ** 2 + (x - 50) ** 2 < 30**2
    noise = np.random.default_rng(0).integers(0, 100, (100, 100))
    return np.where(round_thing, noise, 200).astype(np.uint8)[..., None]


@pytest.mark.parametrize(
    "picture",
    [
        _photo().astype(np.uint8),
        _sky(),
        _thing_before_a_backdrop(),
        np.full((50, 60, 3), 128, np.uint8),
        np.full((1, 1, 1), 128, np.uint8),
        np.pad(np.full((30, 30), 200, np.uint8), 20)[..., None],
    ],
    ids=["photo", "sky", "backdrop", "flat", "pixel", "square"],
)
def test_what_is_no_frame_is_left_alone(picture):
    assert flat_frame.find_inner(picture) is None
