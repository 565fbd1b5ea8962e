import io
import struct
import time
import zlib
from concurrent import futures

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image
from PIL import ImageCms
from PIL import ImageOps

from tests import hostile_corpus
from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures import shown_colors


def _noise(*shape, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def _encoded(picture, kind="PNG", **options):
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def _srgb_profile():
    profile = ImageCms.createProfile("sRGB")
    return ImageCms.ImageCmsProfile(profile).tobytes()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_formats_decode_exactly(kind):
    # 256 colors at most, for GIF.
    rgb = _noise(8, 8, 3)
    assert np.array_equal(decode.decode_rgb(_encoded(rgb, kind)), rgb)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_decode_nearly(kind):
    rgb = np.full((16, 24, 3), (200, 90, 40), np.uint8)
    decoded = decode.decode_rgb(_encoded(rgb, kind, quality=95))
    assert np.abs(decoded.astype(int) - rgb).max() <= 4


def test_decode_rgb_shrinks_jpegs_but_not_below_the_hint():
    data = _encoded(np.zeros((256, 320, 3), np.uint8), "JPEG")
    assert decode.decode_rgb(data, shrink_to=64).shape == (64, 80, 3)
    assert decode.decode_rgb(data, shrink_to=65).shape == (128, 160, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "deep PNG", "deep TIFF"])
def test_orientation_is_applied_and_reset(orientation, kind):
    exif = Image.Exif()
    exif[274] = orientation
    exif[271] = "Maker"
    exif.get_ifd(34665)[40962] = 7
    exif.get_ifd(34665)[40963] = 5
    exif = exif.tobytes()
    data = _encoded(_noise(5, 7, 3), kind.split()[-1], exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    if kind.startswith("deep"):
        data = encode.encode_picture(
            _noise(5, 7, 3).astype(np.uint16) * 257,
            "." + kind.split()[-1].lower(),
            exif=exif,
        )
    picture = decode.decode_picture(data)
    assert np.array_equal(decode.to_8_bit(picture.pixels), expected)
    assert np.array_equal(decode.decode_rgb(data), expected)
    kept = Image.Exif()
    kept.load(picture.exif)
    assert (kept[274], kept[271]) == (1, "Maker")
    size = kept.get_ifd(34665)
    assert (size[40963], size[40962]) == expected.shape[:2]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_reason_to_fail():
    data = _encoded(_noise(5, 7, 3), "JPEG", exif=b"Exif\0\0MM\0*broken")
    picture = decode.decode_picture(data)
    assert picture.pixels.shape == (5, 7, 3)
    assert picture.exif is None


@pytest.mark.parametrize(
    ("mode", "channels", "alpha"),
    [
        ("1", 1, False),
        ("L", 1, False),
        ("LA", 1, True),
        ("P", 3, False),
        ("PA", 3, True),
        ("RGB", 3, False),
        ("RGBA", 3, True),
        ("CMYK", 3, False),
    ],
)
def test_every_mode_becomes_grey_or_rgb_with_alpha_kept(mode, channels, alpha):
    kind = "TIFF" if mode in ("CMYK", "PA") else "PNG"
    source = Image.fromarray(_noise(6, 9, 3)).convert(mode)
    data = _encoded(source, kind)
    picture = decode.decode_picture(data)
    assert picture.pixels.shape == (6, 9, channels)
    assert picture.pixels.dtype == np.uint8
    assert (picture.alpha is not None) == alpha
    expected = np.asarray(source.convert("RGB"))
    assert np.array_equal(decode.decode_rgb(data), expected)


def test_transparent_palette_entries_become_alpha():
    source = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    source.putpalette([10, 20, 30, 40, 50, 60])
    picture = decode.decode_picture(_encoded(source, "GIF", transparency=1))
    assert picture.pixels[0, 0].tolist() == [10, 20, 30]
    assert picture.alpha[..., 0].tolist() == [[255, 0]]


def test_first_frame_of_a_gif_is_taken():
    first, second = Image.new("RGB", (4, 3), "red"), Image.new("RGB", (4, 3))
    data = _encoded(first, "GIF", save_all=True, append_images=[second])
    assert decode.decode_rgb(data)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("extension", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_are_kept(extension, channels):
    values = _noise(5, 7, channels, dtype=np.uint16)
    # OpenCV takes BGR.
    stored = values[..., [2, 1, 0, 3][:channels]] if channels > 1 else values
    data = cv2.imencode(extension, np.ascontiguousarray(stored))[1].tobytes()
    picture = decode.decode_picture(data)
    assert picture.pixels.dtype == np.uint16
    assert np.array_equal(picture.pixels, values[..., :3])
    if channels == 4:
        assert np.array_equal(picture.alpha, values[..., 3:])
    rounded = np.round(values[..., :3] / 257)
    assert np.abs(decode.decode_rgb(data) - rounded).max() == 0


def _png_chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    return struct.pack(
        f">I4s{len(content)}sI", len(content), kind, content, checksum
    )


def test_sixteen_bit_grey_with_alpha_is_kept():
    values = _noise(5, 7, 2, dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 7, 5, 16, 4, 0, 0, 0))
        + _png_chunk(b"IDAT", zlib.compress(rows))
        + _png_chunk(b"IEND", b"")
    )
    picture = decode.decode_picture(data)
    assert np.array_equal(picture.pixels[..., :1], values[..., :1])
    assert np.array_equal(picture.alpha, values[..., 1:])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_with_white_as_zero_is_inverted(dtype):
    values = _noise(5, 7, dtype=dtype)
    data = _encoded(values, "TIFF", tiffinfo={262: 0})
    # Pillow inverts 8 bits when it writes, and writes 16 bits as they are.
    stored = values if dtype == np.uint8 else 65535 - values
    assert np.array_equal(decode.decode_picture(data).pixels[..., 0], stored)


