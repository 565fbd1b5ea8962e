"""What the first bytes of a picture say, read in a TensorFlow graph.

Known before any pixel is decoded: the kind of file, its size, whether it has
16 bits and how the camera was held; `upright` turns the pixels accordingly.

Bytes are uint8 tensors [n]; reading past their end gives zeros, never an
error: no bytes make these functions fail, and damaged EXIF data are an upright
picture.

Reference:
    JPEG: ITU T.81, annex B. PNG: third edition, 5.3 and 11.2.1. WebP: RFC
    9649, 2.4 to 2.7. BMP: BITMAPFILEHEADER and BITMAPINFOHEADER. EXIF: CIPA
    DC-008-2019 (EXIF 2.32), section 4.5 and tag 274; TIFF 6.0, section 2.
"""

from typing import NamedTuple

import tensorflow as tf

UNKNOWN, JPEG, PNG, WEBP, BMP = range(5)

# Larger than what programs write; smaller than what would keep a server busy.
_MAX_SEGMENTS = 1024
_MAX_CHUNKS = 16384
# Where EXIF begins and ends, if there is none.
_NONE = -1
_ORIENTATION_TAG = 274
_SHORT, _LONG = 3, 4
_ENTRY_BYTES = 12
# More entries than any camera writes.
_MAX_ENTRIES = 512


