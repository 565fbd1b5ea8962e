"""The EXIF orientation of a picture, read and applied in a TensorFlow graph.

Bytes are uint8 tensors [n]; reading past their end gives zeros, never an
error, so that damaged data are an upright picture.

Reference:
    CIPA DC-008-2019 (EXIF 2.32), section 4.5 and tag 274; TIFF 6.0, section 2.
"""

import tensorflow as tf

_ORIENTATION_TAG = 274
_SHORT, _LONG = 3, 4
_ENTRY_BYTES = 12
# More entries than any camera writes.
_MAX_ENTRIES = 512


def number(
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


def is_text(data: tf.Tensor, start, text: bytes) -> tf.Tensor:
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


def read_orientation(data: tf.Tensor, start, stop) -> tf.Tensor:
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
    little = is_text(block, 0, b"II")
    first = number(block, 4, 4, little=little)
    count = tf.minimum(number(block, first, 2, little=little), _MAX_ENTRIES)
    entries = block[first + 2 : first + 2 + count * _ENTRY_BYTES]
    whole = tf.size(entries) // _ENTRY_BYTES
    entries = tf.reshape(entries[: whole * _ENTRY_BYTES], [whole, _ENTRY_BYTES])
    high, low = divmod(_ORIENTATION_TAG, 256)
    tag = tf.where(little, tf.constant([low, high]), tf.constant([high, low]))
    tag = tf.cast(tag, tf.uint8)
    found = tf.boolean_mask(entries, tf.reduce_all(entries[:, :2] == tag, -1))
    entry = tf.reshape(found[:1], [-1])
    kind = number(entry, 2, 2, little=little)
    value = tf.where(
        kind == _SHORT,
        number(entry, 8, 2, little=little),
        number(entry, 8, 4, little=little),
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