def test_icc_profiles_are_kept_for_rgb_only():
    profile = _srgb_profile()
    rgb = _encoded(_noise(4, 4, 3), icc_profile=profile)
    assert decode.decode_picture(rgb).icc_profile == profile
    grey = _encoded(_noise(4, 4), icc_profile=profile)
    assert decode.decode_picture(grey).icc_profile is None


def test_cmyk_with_an_unusable_profile_is_converted_plainly():
    source = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
    data = _encoded(source, "JPEG", icc_profile=b"not a profile")
    picture = decode.decode_picture(data)
    red = np.array([255, 0, 0])
    assert np.abs(picture.pixels.astype(int) - red).max() <= 3
    assert picture.icc_profile == shown_colors.srgb_profile()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_converted_cmyk_carries_an_srgb_profile(kind):
    data = _encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), kind)
    picture = decode.decode_picture(data)
    assert picture.icc_profile == shown_colors.srgb_profile()
    assert picture.notes == ()


def test_a_jpeg_that_ends_in_its_head_is_truncated_like_others():
    data = _encoded(_noise(40, 40, 3), "JPEG")
    with pytest.raises(OSError, match="^image file is truncated$"):
        decode.decode_picture(data[:300])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "deep PNG", "WEBP", "BMP"])
def test_truncated_files_are_an_error(kind):
    if kind == "deep PNG":
        values = _noise(40, 40, 3, dtype=np.uint16)
        data = cv2.imencode(".png", values)[1].tobytes()
    else:
        data = _encoded(_noise(40, 40, 3), kind)
    with pytest.raises(OSError, match=r"\w"):
        decode.decode_picture(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("data", "reason"), [(b"hello", "not a picture"), (b"", "empty")]
)
def test_what_is_no_picture_is_an_error(data, reason):
    with pytest.raises(OSError, match=reason):
        decode.decode_rgb(data)


def test_floating_point_pictures_are_refused():
    data = _encoded(np.ones((4, 4), np.float32), "TIFF")
    with pytest.raises(ValueError, match="floating point"):
        decode.decode_picture(data)