class Head(NamedTuple):
    """The head of an encoded picture.

    Attributes:
        kind: int32 scalar, UNKNOWN, JPEG, PNG, WEBP or BMP.
        height: int64 scalar, as stored, in pixels; 0 where it is not known.
        width: int64 scalar.
        deep: bool scalar. Whether it has 16 bits a channel.
        orientation: int64 scalar, 1..8, of EXIF; see `upright`.
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
        orientation=_read_orientation(data, *exif),
    )


def _number(
    data: tf.Tensor, start, size: int, *, little: tf.Tensor | bool = False
) -> tf.Tensor:
    """Reads an unsigned number.

    Args:
        data: uint8 tensor [n].
        start: int64 scalar from 0. Position of its first byte.
        size: int. Its bytes, at most 4.
        little: bool scalar. Whether the lowest byte comes first.

    Returns:
        int64 scalar.
    """
    part = tf.cast(data[start : start + size], tf.int64)
    part = tf.pad(part, [[0, size - tf.size(part)]])
    low_first = tf.constant([256**i for i in range(size)], tf.int64)
    high_first = tf.constant([256**i for i in reversed(range(size))], tf.int64)
    return tf.reduce_sum(part * tf.where(little, low_first, high_first))


def _is_text(data: tf.Tensor, start, text: bytes) -> tf.Tensor:
    """Tells whether some bytes lie at a position.

    Args:
        data: uint8 tensor [n].
        start: int64 scalar from 0.
        text: bytes.

    Returns:
        bool scalar.
    """
    part = data[start : start + len(text)]
    part = tf.pad(part, [[0, len(text) - tf.size(part)]])
    return tf.reduce_all(part == tf.constant(list(text), tf.uint8))


def _kind(data) -> tf.Tensor:
    kind = tf.where(_is_text(data, 0, b"BM"), BMP, UNKNOWN)
    webp = _is_text(data, 0, b"RIFF") & _is_text(data, 8, b"WEBP")
    kind = tf.where(webp, WEBP, kind)
    png = _is_text(data, 0, b"\x89PNG\r\n\x1a\n") & _is_text(data, 12, b"IHDR")
    kind = tf.where(png, PNG, kind)
    return tf.where(_is_text(data, 0, b"\xff\xd8\xff"), JPEG, kind)


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
        marker = _number(data, start + 1, 1)
        going &= _number(data, start, 1) == 0xFF
        # Start of scan and end of image: pixels follow, or nothing.
        going &= ~is_one_of(marker, 0xDA, 0xD9)
        frame = going & (marker >= 0xC0) & (marker <= 0xCF)
        frame &= ~is_one_of(marker, 0xC4, 0xC8, 0xCC)
        has_exif = going & (marker == 0xE1) & (exif < 0)
        has_exif &= _is_text(data, start + 4, b"Exif\0\0")
        two = tf.constant(2, tf.int64)
        alone = is_one_of(marker, 0x01, *range(0xD0, 0xD9))
        size = 2 + _number(data, start + 2, 2)
        # Any number of 0xFF may stand before a marker.
        size = tf.where(alone, two, size)
        size = tf.where(marker == 0xFF, two // 2, size)
        return (
            start + size,
            tf.where(frame, _number(data, start + 5, 2), height),
            tf.where(frame, _number(data, start + 7, 2), width),
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
        length = _number(
            data, start + 4 * name_first, 4, little=bool(name_first)
        )
        length += length % 2 * name_first
        here = _is_text(data, start + 4 * (1 - name_first), name)
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
        _number(data, 20, 4),
        _number(data, 16, 4),
        _number(data, 24, 1) == 16,
        exif,
    )


def _read_webp(data):
    def extended():
        flags = _number(data, 20, 1)
        exif, end = _find_chunk(data, 12, b"EXIF", overhead=8, name_first=1)
        # Some programs write the header of a JPEG segment too.
        headed = (exif >= 0) & _is_text(data, tf.maximum(exif, 0), b"Exif\0\0")
        still = 1 - flags // 2 % 2
        size = [_number(data, i, 3, little=True) + 1 for i in (27, 24)]
        exif = tf.where(headed, exif + 6, exif)
        return _result(*(x * still for x in size), exif=(exif, end))

    def lossless():
        # 14 bits each, the width lowest.
        bits = _number(data, 21, 4, little=True)
        return _result(bits // 2**14 % 2**14 + 1, bits % 2**14 + 1)

    def lossy():
        size = [_number(data, i, 2, little=True) % 2**14 for i in (28, 26)]
        return _result(*size)

    return tf.case(
        [
            (_is_text(data, 12, b"VP8X"), extended),
            (_is_text(data, 12, b"VP8L"), lossless),
            (_is_text(data, 12, b"VP8 "), lossy),
        ],
        default=lambda: _unknown(data),
    )


def _read_bmp(data):
    """Reads the size of a BMP without palette and compression."""
    bits = _number(data, 28, 2, little=True)
    known = (_number(data, 14, 4, little=True) >= 40) & (
        _number(data, 30, 4, little=True) == 0
    )
    known &= (bits == 24) | (bits == 32)
    height = _number(data, 22, 4, little=True)
    # Below 0 where the rows run from top to bottom.
    height = tf.minimum(height, 2**32 - height)
    width = _number(data, 18, 4, little=True)
    known = tf.cast(known, tf.int64)
    return _result(height * known, width * known)


def _read_orientation(data: tf.Tensor, start, stop) -> tf.Tensor:
    """Reads the orientation from an EXIF block.

    Args:
        data: uint8 tensor [n].
        start: int64 scalar. Where the block's TIFF header begins; below 0 if
            there is none.
        stop: int64 scalar. Where the block ends.

    Returns:
        int64 scalar, 1..8; 1 (upright) where there is none that is valid.
    """
    block = data[tf.maximum(start, 0) : tf.maximum(stop, 0)]
    little = _is_text(block, 0, b"II")
    first = _number(block, 4, 4, little=little)
    count = tf.minimum(_number(block, first, 2, little=little), _MAX_ENTRIES)
    entries = block[first + 2 : first + 2 + count * _ENTRY_BYTES]
    whole = tf.size(entries) // _ENTRY_BYTES
    entries = tf.reshape(entries[: whole * _ENTRY_BYTES], [whole, _ENTRY_BYTES])
    high, low = divmod(_ORIENTATION_TAG, 256)
    tag = tf.where(little, tf.constant([low, high]), tf.constant([high, low]))
    tag = tf.cast(tag, tf.uint8)
    found = tf.boolean_mask(entries, tf.reduce_all(entries[:, :2] == tag, -1))
    entry = tf.reshape(found[:1], [-1])
    kind = _number(entry, 2, 2, little=little)
    value = tf.where(
        kind == _SHORT,
        _number(entry, 8, 2, little=little),
        _number(entry, 8, 4, little=little),
    )
    valid = (start >= 0) & (value >= 1) & (value <= 8)
    valid &= (kind == _SHORT) | (kind == _LONG)
    return tf.where(valid, value, tf.constant(1, tf.int64))


def upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns a picture upright.

    Args:
        pixels: tensor [H, W, C].
        orientation: int64 scalar, 1..8.

    Returns:
        tensor [H, W, C] or [W, H, C].
    """

    def one_of(*values):
        return tf.reduce_any(orientation == tf.constant(values, tf.int64))

    for condition, change in (
        (orientation >= 5, lambda x: tf.transpose(x, [1, 0, 2])),
        (one_of(2, 3, 6, 7), lambda x: tf.reverse(x, [1])),
        (one_of(3, 4, 7, 8), lambda x: tf.reverse(x, [0])),
    ):
        pixels = tf.cond(
            condition,
            lambda x=pixels, change=change: change(x),
            lambda x=pixels: tf.identity(x),
        )
    return pixels
