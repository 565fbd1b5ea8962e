import functools
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests import drawn
from tfcolor.export import decode_graph
from tfcolor.pictures import decode
from tfcolor.pictures import encode

PHOTO = Image.fromarray(drawn.colored(1, 21, 34))


@functools.cache
def _session():
    """The decoder in a session, as of a server; new seeds do not reset it."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def last(picture_bytes):
        found = decode_graph.Pictures(picture_bytes, max_pixels=2**16)
        picture = found[found.count - 1]
        return picture.eight, picture.sixteen

    traced = last.get_concrete_function()
    with tf.Graph().as_default() as graph:
        encoded = tf.compat.v1.placeholder(tf.string, [None])
        decoded = traced(encoded)
    return tf.compat.v1.Session(graph=graph), encoded, decoded


def _decode(*pictures):
    session, encoded, decoded = _session()
    fed = np.array(pictures, object)
    eight, sixteen = session.run(decoded, {encoded: fed})
    assert not eight.size or not sixteen.size
    return sixteen if sixteen.size else eight


def _encode(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def _exif(orientation, order="<", kind=3):
    """An EXIF block with one entry, in either order of bytes."""
    mark = {"<": b"II", ">": b"MM"}[order]
    head = mark + struct.pack(f"{order}HI", 42, 8)
    form = "HH" if kind == 3 else "I"
    value = struct.pack(f"{order}{form}", *[orientation, 0][: len(form)])
    entry = struct.pack(f"{order}HHI", 274, kind, 1) + value
    return b"Exif\0\0" + head + struct.pack(f"{order}H", 1) + entry + b"\0" * 4


def _alpha():
    picture = PHOTO.copy()
    picture.putalpha(120)
    return picture


_DEEP = np.asarray(PHOTO).astype(np.uint16) * 200 + 13
KINDS = {
    "jpeg": _encode(PHOTO, "JPEG"),
    "jpeg 4:2:0 progressive": _encode(
        PHOTO, "JPEG", subsampling=2, progressive=True
    ),
    "grey jpeg": _encode(PHOTO.convert("L"), "JPEG"),
    "cmyk jpeg": _encode(PHOTO.convert("CMYK"), "JPEG"),
    "png": _encode(PHOTO, "PNG"),
    "grey png": _encode(PHOTO.convert("L"), "PNG"),
    "1-bit png": _encode(PHOTO.convert("1"), "PNG"),
    "palette png": _encode(PHOTO.quantize(9), "PNG", transparency=2),
    "alpha png": _encode(_alpha(), "PNG"),
    "16-bit png": encode.encode_picture(_DEEP, ".png"),
    "16-bit alpha png": encode.encode_picture(
        _DEEP, ".png", alpha=_DEEP[..., :1]
    ),
    "16-bit grey png": _encode(Image.fromarray(_DEEP[..., 0]), "PNG"),
    "webp": _encode(PHOTO, "WEBP"),
    "lossless webp": _encode(PHOTO, "WEBP", lossless=True),
    "alpha webp": _encode(_alpha(), "WEBP", lossless=True),
    "bmp": _encode(PHOTO, "BMP"),
    "alpha bmp": _encode(_alpha(), "BMP"),
    "one pixel": _encode(PHOTO.resize((1, 1)), "JPEG"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_those_of_python(kind):
    expected = decode.decode_picture(KINDS[kind]).pixels
    found = _decode(KINDS[kind])
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, np.broadcast_to(expected, found.shape))


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_turned_upright(orientation, kind):
    exif = _exif(orientation, order=">" if orientation % 2 else "<")
    encoded = _encode(PHOTO, kind, exif=exif)
    expected = decode.decode_picture(encoded).pixels
    assert (expected.shape[0] == 34) == (5 <= orientation <= 8)
    np.testing.assert_array_equal(_decode(encoded), expected)


def test_orientation_may_be_a_long_number():
    encoded = _encode(PHOTO, "JPEG", exif=_exif(6, kind=4))
    assert _decode(encoded).shape == (34, 21, 3)


@pytest.mark.filterwarnings("ignore:(Corrupt EXIF|Truncated|Metadata)")
@pytest.mark.parametrize("length", [0, 7, 12, 14, 20, 26])
def test_damaged_exif_is_no_reason_to_fail(length):
    exif = _exif(6)[: 6 + length]
    encoded = _encode(PHOTO, "JPEG", exif=exif)
    expected = decode.decode_picture(encoded).pixels
    np.testing.assert_array_equal(_decode(encoded), expected)


def test_the_order_of_a_request_is_kept():
    one, other = KINDS["png"], KINDS["16-bit png"]
    assert _decode(one, other).dtype == np.uint16
    np.testing.assert_array_equal(_decode(other, one), np.asarray(PHOTO))


_PNG, _JPEG = KINDS["png"], KINDS["jpeg"]


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"no picture at all",
        _PNG[:-20],
        _JPEG[:-20],
        _JPEG[:3],
        _JPEG[:2] + b"\xff\x01" * 3000,
        KINDS["webp"][:40],
        KINDS["bmp"][:100],
        # Content of another kind behind the right beginning.
        _PNG[:33] + _JPEG,
        b"\xff\xd8\xff" + _PNG,
        # A header that lies about the size.
        _PNG[:16] + struct.pack(">II", 5, 5) + _PNG[24:],
        _encode(PHOTO, "TIFF"),
        _encode(PHOTO, "GIF"),
        _encode(PHOTO.quantize(9), "BMP"),
        _encode(PHOTO, "WEBP", save_all=True, append_images=[_alpha()]),
    ],
    ids=lambda encoded: f"{len(encoded)} bytes",
)
def test_what_cannot_be_decoded_is_named_by_its_position(encoded):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="Picture 1 of the request"
    ):
        _decode(_PNG, encoded, _JPEG)


@pytest.mark.parametrize(
    "size", [(2**31 - 1, 2**31 - 1), (2**32 - 1, 2**32 - 1), (300, 300)]
)
def test_too_many_pixels_are_refused_before_they_are_decoded(size):
    huge = _PNG[:16] + struct.pack(">II", *size) + _PNG[24:]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="at most 65536 pixels together"
    ):
        _decode(huge)


@pytest.mark.parametrize("count", [2, 4, 64])
def test_sizes_of_many_huge_pictures_do_not_overflow(count):
    huge = _PNG[:16] + struct.pack(">II", *[2**31] * 2) + _PNG[24:]
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="at most 65536 pixels together"
    ):
        _decode(*[huge] * count)


def test_a_request_has_a_limited_number_of_pictures():
    small = KINDS["one pixel"]
    assert _decode(*[small] * 64).shape == (1, 1, 3)
    with pytest.raises(
        tf.errors.InvalidArgumentError,
        match="at most 64 pictures. Received: 65",
    ):
        _decode(*[small] * 65)


def test_pixels_of_a_request_count_together():
    encoded = _encode(PHOTO.resize((200, 200)), "JPEG")
    assert _decode(encoded).shape == (200, 200, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Received: 80000"):
        _decode(encoded, encoded)


def test_a_request_without_pictures_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one"):
        _decode()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "bmp"])
def test_no_beginning_of_a_file_does_anything_but_fail_politely(kind):
    random = np.random.default_rng(0)
    for _ in range(12):
        damaged = bytearray(KINDS[kind])
        for place in random.integers(0, min(60, len(damaged)), 3):
            damaged[place] = random.integers(256)
        try:
            assert _decode(bytes(damaged)).ndim == 3
        except tf.errors.InvalidArgumentError as error:
            assert "request" in str(error)