def test_size_limit_is_ours_and_not_pillows(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    data = _encoded(_noise(6, 6, 3))
    assert decode.decode_rgb(data).shape == (6, 6, 3)
    assert Image.MAX_IMAGE_PIXELS == 10
    limit = {"max_pixels": 35}
    for refused in (
        lambda: decode.decode_rgb(data, **limit),
        lambda: decode.decode_picture(data, **limit),
        lambda: decode.decode_square(data, 4, **limit),
    ):
        with pytest.raises(
            ValueError, match="at most 35 pix.*Received: 36 pixels"
        ):
            refused()
    assert not decode.is_plain(data, **limit)
    assert decode.decode_rgb(data, max_pixels=36).shape == (6, 6, 3)


@pytest.mark.parametrize("name", hostile_corpus.bombs())
def test_a_bomb_is_refused_by_its_head(name):
    data = hostile_corpus.bombs()[name]
    process = psutil.Process()
    before, start = process.memory_info().rss, time.monotonic()
    for refused in (
        lambda: decode.decode_picture(data),
        lambda: decode.decode_square(data, 8),
    ):
        with pytest.raises(ValueError, match="must have at most 200000000 pix"):
            refused()
    assert process.memory_info().rss - before < 2**25
    assert time.monotonic() - start < 1


def test_threads_with_limits_of_their_own_leave_pillows_as_it_was():
    data = _encoded(_noise(6, 6, 3))

    def one(limit):
        try:
            return decode.decode_rgb(data, max_pixels=limit).shape
        except ValueError as error:
            return str(error).partition(" pixels")[0]

    before = Image.MAX_IMAGE_PIXELS
    with futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, [30, 36, 10**6] * 100))
    assert set(found[::3]) == {"A picture must have at most 30"}
    assert set(found[1::3] + found[2::3]) == {(6, 6, 3)}
    assert Image.MAX_IMAGE_PIXELS == before


