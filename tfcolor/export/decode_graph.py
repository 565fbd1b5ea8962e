"""Encoded pictures of a request to pixels, in a TensorFlow graph.

The pixels are those of `pictures.decode` for JPEG, 8-bit and 16-bit PNG,
WebP, and BMP of 24 and 32 bits. What cannot be decoded is an InvalidArgument
error that names the picture's position, before or after decoding and never a
crash: sizes are checked before memory is taken.
"""

import functools
from typing import NamedTuple

import tensorflow as tf

from tfcolor.export import defaults
from tfcolor.export import picture_head

# Sums of as many of them as a request may have stay far below 2**63.
_MOST_PIXELS = 2**40


class Picture(NamedTuple):
    """An upright picture; one of the two has no pixels.

    Attributes:
        eight: uint8 tensor [H, W, 3], sRGB.
        sixteen: uint16 tensor [H, W, 3], of a picture of 16 bits a channel.
    """

    eight: tf.Tensor
    sixteen: tf.Tensor

    def apply(self, function):
        """Calls a function with the pixels.

        Args:
            function: of a uint8 or uint16 tensor [H, W, 3] to tensors of the
                same types and shapes for both.

        Returns:
            What the function returns.
        """
        return tf.cond(
            tf.size(self.sixteen) > 0,
            lambda: function(self.sixteen),
            lambda: function(self.eight),
        )


class Pictures:
    """The decoded pictures of a request.

    Args:
        picture_bytes: string tensor [B].
        max_pixels: int. Of all pictures together.

    Attributes:
        count: int32 scalar, B, 1..`defaults.MAX_PICTURES`.
    """

    def __init__(self, picture_bytes: tf.Tensor, *, max_pixels: int):
        picture_bytes = check_count(picture_bytes)
        self.count = tf.size(picture_bytes)
        heads = tf.map_fn(
            _head_function(),
            picture_bytes,
            fn_output_signature=picture_head.SPEC,
        )
        picture_bytes = _check_heads(picture_bytes, heads, max_pixels)
        self._arrays = _decode_all(picture_bytes, heads)

    def __getitem__(self, index: tf.Tensor) -> Picture:
        """Returns a picture.

        Args:
            index: int32 scalar.

        Returns:
            Picture.
        """
        return Picture(*(array.read(index) for array in self._arrays))


class Pixels:
    """Pictures that came as pixels, with the interface of `Pictures`.

    Args:
        pixels: uint8 tensor [B, H, W, 3].

    Attributes:
        pixels: the same, or [H, W, 3] of one picture.
    """

    def __init__(self, pixels: tf.Tensor):
        self.pixels = pixels

    def __getitem__(self, index: tf.Tensor) -> "Pixels":
        """Returns a picture."""
        return Pixels(self.pixels[index])

    def apply(self, function):
        """Calls a function with the pixels, as `Picture.apply`."""
        return function(self.pixels)


@functools.cache
def _head_function():
    """Makes a function that is traced once for all exports."""
    return tf.function(
        picture_head.read_head,
        input_signature=[tf.TensorSpec([], tf.string)],
    )


