import numpy as np
import pytest
from PIL import Image
from PIL import ImageCms

from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures.side_data import SideData

_LOSSLESS = (".png", ".bmp", ".tif", ".tiff", ".PNG")


def _noise(channels, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, (9, 13, channels), dtype)


def _metadata():
    exif = Image.Exif()
    exif[271] = "Maker"
    exif[274] = 1
    exif[282] = 300.0
    exif.get_ifd(34665)[36867] = "2020:01:02 03:04:05"
    exif.get_ifd(34853)[2] = (1.0, 2.0, 3.5)
    profile = ImageCms.createProfile("sRGB")
    return exif.tobytes(), ImageCms.ImageCmsProfile(profile).tobytes()


@pytest.mark.parametrize("extension", _LOSSLESS)
@pytest.mark.parametrize("has_alpha", [False, True])
def test_lossless_formats_come_back_exactly(extension, has_alpha):
    rgb, alpha = _noise(3), _noise(1) if has_alpha else None
    data = encode.encode_picture(rgb, extension, alpha=alpha)
    picture = decode.decode_picture(data)
    assert np.array_equal(picture.pixels, rgb)
    if has_alpha:
        assert np.array_equal(picture.alpha, alpha)
    else:
        assert picture.alpha is None


@pytest.mark.parametrize("extension", [".png", ".tif"])
def test_sixteen_bits_and_alpha_come_back_exactly(extension):
    rgb, alpha = _noise(3, np.uint16), _noise(1, np.uint16)
    data = encode.encode_picture(rgb, extension, alpha=alpha)
    picture = decode.decode_picture(data)
    assert np.array_equal(picture.pixels, rgb)
    assert np.array_equal(picture.alpha, alpha)


@pytest.mark.parametrize("extension", [".jpg", ".webp", ".bmp"])
def test_other_formats_round_sixteen_bits_to_eight(extension):
    rgb = np.full((16, 16, 3), (51400, 25700, 10280), np.uint16)
    decoded = decode.decode_rgb(encode.encode_picture(rgb, extension))
    assert np.abs(decoded.astype(int) - (200, 100, 40)).max() <= 4


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_exif_and_icc_are_written(extension, dtype):
    exif, profile = _metadata()
    data = encode.encode_picture(
        _noise(3, dtype), extension, exif=exif, icc_profile=profile
    )
    picture = decode.decode_picture(data)
    assert picture.icc_profile == profile
    kept = Image.Exif()
    kept.load(picture.exif)
    assert (kept[271], kept[274], kept[282]) == ("Maker", 1, 300.0)
    assert kept.get_ifd(34665)[36867] == "2020:01:02 03:04:05"
    assert kept.get_ifd(34853)[2] == (1.0, 2.0, 3.5)


def test_jpeg_keeps_full_color_resolution_and_drops_alpha():
    data = encode.encode_picture(_noise(3), ".JPG", alpha=_noise(1))
    assert decode.decode_picture(data).alpha is None
    # Sampling factors in the frame header, ITU T.81, B.2.2: 1 x 1 for all.
    start = data.index(b"\xff\xc0")
    assert [data[start + n] for n in (11, 14, 17)] == [0x11, 0x11, 0x11]


def test_an_exif_block_too_long_for_jpeg_is_left_out():
    exif = Image.Exif()
    exif[270] = "x" * 70000
    data = encode.encode_picture(_noise(3), ".jpg", exif=exif.tobytes())
    assert decode.decode_picture(data).exif is None


def test_big_tiffs_have_several_strips():
    rgb = np.tile(np.arange(1200, dtype=np.uint16)[:, None, None], (1, 300, 3))
    decoded = decode.decode_picture(encode.encode_picture(rgb, ".tif"))
    assert np.array_equal(decoded.pixels, rgb)


def test_unknown_formats_and_impossible_sizes_are_errors():
    with pytest.raises(ValueError, match=r"Received: extension='.gif'"):
        encode.encode_picture(_noise(3), ".gif")
    wide = np.zeros((1, 20000, 3), np.uint8)
    with pytest.raises(ValueError, match="Received: 20000 x 1 pixels"):
        encode.encode_picture(wide, ".webp")


def test_bits_that_a_format_does_not_hold_are_said():
    options = {"exif": None, "side": SideData()}
    for extension, kind in ((".jpg", "JPEG"), (".webp", "WEBP")):
        assert encode.left_out(extension, bits=16, **options) == [
            f"left out of the {kind} file: the lower 8 of its 16 bits"
        ]
        assert encode.left_out(extension, bits=8, **options) == []
    for extension in (".png", ".tif"):
        assert encode.left_out(extension, bits=16, **options) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_that_a_jpeg_does_not_hold_is_said(dtype):
    options = {"exif": None, "side": SideData()}
    alpha = np.full([9, 13, 1], np.iinfo(dtype).max, dtype)
    assert encode.left_out(".jpg", alpha=alpha, **options) == []
    alpha[3, 4] = 0
    assert encode.left_out(".JPG", alpha=alpha, **options) == [
        "left out of the JPEG file: its transparency (what it hid shows)"
    ]
    for extension in (".png", ".webp", ".tif", ".bmp"):
        assert encode.left_out(extension, alpha=alpha, **options) == []
        data = encode.encode_picture(_noise(3, dtype), extension, alpha=alpha)
        decoded = decode.decode_picture(data)
        assert decoded.alpha is not None