def test_count_pixels_reads_the_head_and_forgives_bad_files(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(_encoded(_noise(50, 70, 3))[:-20])
    assert decode.count_pixels(str(path)) == 3500
    path.write_bytes(b"no picture")
    assert decode.count_pixels(str(path)) == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("high", [1023, 65535])
def test_netpbm_files_of_16_bits_keep_them(channels, high):
    values = np.minimum(_noise(5, 7, channels, dtype=np.uint16), high)
    kind = b"P5" if channels == 1 else b"P6"
    head = kind + f" # made by hand\n7 5\n{high}\n".encode()
    data = head + values.astype(">u2").tobytes()
    picture = decode.decode_picture(data)
    assert (picture.pixels.dtype, picture.bits) == (np.uint16, 16)
    expected = np.round(values * (65535 / high))
    assert np.abs(picture.pixels - expected).max() <= 1
    with pytest.raises(OSError, match="truncated"):
        decode.decode_picture(data[:-1])


@pytest.mark.parametrize("kind", ["PPM", "TGA", "JPEG2000", "AVIF", "DIB"])
@pytest.mark.parametrize("channels", [1, 3])
def test_further_formats_are_read(kind, channels):
    rgb = np.full((32, 48, channels), 130, np.uint8)
    data = _encoded(rgb[..., 0] if channels == 1 else rgb, kind)
    decoded = decode.decode_rgb(data)
    assert decoded.shape == (32, 48, 3)
    assert np.abs(decoded.astype(int) - 130).max() <= 3


def test_netpbm_text_and_bitmaps_are_read():
    for data in (
        b"P2 2 1 1000 0 1000\n",
        b"P1 2 1 1 0\n",
        b"P3 2 1 255 0 0 0 255 255 255\n",
    ):
        assert decode.decode_rgb(data)[0].tolist() == [[0] * 3, [255] * 3]


def _tga(pixels, alpha_bits):
    """A TGA of 32 bits a pixel, uint8 [H, W, 4] of blue, green, red, alpha."""
    height, width = pixels.shape[:2]
    head = struct.pack("<BBBHHBHH", 0, 0, 2, 0, 0, 0, 0, 0)
    head += struct.pack("<HHBB", width, height, 32, 0x20 | alpha_bits)
    return head + pixels.tobytes()


@pytest.mark.parametrize("varied", [False, True])
def test_the_fourth_channel_of_a_tga_without_alpha_is_none(varied):
    pixels = _noise(5, 7, 4)
    if not varied:
        pixels[..., 3] = 0
    picture = decode.decode_picture(_tga(pixels, 0))
    assert picture.alpha is None
    assert np.array_equal(picture.pixels, pixels[..., 2::-1])
    assert len(picture.notes) == varied
    if varied:
        assert "by its head it is no alpha" in picture.notes[0]
        meant = decode.decode_picture(_tga(pixels, 8))
        assert np.array_equal(meant.alpha, pixels[..., 3:])
        assert meant.notes == ()


@pytest.mark.parametrize("kind", ["PNG", "TGA", "TIFF", "WEBP"])
def test_alpha_that_hides_all_is_left_out_and_said(kind):
    rgba = _noise(5, 7, 4)
    rgba[..., 3] = 0
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    picture = decode.decode_picture(_encoded(rgba, kind, **options))
    assert picture.alpha is None
    assert np.array_equal(picture.pixels, rgba[..., :3])
    assert picture.notes == (
        "its alpha is left out: it hides all of the picture",
    )
    rgba[2, 3, 3] = 1
    picture = decode.decode_picture(_encoded(rgba, kind, **options))
    assert np.array_equal(picture.alpha, rgba[..., 3:])
    assert picture.notes == ()


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_level_of_a_grey_png_becomes_alpha(depth):
    highest = 2**depth - 1
    values = np.linspace(0, highest, 8).round().astype(np.uint16)[None]
    bits = np.unpackbits(values.T.astype(">u2").view(np.uint8), axis=-1)
    scan = b"\0" + np.packbits(bits[:, 16 - depth :]).tobytes()
    dtype = np.uint16 if depth == 16 else np.uint8
    full = np.iinfo(dtype).max
    # Of a level with more bits than the depth the low ones count.
    more = () if depth in (1, 16) else (highest + 1 + int(values[0, 5]),)
    for level in (0, highest, int(values[0, 5]), *more):
        chunk = hostile_corpus.png_chunk(b"tRNS", struct.pack(">H", level))
        data = hostile_corpus.png(8, 1, depth=depth, chunks=chunk, data=scan)
        picture = decode.decode_picture(data)
        assert picture.pixels.dtype == picture.alpha.dtype == dtype
        shown = values * (full // highest)
        assert np.array_equal(picture.pixels[..., 0], shown)
        alpha = np.where(values == level & highest, 0, full)
        assert np.array_equal(picture.alpha[..., 0], alpha)


def test_a_turned_deep_grey_png_keeps_its_transparent_level():
    exif = Image.Exif()
    exif[274] = 6
    values = _noise(5, 7, dtype=np.uint16)
    data = _encoded(values, exif=exif)
    level = struct.pack(">H", int(values[1, 2]))
    data = data[:33] + _png_chunk(b"tRNS", level) + data[33:]
    picture = decode.decode_picture(data)
    turned = np.rot90(values, -1)
    assert np.array_equal(picture.pixels[..., 0], turned)
    hidden = turned == values[1, 2]
    assert np.array_equal(picture.alpha[..., 0] == 0, hidden)


@pytest.mark.parametrize("head", [b"P4 9 2\n", b"P5 9 2 255\n", b"P6 9 2 999 "])
def test_pictures_after_the_first_of_a_netpbm_file_are_said(head):
    size = {b"P4": 4, b"P5": 18, b"P6": 108}[head[:2]]
    first = head + bytes(size)
    alone = decode.decode_picture(first)
    assert alone.notes == ()
    for second in (first, b"P2 1 1 255 7\n", b"P5\n#\n1 1 255\n7"):
        said = []
        picture = decode.decode_picture(first + second)
        decode.decode_rgb(first + second, say=said.append)
        assert np.array_equal(picture.pixels, alone.pixels)
        assert picture.notes == tuple(said)
        assert said == ["it has further pictures; the first one is taken"]
    for rest in (b"\n", b"P", b"Px", b"\0" * 99):
        assert decode.decode_picture(first + rest).notes == ()
