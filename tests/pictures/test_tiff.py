import io
import struct

import numpy as np
import pytest
from PIL import Image

from tests.pictures import tiff_files
from tfcolor.pictures import decode
from tfcolor.pictures import encode
from tfcolor.pictures import shown_colors


def _noise(channels, dtype=np.uint16, height=20, width=33):
    high = np.iinfo(dtype).max
    shape = (height, width, channels)
    return np.random.default_rng(0).integers(0, high, shape, dtype)


def _decoded(values, **options):
    file = {
        name: options.pop(name) for name in ("order", "big") if name in options
    }
    data = tiff_files.tiff({"values": values, **options}, **file)
    return decode.decode_picture(data)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize(
    ("compression", "predictor"),
    [
        (tiff_files.NONE, 1),
        (tiff_files.LZW, 1),
        (tiff_files.LZW, 2),
        (tiff_files.DEFLATE, 2),
        (tiff_files.PACKBITS, 1),
        (tiff_files.LZMA, 1),
        (tiff_files.ZSTD, 2),
    ],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_every_way_to_store_colors_is_read(
    dtype, planar, tile, compression, predictor, channels
):
    values = _noise(channels, dtype)
    picture = _decoded(
        values,
        planar=planar,
        tile=tile,
        compression=compression,
        predictor=predictor,
        extra=(2,) if channels == 4 else None,
    )
    assert picture.pixels.dtype == dtype
    assert np.array_equal(picture.pixels, values[..., :3])
    if channels == 4:
        assert np.array_equal(picture.alpha, values[..., 3:])


@pytest.mark.parametrize(("order", "big"), [(">", False), ("<", True)])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("compression", [tiff_files.NONE, tiff_files.LZW])
def test_byte_orders_and_big_tiffs_are_read(order, big, planar, compression):
    values = _noise(3)
    picture = _decoded(
        values,
        planar=planar,
        compression=compression,
        predictor=2 if compression == tiff_files.LZW else 1,
        order=order,
        big=big,
    )
    assert np.array_equal(picture.pixels, values)


def test_a_big_endian_big_tiff_is_named():
    with pytest.raises(ValueError, match="big-endian"):
        _decoded(_noise(3), order=">", big=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("photometric", [0, 1])
def test_grey_with_alpha_is_read(dtype, planar, photometric):
    values = _noise(2, dtype)
    picture = _decoded(
        values, planar=planar, extra=(2,), photometric=photometric
    )
    grey = values[..., :1]
    grey = np.iinfo(dtype).max - grey if photometric == 0 else grey
    assert np.array_equal(picture.pixels, grey)
    assert np.array_equal(picture.alpha, values[..., 1:])


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_colors_are_divided_by_alpha(channels, planar, dtype):
    high = np.iinfo(dtype).max
    values = _noise(channels, dtype)
    values[..., -1:] = np.maximum(values[..., -1:], high // 4)
    stored = values.astype(np.float64)
    stored[..., :-1] *= stored[..., -1:] / high
    stored = np.round(stored).astype(dtype)
    picture = _decoded(stored, planar=planar, extra=(1,))
    moved = picture.pixels.astype(int) - values[..., :-1]
    assert np.abs(moved).max() <= 4
    assert np.array_equal(picture.alpha, values[..., -1:])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("extra", "alpha_at"), [((0,), None), ((0, 0), None), ((0, 2), 4)]
)
def test_samples_of_unknown_meaning_are_left_out(
    dtype, planar, extra, alpha_at
):
    values = _noise(3 + len(extra), dtype)
    picture = _decoded(values, planar=planar, extra=extra)
    assert np.array_equal(picture.pixels, values[..., :3])
    if alpha_at is None:
        assert picture.alpha is None
    else:
        assert np.array_equal(picture.alpha[..., 0], values[..., alpha_at])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
def test_cmyk_is_converted_at_any_depth(dtype, planar):
    values = np.zeros((4, 4, 4), dtype)
    values[..., 1:3] = np.iinfo(dtype).max
    picture = _decoded(values, planar=planar, photometric=5)
    assert picture.pixels.dtype == np.uint8
    assert np.abs(picture.pixels - [255, 0, 0]).max() <= 3
    assert picture.icc_profile == shown_colors.srgb_profile()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"values": _noise(3, np.uint32)}, "32-bit integer RGB"),
        ({"values": _noise(3, np.uint32), "planar": True}, "32-bit integer"),
        ({"values": _noise(3, np.uint64)}, "64-bit integer"),
        (
            {"values": _noise(3, np.uint32), "sample_format": 3},
            "32-bit floating point",
        ),
        (
            {"values": _noise(1, np.uint16), "sample_format": 3},
            "16-bit floating point",
        ),
        ({"values": _noise(1), "sample_format": 2}, "16-bit signed integer"),
        ({"values": _noise(3), "photometric": 8}, "CIELAB"),
        ({"values": _noise(1), "photometric": 32803}, "of a camera"),
        ({"values": _noise(3), "photometric": 77}, "interpretation 77"),
        ({"values": _noise(2), "photometric": 2}, "RGB with 2 channels"),
        ({"values": _noise(3), "tags": {259: 34712}}, "compression 34712"),
        ({"values": _noise(3), "tags": {258: (5, 6, 5)}}, r"\(5, 6, 5\) bits"),
        (
            {"values": _noise(3, np.uint8), "planar": True, "tags": {259: 7}},
            "separate planes with compression jpeg",
        ),
        ({"values": _noise(3), "tags": {259: 8, 317: 3}}, "predictor 3"),
    ],
)
def test_kinds_that_are_not_supported_are_named(options, reason):
    with pytest.raises(ValueError, match=f"Received: .*{reason}"):
        decode.decode_picture(tiff_files.tiff(options))


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_truncated_and_damaged_files_are_an_error(planar, keep):
    data = tiff_files.tiff({"values": _noise(4), "planar": planar})
    with pytest.raises(OSError, match="truncated|damaged"):
        decode.decode_picture(data[: int(keep * len(data))])


