"""Pictures to what a network sees, as pure TensorFlow functions.

They work eagerly and in `tf.function`, and are the first half of an exported
model. A picture is a uint8 or uint16 tensor [H, W, 3] (sRGB) or [H, W, 1]
(grey) of which dtype and channels are known when the graph is made.
"""

import functools

import tensorflow as tf

from tfcolor.color import lab


def picture_L(picture: tf.Tensor) -> tf.Tensor:
    """Returns a picture's lightness.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3] or [H, W, 1].

    Returns:
        float32 tensor [H, W, 1], 0..100.

    Raises:
        ValueError: `picture` has another dtype or number of channels.
    """
    check_picture(picture)
    return _to_L(tf.cast(picture, tf.float32) / picture.dtype.max)


def network_L(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    """Returns the lightness of a picture squashed to the network's square.

    The order is that of training: the encoded colors are resized, with
    antialiasing and without rounding, and then converted.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3] or [H, W, 1].
        image_size: int or int32 scalar. Side of the square in pixels.

    Returns:
        float32 tensor [image_size, image_size, 1], 0..100.

    Raises:
        ValueError: `picture` has another dtype or number of channels.
    """
    return small_L(picture, image_size, image_size)


def small_L(picture: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Returns the lightness of a resized picture; see `network_L`.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3] or [H, W, 1].
        height: int or int32 scalar, pixels.
        width: int or int32 scalar, pixels.

    Returns:
        float32 tensor [height, width, 1], 0..100.

    Raises:
        ValueError: `picture` has another dtype or number of channels.
    """
    return _to_L(_small(picture, height, width))


def network_rgb(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    """Returns a picture squashed to the network's square; see `network_L`.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3].
        image_size: int or int32 scalar. Side of the square in pixels.

    Returns:
        float32 tensor [image_size, image_size, 3], sRGB, 0..1.

    Raises:
        ValueError: `picture` has another dtype or number of channels.
    """
    return _small(picture, image_size, image_size)


def traced(function, picture, image_size) -> tf.Tensor:
    """Calls a function that is traced once for all pictures.

    Args:
        function: `network_L` or `network_rgb`.
        picture: uint8 or uint16 tensor or array [H, W, 3].
        image_size: int or int32 scalar. Side of the square in pixels.

    Returns:
        What the function does.
    """
    return _traced(function, picture.dtype.name)(picture, image_size)


@functools.cache
def _traced(function, dtype: str):
    return tf.function(
        function,
        input_signature=[
            tf.TensorSpec([None, None, 3], dtype),
            tf.TensorSpec([], tf.int32),
        ],
        autograph=False,
    )


def check_picture(picture: tf.Tensor) -> None:
    """Raises ValueError unless `picture` is one as described above."""
    if picture.dtype not in (tf.uint8, tf.uint16):
        raise ValueError(
            "`picture` must be uint8 or uint16. "
            f"Received: picture.dtype={picture.dtype.name}"
        )
    if picture.shape.rank != 3 or picture.shape[-1] not in (1, 3):
        raise ValueError(
            "`picture` must have the shape [H, W, 3] or [H, W, 1]. "
            f"Received: picture.shape={picture.shape}"
        )


def _small(picture: tf.Tensor, height: int, width: int) -> tf.Tensor:
    check_picture(picture)
    small = tf.image.resize(
        picture, [height, width], method="bilinear", antialias=True
    )
    return small / picture.dtype.max


def _to_L(picture: tf.Tensor) -> tf.Tensor:
    convert = lab.grey_to_L if picture.shape[-1] == 1 else lab.rgb_to_L
    return convert(picture)
