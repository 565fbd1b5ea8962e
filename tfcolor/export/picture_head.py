"""What the first bytes of a picture say, read in a TensorFlow graph.

Known before any pixel is decoded: the kind of file, its size, whether it has
16 bits and how the camera was held. No bytes make these functions fail.

Reference:
    JPEG: ITU T.81, annex B. PNG: third edition, 5.3 and 11.2.1. WebP: RFC
    9649, 2.4 to 2.7. BMP: BITMAPFILEHEADER and BITMAPINFOHEADER.
"""

from typing import NamedTuple

import tensorflow as tf

from tfcolor.export import exif_orientation
from tfcolor.export.exif_orientation import is_text
from tfcolor.export.exif_orientation import number

UNKNOWN, JPEG, PNG, WEBP, BMP = range(5)

# Larger than what programs write; smaller than what would keep a server busy.
_MAX_SEGMENTS = 1024
_MAX_CHUNKS = 16384
# Where EXIF begins and ends, if there is none.
_NONE = -1


class Head(NamedTuple):
    """The head of an encoded picture.

    Attributes:
        kind: int32 scalar, UNKNOWN, JPEG, PNG, WEBP or BMP.
        height: int64 scalar, as stored, in pixels; 0 where it is not known.
        width: int64 scalar.
        deep: bool scalar. Whether it has 16 bits a channel.
        orientation: int64 scalar, 1..8; see `exif_orientation`.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    deep: tf.Tensor
    orientation: tf.Tensor


SPEC = Head(
    kind=tf.TensorSpec([], tf.int32),
    height=tf.TensorSpec([], tf.int64),
    width=tf.TensorSpec([], tf.int64),
    deep=tf.TensorSpec([], tf.bool),
    orientation=tf.TensorSpec([], tf.int64),
)


def read_head(picture_bytes: tf.Tensor) -> Head:
    """Reads the head of an encoded picture.

    Args:
        picture_bytes: string scalar, any bytes.

    Returns:
        Head. `kind` is UNKNOWN for bytes that are no picture, and for kinds
        of WebP and BMP that TensorFlow does not decode as other programs do.
    """
    data = tf.io.decode_raw(picture_bytes, tf.uint8)
    kind = _kind(data)
    readers = [_unknown, _read_jpeg, _read_png, _read_webp, _read_bmp]
    height, width, deep, *exif = tf.switch_case(
        kind, [lambda read=read: read(data) for read in readers]
    )
    return Head(
        kind=tf.where((height > 0) & (width > 0), kind, UNKNOWN),
        height=height,
        width=width,
        deep=deep,
        orientation=exif_orientation.read_orientation(data, *exif),
    )


def _kind(data) -> tf.Tensor:
    kind = tf.where(is_text(data, 0, b"BM"), BMP, UNKNOWN)
    webp = is_text(data, 0, b"RIFF") & is_text(data, 8, b"WEBP")
    kind = tf.where(webp, WEBP, kind)
    png = is_text(data, 0, b"\x89PNG\r\n\x1a\n") & is_text(data, 12, b"IHDR")
    kind = tf.where(png, PNG, kind)
    return tf.where(is_text(data, 0, b"\xff\xd8\xff"), JPEG, kind)


def _result(height, width, deep=False, exif=(_NONE, _NONE)):
    return (
        tf.cast(height, tf.int64),
        tf.cast(width, tf.int64),
        tf.convert_to_tensor(deep),
        *(tf.cast(place, tf.int64) for place in exif),
    )


def _unknown(data):
    del data
    return _result(0, 0)


def _read_jpeg(data):
    """Walks over the segments before the pixels: size and EXIF."""

    def is_one_of(marker, *values):
        return tf.reduce_any(marker == tf.constant(values, tf.int64))

    def step(start, height, width, exif, exif_stop, going):
        marker = number(data, start + 1, 1)
        going &= number(data, start, 1) == 0xFF
        # Start of scan and end of image: pixels follow, or nothing.
        going &= ~is_one_of(marker, 0xDA, 0xD9)
        frame = going & (marker >= 0xC0) & (marker <= 0xCF)
        frame &= ~is_one_of(marker, 0xC4, 0xC8, 0xCC)
        has_exif = going & (marker == 0xE1) & (exif < 0)
        has_exif &= is_text(data, start + 4, b"Exif\0\0")
        two = tf.constant(2, tf.int64)
        alone = is_one_of(marker, 0x01, *range(0xD0, 0xD9))
        size = 2 + number(data, start + 2, 2)
        # Any number of 0xFF may stand before a marker.
        size = tf.where(alone, two, size)
        size = tf.where(marker == 0xFF, two // 2, size)
        return (
            start + size,
            tf.where(frame, number(data, start + 5, 2), height),
            tf.where(frame, number(data, start + 7, 2), width),
            tf.where(has_exif, start + 10, exif),
            tf.where(has_exif, start + size, exif_stop),
            going,
        )

    zero = tf.constant(0, tf.int64)
    none = zero + _NONE
    _, height, width, *exif, _ = tf.while_loop(
        lambda start, *state: state[-1] & (start < tf.size(data, tf.int64)),
        step,
        (zero + 2, zero, zero, none, none, tf.constant(True)),
        maximum_iterations=_MAX_SEGMENTS,
    )
    return _result(height, width, exif=exif)


def _find_chunk(data, start, name, *, overhead, name_first):
    """Finds a chunk of a PNG (length, name) or RIFF (name, length) file.

    Returns:
        int64 scalars, where its content begins, -1 if there is none, and ends.
    """

    def step(start, found):
        length = number(
            data, start + 4 * name_first, 4, little=bool(name_first)
        )
        length += length % 2 * name_first
        here = is_text(data, start + 4 * (1 - name_first), name)
        return (
            start + overhead + length,
            tf.where(here, start + 8, found),
        )

    end, found = tf.while_loop(
        lambda start, found: (found < 0) & (start < tf.size(data, tf.int64)),
        step,
        (tf.constant(start, tf.int64), tf.constant(_NONE, tf.int64)),
        maximum_iterations=_MAX_CHUNKS,
    )
    # What follows the content: nothing, or the checksum of a PNG's chunk.
    return found, end - (overhead - 8)


def _read_png(data):
    exif = _find_chunk(data, 8, b"eXIf", overhead=12, name_first=0)
    return _result(
        number(data, 20, 4),
        number(data, 16, 4),
        number(data, 24, 1) == 16,
        exif,
    )


def _read_webp(data):
    def extended():
        flags = number(data, 20, 1)
        exif, end = _find_chunk(data, 12, b"EXIF", overhead=8, name_first=1)
        # Some programs write the header of a JPEG segment too.
        headed = (exif >= 0) & is_text(data, tf.maximum(exif, 0), b"Exif\0\0")
        still = 1 - flags // 2 % 2
        size = [number(data, i, 3, little=True) + 1 for i in (27, 24)]
        exif = tf.where(headed, exif + 6, exif)
        return _result(*(x * still for x in size), exif=(exif, end))

    def lossless():
        # 14 bits each, the width lowest.
        bits = number(data, 21, 4, little=True)
        return _result(bits // 2**14 % 2**14 + 1, bits % 2**14 + 1)

    def lossy():
        size = [number(data, i, 2, little=True) % 2**14 for i in (28, 26)]
        return _result(*size)

    return tf.case(
        [
            (is_text(data, 12, b"VP8X"), extended),
            (is_text(data, 12, b"VP8L"), lossless),
            (is_text(data, 12, b"VP8 "), lossy),
        ],
        default=lambda: _unknown(data),
    )


def _read_bmp(data):
    """Reads the size of a BMP without palette and compression."""
    bits = number(data, 28, 2, little=True)
    known = (number(data, 14, 4, little=True) >= 40) & (
        number(data, 30, 4, little=True) == 0
    )
    known &= (bits == 24) | (bits == 32)
    height = number(data, 22, 4, little=True)
    # Below 0 where the rows run from top to bottom.
    height = tf.minimum(height, 2**32 - height)
    width = number(data, 18, 4, little=True)
    known = tf.cast(known, tf.int64)
    return _result(height * known, width * known)