def check_count(batch: tf.Tensor) -> tf.Tensor:
    """Returns a batch that has an entry: convolutions crash without.

    Args:
        batch: tensor [B, ...], B in 1..`defaults.MAX_PICTURES`.

    Returns:
        The same, after the check.
    """
    count = tf.shape(batch)[0]
    most = defaults.MAX_PICTURES
    message = tf.strings.join(
        [
            f"A request must have at most {most} pictures. Received: ",
            tf.as_string(count),
        ]
    )
    checks = [
        tf.debugging.Assert(
            count > 0,
            ["A request must have at least one picture. Received: none"],
        ),
        tf.debugging.Assert(count <= most, [message]),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(batch)


def check_pixels(pixels: tf.Tensor, max_pixels: int) -> tf.Operation:
    """Makes the check that a request is not too large.

    Args:
        pixels: int64 scalar, of all its pictures.
        max_pixels: int.

    Returns:
        tf.Operation that fails.
    """
    rule = "The pictures of a request must have at most"
    message = tf.strings.join(
        [
            f"{rule} {max_pixels} pixels together. Received: ",
            tf.as_string(pixels),
        ]
    )
    return tf.debugging.Assert(pixels <= max_pixels, [message])


def check_rgb(rgb: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Returns pixels that a request may have.

    Args:
        rgb: uint8 tensor [B, H, W, 3].
        max_pixels: int.

    Returns:
        The same, after the check.
    """
    rgb = check_count(rgb)
    pixels = tf.reduce_prod(tf.shape(rgb, tf.int64)[:3])
    checks = [
        check_pixels(pixels, max_pixels),
        tf.debugging.Assert(
            pixels > 0, ["`rgb` must have pixels. Received:", tf.shape(rgb)]
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(rgb)


def _check_heads(picture_bytes, heads, max_pixels) -> tf.Tensor:
    known = heads.kind != picture_head.UNKNOWN
    index = tf.argmax(tf.logical_not(known))
    size = tf.strings.length(picture_bytes[index])
    checks = [
        tf.debugging.Assert(
            tf.reduce_all(known),
            [
                _position(index),
                "must be a JPEG, PNG or WebP, or a BMP of 24 or 32 bits. "
                "Received: a string of bytes of length",
                size,
            ],
        ),
        check_pixels(tf.reduce_sum(_pixels(heads)), max_pixels),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(picture_bytes)


def _pixels(heads) -> tf.Tensor:
    """Returns the pixels of each picture; no sum or product overflows."""
    # Sides have up to 32 bits.
    sides = [tf.minimum(side, 2**31) for side in (heads.height, heads.width)]
    return tf.minimum(sides[0] * sides[1], _MOST_PIXELS)


def _position(index) -> tf.Tensor:
    return tf.strings.join(
        ["Picture ", tf.as_string(index), " of the request (from 0)"]
    )


def _decode_all(picture_bytes, heads):
    """Decodes picture by picture into two arrays, of 8 and 16 bits."""
    count = tf.size(picture_bytes)
    arrays = tuple(
        tf.TensorArray(
            dtype,
            size=count,
            infer_shape=False,
            element_shape=[None, None, 3],
            clear_after_read=False,
        )
        for dtype in (tf.uint8, tf.uint16)
    )

    def step(index, eights, sixteens):
        head = picture_head.Head(*(x[index] for x in heads))
        picture = _decode_one(picture_bytes[index], head, index)
        return (
            index + 1,
            eights.write(index, picture.eight),
            sixteens.write(index, picture.sixteen),
        )

    _, *arrays = tf.while_loop(
        lambda index, *_: index < count,
        step,
        (0, *arrays),
        parallel_iterations=1,
    )
    return arrays


def _decode_one(encoded, head, index) -> Picture:
    """Decodes one picture; an error names its position.

    The decoders fail on damaged data, without saying which picture of a
    request it was. In a dataset their failure is a missing element.
    """
    nothing = (
        tf.zeros([0, 0, 3], tf.uint8),
        tf.zeros([0, 0, 3], tf.uint16),
        tf.constant(False),
    )
    found = tf.data.Dataset.from_tensors((encoded, head)).map(_decode)
    found = found.ignore_errors()
    found = found.concatenate(tf.data.Dataset.from_tensors(nothing)).take(1)
    found = found.with_options(_plain_options())
    eight, sixteen, decoded = found.get_single_element()
    shape = tf.cast(tf.maximum(tf.shape(eight), tf.shape(sixteen)), tf.int64)
    # The head does not say more or less than the decoder found.
    right = tf.reduce_all(shape[:2] == tf.stack([head.height, head.width]))
    check = tf.debugging.Assert(
        decoded & right,
        [
            _position(index),
            "must be a whole picture. Received: damaged or truncated bytes of "
            "length",
            tf.strings.length(encoded),
        ],
    )
    with tf.control_dependencies([check]):
        return Picture(
            picture_head.upright(eight, head.orientation),
            picture_head.upright(sixteen, head.orientation),
        )


def _plain_options() -> tf.data.Options:
    """Makes a dataset run where it is called: there is nothing to tune."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    options.threading.max_intra_op_parallelism = 1
    options.threading.private_threadpool_size = 1
    return options


def _decode(encoded, head):
    """Decodes one picture, not turned upright; fails on damaged data."""
    none = tf.zeros([0, 0, 3], tf.uint8), tf.zeros([0, 0, 3], tf.uint16)

    def jpeg():
        # As Pillow does; the default is quicker and up to 6 levels off.
        rgb = tf.io.decode_jpeg(
            encoded, channels=3, dct_method="INTEGER_ACCURATE"
        )
        return rgb, none[1]

    def png():
        return tf.cond(
            head.deep,
            lambda: (
                none[0],
                tf.io.decode_png(encoded, channels=3, dtype=tf.uint16),
            ),
            lambda: (tf.io.decode_png(encoded, channels=3), none[1]),
        )

    def other():
        # Alpha cannot be left out by the decoder.
        pixels = tf.io.decode_image(encoded, expand_animations=False)
        return tf.ensure_shape(pixels[..., :3], [None, None, 3]), none[1]

    eight, sixteen = tf.switch_case(
        head.kind, [lambda: none, jpeg, png, other, other]
    )
    return eight, sixteen, tf.constant(True)
