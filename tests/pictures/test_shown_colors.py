import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL import ImageCms
from PIL import features

from tests.pictures import icc_profiles
from tfcolor.color import lab
from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures import icc_profile
from tfcolor.pictures import shown_colors


def _ramp(dtype, channels, gamma, shape=(16, 256)):
    """A ramp of light as numbers of a gamma, and as sRGB 0..1."""
    high = np.iinfo(dtype).max
    values = np.linspace(0, high, shape[1]).round().astype(dtype)
    pixels = np.broadcast_to(values[None, :, None], (*shape, channels))
    light = (pixels / high) ** gamma
    return np.ascontiguousarray(pixels), shown_colors._linear_to_srgb(light)


def _file(pixels, kind, **options):
    file = io.BytesIO()
    picture = Image.fromarray(
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    )
    picture.save(file, kind, **options)
    return file.getvalue()


def _L(pixels):
    rgb = pixels / np.float32(np.iinfo(pixels.dtype).max)
    convert = lab.rgb_to_L if rgb.shape[-1] == 3 else lab.grey_to_L
    return convert(rgb.astype(np.float32)).numpy()


def _mean_L_error(pixels, srgb):
    expected = lab.grey_to_L(srgb[..., :1].astype(np.float32)).numpy()
    return np.abs(_L(pixels) - expected).mean()


@pytest.mark.parametrize("gamma", [1.0, 1.8])
@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "TIFF", "deep PNG", "deep TIFF"]
)
def test_grey_profiles_are_applied(gamma, kind):
    dtype = np.uint16 if kind.startswith("deep") else np.uint8
    pixels, srgb = _ramp(dtype, 1, gamma)
    profile = icc_profiles.grey(gamma)
    data = _file(pixels, kind.split()[-1], icc_profile=profile)
    picture = decode.decode_picture(data)
    assert picture.bits == (16 if dtype == np.uint16 else 8)
    assert picture.pixels.dtype == np.uint16
    assert picture.icc_profile == shown_colors.srgb_profile()
    # JPEG moves dark numbers of a linear picture by visible steps.
    limit = 0.5 if kind == "JPEG" else 0.02
    assert _mean_L_error(picture.pixels, srgb) < limit
    assert _mean_L_error(decode.decode_rgb(data), srgb) < 0.5


@pytest.mark.parametrize("mode", ["LA", "P", "RGB"])
def test_grey_profiles_are_applied_to_alpha_palettes_and_grey_rgb(mode):
    pixels, srgb = _ramp(np.uint8, 1, 1.0)
    picture = Image.fromarray(pixels[..., 0])
    if mode == "P":
        picture = Image.frombytes("P", picture.size, picture.tobytes())
        picture.putpalette(np.repeat(np.arange(256), 3).tolist())
    else:
        picture = picture.convert(mode)
    file = io.BytesIO()
    picture.save(file, "PNG", icc_profile=icc_profiles.grey(1.0))
    decoded = decode.decode_picture(file.getvalue())
    assert decoded.pixels.shape[-1] == 1
    assert _mean_L_error(decoded.pixels, srgb) < 0.01
    assert (decoded.alpha is not None) == (mode == "LA")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("chunks", "gamma"),
    [
        ((100000,), 1.0),
        ((55556,), 1.8),
        ((45455,), None),
        ((100000, "sRGB"), None),
    ],
)
def test_png_gamma_is_applied_unless_it_is_srgb(dtype, chunks, gamma):
    pixels, srgb = _ramp(dtype, 1, gamma or 1.0)
    data = _file(pixels, "PNG")
    added = _chunk(b"gAMA", struct.pack(">L", chunks[0]))
    if "sRGB" in chunks:
        added += _chunk(b"sRGB", b"\0")
    picture = decode.decode_picture(data[:33] + added + data[33:])
    if gamma is None:
        assert np.array_equal(picture.pixels, pixels)
    else:
        assert _mean_L_error(picture.pixels, srgb) < 0.01