def _with_strips(data, **tags):
    """A little-endian TIFF with all values of tags made others, by number."""
    changed = bytearray(data)
    (entries,) = struct.unpack_from("<H", data, 8)
    for place in range(10, 10 + 12 * entries, 12):
        tag, _, count, where = struct.unpack_from("<HHLL", data, place)
        value = tags.get(f"tag{tag}")
        if value is not None:
            where = where if count > 1 else place + 8
            struct.pack_into(f"<{count}L", changed, where, *[value] * count)
    return bytes(changed)


def _without_meaning(data):
    """A little-endian TIFF without a photometric interpretation."""
    changed = bytearray(data)
    (start,) = struct.unpack_from("<L", data, 4)
    (entries,) = struct.unpack_from("<H", data, start)
    for place in range(start + 2, start + 2 + 12 * entries, 12):
        if struct.unpack_from("<H", data, place) == (262,):
            struct.pack_into("<H", changed, place, 65001)
    return bytes(changed)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_sizes_of_strips_that_are_missing_are_computed(dtype, planar, tile):
    values = _noise(3, dtype)
    data = tiff_files.tiff({"values": values, "planar": planar, "tile": tile})
    picture = decode.decode_picture(_with_strips(data, tag279=0, tag325=0))
    assert np.array_equal(picture.pixels, values)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("compression", "offset", "reason"),
    [
        (tiff_files.LZW, None, "Received: 0 bytes"),
        (tiff_files.NONE, 10**6, "truncated"),
    ],
)
def test_strips_without_a_size_are_not_black(
    planar, compression, offset, reason
):
    data = tiff_files.tiff(
        {"values": _noise(3), "planar": planar, "compression": compression}
    )
    with pytest.raises(OSError, match=reason):
        decode.decode_picture(_with_strips(data, tag279=0, tag273=offset))