@pytest.mark.parametrize("gamma", [0, 1, 15, 16, 625000000, 625000001])
def test_png_gamma_that_no_picture_has_is_ignored_and_said(gamma):
    pixels = np.array([[[10, 90, 250]]], np.uint8)
    data = _file(pixels, "PNG")
    added = _chunk(b"gAMA", struct.pack(">L", gamma))
    picture = decode.decode_picture(data[:33] + added + data[33:])
    usable = 16 <= gamma <= 625000000
    assert np.array_equal(picture.pixels, pixels) != usable
    assert (picture.notes == ()) == usable
    if not usable:
        (note,) = picture.notes
        assert note.startswith("its gAMA is ignored: ")
        assert note.endswith(f"Received: {gamma}")
        # Both chunks are named.
        added += _chunk(b"cHRM", bytes(32))
        picture = decode.decode_picture(data[:33] + added + data[33:])
        assert np.array_equal(picture.pixels, pixels)


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_png_gamma_is_applied_once(channels):
    cv2 = pytest.importorskip("cv2")
    pixels, srgb = _ramp(np.uint16, channels, 1.0)
    data = cv2.imencode(".png", pixels)[1].tobytes()
    added = _chunk(b"gAMA", struct.pack(">L", 100000))
    picture = decode.decode_picture(data[:33] + added + data[33:])
    assert picture.bits == 16
    assert _mean_L_error(picture.pixels, srgb) < 0.01


def _chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    length = struct.pack(">L", len(content))
    return length + kind + content + struct.pack(">L", checksum)


def test_png_primaries_are_applied():
    # Those of Adobe RGB; D65 is its white as well.
    xy = (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
    added = _chunk(b"gAMA", struct.pack(">L", 45455))
    added += _chunk(b"cHRM", struct.pack(">8L", *xy))
    data = _file(np.full((2, 2, 3), (150, 120, 100), np.uint8), "PNG")
    moved = decode.decode_rgb(data[:33] + added + data[33:])[0, 0]
    by_profile = _by_lcms(
        np.full((2, 2, 3), (150, 120, 100), np.uint8),
        icc_profiles.rgb(icc_profiles.srgb_curve(), icc_profiles.ADOBE_RGB),
    )[0, 0]
    assert np.abs(moved - by_profile.astype(int)).max() <= 1


def _by_lcms(pixels, profile):
    return np.asarray(
        ImageCms.profileToProfile(
            Image.fromarray(pixels),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
        )
    )


@pytest.mark.parametrize(
    ("gamma", "primaries"),
    [
        (2.2, icc_profiles.ADOBE_RGB),
        (1.8, icc_profiles.PROPHOTO),
        (1.0, icc_profiles.SRGB),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "deep PNG", "deep TIFF"])
def test_rgb_profiles_give_the_colors_of_another_program(
    gamma, primaries, kind
):
    rng = np.random.default_rng(0)
    # Not saturated, so that no color lies outside sRGB.
    pixels = rng.integers(100, 140, (8, 8, 3)).astype(np.uint8)
    profile = icc_profiles.rgb(gamma, primaries)
    expected = _by_lcms(pixels, profile).astype(int)
    if kind.startswith("deep"):
        data = encode.encode_picture(
            pixels.astype(np.uint16) * 257,
            "." + kind.split()[-1].lower(),
            icc_profile=profile,
        )
    else:
        data = _file(pixels, kind, icc_profile=profile)
    picture = decode.decode_picture(data)
    assert picture.bits == (16 if kind.startswith("deep") else 8)
    assert np.abs(picture.pixels / 257 - expected).max() < 0.8
    assert np.abs(decode.decode_rgb(data) - expected).max() <= 1
    assert picture.icc_profile == shown_colors.srgb_profile()


def test_colors_outside_srgb_keep_their_lightness():
    green = np.zeros((2, 2, 3), np.uint8)
    green[..., 1] = 200
    profile = icc_profiles.rgb(2.2, icc_profiles.ADOBE_RGB)
    shown = decode.decode_picture(_file(green, "PNG", icc_profile=profile))
    luminance = icc_profiles.ADOBE_RGB[1][1] * (200 / 255) ** (563 / 256)
    L = 116 * np.cbrt(luminance) - 16
    assert np.abs(_L(shown.pixels) - L).max() < 0.1


@pytest.mark.parametrize("made_by", ["lcms", "table"])
def test_srgb_profiles_leave_pixels_as_they_are_and_are_kept(made_by):
    profile = shown_colors.srgb_profile()
    if made_by == "table":
        profile = icc_profiles.rgb(icc_profiles.srgb_curve())
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    picture = decode.decode_picture(_file(pixels, "PNG", icc_profile=profile))
    assert np.array_equal(picture.pixels, pixels)
    assert picture.icc_profile == profile


def test_a_profile_of_rgb_says_what_grey_is():
    pixels, srgb = _ramp(np.uint8, 1, 1.0)
    data = _file(pixels, "PNG", icc_profile=icc_profiles.rgb(1.0))
    picture = decode.decode_picture(data)
    assert _mean_L_error(picture.pixels, srgb) < 0.01


def _link_class(profile):
    return profile[:12] + b"link" + profile[16:]


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        icc_profiles.rgb(1.0)[:200],
        icc_profiles.rgb(1.0)[:128] + b"\xff\xff\xff\xff",
        _link_class(icc_profiles.rgb(1.0)),
        icc_profiles.grey(1.0),
        icc_profiles.rgb(1.0).replace(b"RGB ", b"CMYK"),
        icc_profiles.rgb(1.0).replace(b"rTRC", b"none"),
        icc_profiles.rgb(1.0).replace(b"rXYZ", b"none"),
        icc_profiles.rgb(1.0).replace(b"rTRC", b"A2B0"),
        icc_profiles.rgb(1.0).replace(b"curv", b"abcd"),
        icc_profiles.rgb(1.0, ((0, 0, 0),) * 3),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_damaged_and_unfit_profiles_are_ignored_with_a_note(profile, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    data = _file(pixels, kind, icc_profile=profile)
    picture = decode.decode_picture(data)
    assert picture.pixels.dtype == np.uint8
    assert picture.icc_profile is None
    (note,) = picture.notes
    assert note.startswith("its ICC profile is ignored: ")
    assert decode.decode_rgb(data).shape == (9, 9, 3)
    assert decode.decode_square(data, 8).shape == (8, 8, 3)


def _with_jp2_profile(data: bytes, profile: bytes, method: int) -> bytes:
    """Puts a profile in place of the colr box that Pillow writes."""
    at = data.index(b"colr") - 4
    (size,) = struct.unpack(">I", data[at : at + 4])
    content = bytes([method, 0, 0]) + profile
    box = struct.pack(">I4s", 8 + len(content), b"colr") + content
    whole = bytearray(data[:at] + box + data[at + size :])
    head = data.index(b"jp2h") - 4
    (old,) = struct.unpack(">I", data[head : head + 4])
    whole[head : head + 4] = struct.pack(">I", old + len(box) - size)
    return bytes(whole)


@pytest.mark.skipif(
    not features.check("jpg_2000"), reason="Pillow without JPEG 2000"
)
@pytest.mark.parametrize("method", [2, 3])
@pytest.mark.parametrize(
    ("dtype", "channels"), [(np.uint8, 1), (np.uint8, 3), (np.uint16, 1)]
)
def test_profiles_of_jpeg_2000_are_applied(dtype, channels, method, tmp_path):
    pixels, srgb = _ramp(dtype, channels, 1.0)
    profile = icc_profiles.grey(1.0) if channels == 1 else icc_profiles.rgb(1.0)
    plain = _file(pixels, "JPEG2000")
    data = _with_jp2_profile(plain, profile, method)
    assert _mean_L_error(decode.decode_picture(data).pixels, srgb) < 0.02
    assert not decode.is_plain(data)
    path = tmp_path / "a.jp2"
    path.write_bytes(data)
    assert decode.upright_size(str(path)) == (16, 256)
    # The picture is the same without its profile, or with one that is none.
    assert _mean_L_error(decode.decode_picture(plain).pixels, srgb) > 5
    broken = decode.decode_picture(_with_jp2_profile(plain, b"x" * 40, method))
    (note,) = broken.notes
    assert note.startswith("its ICC profile is ignored: ")


def test_damaged_boxes_of_jpeg_2000_have_no_profile():
    colr = struct.pack(">I4s", 15, b"colr") + bytes([2, 0, 0]) + b"prof"
    whole = struct.pack(">I4s", 8 + len(colr), b"jp2h") + colr
    large = struct.pack(">I4sQ", 1, b"jp2h", 16 + len(colr)) + colr
    last = struct.pack(">I4s", 0, b"jp2h") + colr
    for data in (whole, large, last):
        assert icc_profile.in_jpeg2000(data) == b"prof"
        for end in range(len(data)):
            assert icc_profile.in_jpeg2000(data[:end]) is None
    for size in (1, 2, 7, 2**32 - 1):
        data = struct.pack(">I4s", size, b"jp2h") + colr
        assert icc_profile.in_jpeg2000(data) is None


def test_decode_square_shows_the_same_colors():
    pixels, srgb = _ramp(np.uint8, 3, 1.0, shape=(64, 64))
    data = _file(pixels, "JPEG", icc_profile=icc_profiles.rgb(1.0), quality=98)
    square = decode.decode_square(data, 64)
    assert np.abs(square / 255 - srgb)[:, 8:].max() < 0.03


def test_equal_pictures_in_other_profiles_look_equal():
    light = np.random.default_rng(0).uniform(0.01, 1, (20, 20, 1))
    shown = []
    for gamma, profile in (
        (1.0, icc_profiles.rgb(1.0)),
        (563 / 256, icc_profiles.rgb(2.2, icc_profiles.ADOBE_RGB)),
        (461 / 256, icc_profiles.grey(1.8)),
    ):
        pixels = np.round(light ** (1 / gamma) * 65535).astype(np.uint16)
        if b"GRAY" not in profile:
            pixels = np.repeat(pixels, 3, -1)
            data = encode.encode_picture(pixels, ".png", icc_profile=profile)
        else:
            data = _file(pixels, "PNG", icc_profile=profile)
        shown.append(_L(decode.decode_picture(data).pixels))
    assert np.abs(shown[0] - shown[1]).max() < 0.1
    assert np.abs(shown[0] - shown[2]).max() < 0.1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("space", ["RGB ", "GRAY", "grey by RGB"])
def test_profiles_of_tables_are_left_to_little_cms(dtype, space):
    # Little CMS does not mind that this one could be done without it.
    data = icc_profiles.rgb(1.8, icc_profiles.ADOBE_RGB)
    if space == "GRAY":
        data = icc_profiles.grey(1.8)
    channels = 3 if space == "RGB " else 1
    profile = icc_profile.parse(data)
    exact = shown_colors._of_profile(data, channels)
    by_tables = shown_colors._by_tables(profile)
    high = np.iinfo(dtype).max
    rng = np.random.default_rng(0)
    # Inside sRGB: Little CMS clips what is not.
    pixels = rng.integers(0.4 * high, 0.55 * high, (30, 40, channels), dtype)
    moved = by_tables(pixels).astype(int) - exact(pixels)
    assert by_tables(pixels).shape == pixels.shape
    assert np.abs(moved).max() <= 1.5 * 257
    assert np.abs(_L(by_tables(pixels)) - _L(exact(pixels))).mean() < 0.25