def test_strips_that_are_nowhere_are_zero():
    data = tiff_files.tiff({"values": _noise(3)})
    picture = decode.decode_picture(_with_strips(data, tag279=0, tag273=0))
    assert not picture.pixels.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_thumbnail_before_the_picture_is_not_taken(dtype):
    values = _noise(3, dtype)
    small = {"values": _noise(3, np.uint8, 4, 6), "tags": {254: 1}}
    old = {"values": _noise(3, np.uint8, 4, 6), "tags": {255: 2}}
    picture = decode.decode_picture(
        tiff_files.tiff(small, old, {"values": values})
    )
    assert np.array_equal(picture.pixels, values)
    assert picture.notes == ()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("high", [255, 65535])
def test_palettes_of_8_bit_colors_are_read(bits, high):
    count = 2**bits
    colors = np.random.default_rng(0).integers(0, 256, (3, count))
    colors[0, 0] = 255
    indexes = (np.arange(64) % count).astype(np.uint8).reshape(4, 16, 1)
    rows = np.unpackbits(indexes, axis=-1)[..., 8 - bits :].reshape(4, -1)
    stored = np.packbits(rows, axis=1)[..., None]
    palette = (colors * (high // 255)).ravel().tolist()
    tags = {256: 16, 258: bits, 320: palette}
    data = tiff_files.tiff({"values": stored, "photometric": 3, "tags": tags})
    picture = decode.decode_picture(data)
    assert np.array_equal(picture.pixels, colors.T[indexes[..., 0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_files_that_do_not_say_what_samples_mean(dtype, planar, channels):
    values = _noise(channels, dtype)
    data = tiff_files.tiff(
        {"values": values, "planar": planar and channels > 1}
    )
    picture = decode.decode_picture(_without_meaning(data))
    colors = 3 if channels >= 3 else 1
    assert np.array_equal(picture.pixels, values[..., :colors])


def test_faxes_that_do_not_say_what_samples_mean_have_a_white_zero():
    bits = Image.fromarray(_noise(1, np.uint8)[..., 0] > 100)
    file = io.BytesIO()
    bits.save(file, "TIFF", compression="group4", tiffinfo={262: 0})
    data = file.getvalue()
    picture = decode.decode_picture(_without_meaning(data))
    expected = decode.decode_picture(data)
    assert np.array_equal(picture.pixels, expected.pixels)


@pytest.mark.parametrize("tags", [{258: 4}, {259: 7}, {320: [0] * 768}])
def test_pixels_of_no_known_meaning_are_named(tags):
    data = tiff_files.tiff({"values": _noise(1, np.uint8), "tags": tags})
    with pytest.raises(ValueError, match="Received: no photometric"):
        decode.decode_picture(_without_meaning(data))


@pytest.mark.parametrize("planar", [False, True])
def test_channels_count_for_the_size(planar):
    values = _noise(20)
    data = tiff_files.tiff({"values": values, "planar": planar})
    pixels = values.shape[0] * values.shape[1]
    picture = decode.decode_picture(data, max_pixels=4 * pixels)
    assert np.array_equal(picture.pixels, values[..., :3])
    with pytest.raises(ValueError, match="33 x 20 of 20 channels"):
        decode.decode_picture(data, max_pixels=4 * pixels - 1)
    with pytest.raises(ValueError, match="must have at most .* pixels"):
        decode.decode_picture(data, max_pixels=pixels - 1)


def test_pages_that_are_left_out_are_counted():
    page = {"values": _noise(3)}
    picture = decode.decode_picture(tiff_files.tiff(page, page, page))
    assert np.array_equal(picture.pixels, page["values"])
    assert picture.notes == (
        "it has 3 pages; the first one is taken, 2 left out",
    )


@pytest.mark.parametrize("kept", [0, 1, 9, 40])
@pytest.mark.parametrize("big", [False, True])
def test_a_thumbnail_is_not_taken_for_a_picture_that_is_cut_off(kept, big):
    small = {"values": _noise(3, np.uint8, 4, 6), "tags": {254: 1}}
    data = tiff_files.tiff(small, {"values": _noise(3)}, big=big)
    end = len(tiff_files.tiff(small, big=big)) + kept
    with pytest.raises(OSError, match="Received: only a thumbnail"):
        decode.decode_picture(data[:end])


def test_a_thumbnail_is_not_taken_for_a_picture_in_a_sub_directory():
    small = {"values": _noise(3, np.uint8, 4, 6), "tags": {254: 1, 330: 8}}
    with pytest.raises(ValueError, match="Received: .* in a sub-directory"):
        decode.decode_picture(tiff_files.tiff(small))


def test_pages_that_all_say_that_they_are_small_are_counted():
    small = {"values": _noise(3), "tags": {254: 1}}
    assert decode.decode_picture(tiff_files.tiff(small)).notes == ()
    picture = decode.decode_picture(tiff_files.tiff(small, small))
    assert picture.notes == (
        "it has 2 pages; the first one is taken, 1 left out",
    )


def test_pages_that_cannot_be_read_are_said():
    page = {"values": _noise(3)}
    data = tiff_files.tiff(page, page, page)
    lost = "further pages cannot be read: the file is damaged"
    one = len(tiff_files.tiff(page))
    assert decode.decode_picture(data[: one + 9]).notes == (lost,)
    two = len(tiff_files.tiff(page, page))
    assert decode.decode_picture(data[: two + 9]).notes == (
        f"it has 2 pages; the first one is taken, 1 left out; {lost}",
    )


def test_pages_that_point_at_each_other_end():
    data = bytearray(tiff_files.tiff({"values": _noise(1)}))
    # The next directory is the first one again.
    count = int.from_bytes(data[8:10], "little")
    at = 10 + 12 * count
    data[at : at + 4] = (8).to_bytes(4, "little")
    assert decode.decode_picture(bytes(data)).notes == ()


def test_metadata_of_kinds_that_pillow_does_not_open_are_kept():
    values = _noise(2)
    picture = _decoded(values, extra=(2,), tags={271: b"Maker\0", 274: 6})
    assert np.array_equal(picture.pixels, np.rot90(values[..., :1], -1))
    kept = Image.Exif()
    kept.load(picture.exif)
    assert kept[271].startswith("Maker")
    assert kept[274] == 1


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "GIF"])
def test_frames_that_are_left_out_are_counted(kind):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    picture = decode.decode_picture(file.getvalue())
    assert picture.notes == (
        "it has 2 frames; the first one is taken, 1 left out",
    )
    assert np.abs(picture.pixels[0, 0] - [255.0, 0, 0]).max() < 8


def test_written_tiffs_are_read_back_through_opencv_free_code(monkeypatch):
    import cv2

    def fail(*_):
        raise AssertionError

    monkeypatch.setattr(cv2, "imdecode", fail)
    values = _noise(3)
    data = encode.encode_picture(values, ".tif")
    assert np.array_equal(decode.decode_picture(data).pixels, values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_strip_may_be_larger_than_pillows_limit(monkeypatch, dtype):
    values = _noise(3, dtype)
    data = tiff_files.tiff({"values": values, "compression": tiff_files.LZW})
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert np.array_equal(decode.decode_picture(data).pixels, values)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.filterwarnings("ignore")
def test_damage_is_never_another_error():
    rng = np.random.default_rng(0)
    good = tiff_files.tiff(
        {"values": _noise(4, height=4, width=9), "planar": True, "extra": (1,)}
    )
    for _ in range(300):
        data = bytearray(good)
        for place in rng.integers(4, 260, 3):
            data[place] = rng.integers(0, 256)
        try:
            decode.decode_picture(bytes(data))
        except (OSError, ValueError, MemoryError) as error:
            assert str(error)


@pytest.mark.parametrize("samples", [1, 3, 5, 7])
@pytest.mark.parametrize("planar", [False, True])
def test_training_reads_every_kind_that_colorizing_reads(samples, planar):
    # Pillow itself opens some of them not at all.
    values = _noise(samples, np.uint16)
    arguments = {"values": values, "planar": planar and samples > 1}
    data = tiff_files.tiff(arguments)
    square = decode.decode_square(data, 8)
    expected = decode.squash(decode.decode_rgb(data), 8)
    np.testing.assert_array_equal(square, expected)
