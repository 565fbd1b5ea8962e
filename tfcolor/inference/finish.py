"""The network's ab and the picture's own L to RGB, in TensorFlow alone.

The second half of an exported model. Pictures go through in strips of rows,
so that memory stays low and time linear whatever their size.
"""

import functools

import tensorflow as tf

from tfcolor.color import gamut
from tfcolor.color import lab
from tfcolor.inference import prepare

# A strip's float32 arrays take about 12 MB each.
STRIP_PIXELS = 2**20


def resize_ab(
    ab: tf.Tensor,
    height: tf.Tensor,
    width: tf.Tensor,
    *,
    top: tf.Tensor | int = 0,
    rows: tf.Tensor | None = None,
) -> tf.Tensor:
    """Resizes ab bilinearly to a picture, or to some rows of it.

    Rows are what a resize of the whole has there. Sides that shrink are
    antialiased.

    Args:
        ab: float32 tensor [h, w, 2].
        height: int32 scalar. Of the whole picture.
        width: int32 scalar.
        top: int32 scalar. First row wanted.
        rows: int32 scalar. Number of rows; all when None.

    Returns:
        float32 tensor [rows, width, 2].
    """
    size = tf.stack([height if rows is None else rows, width])
    scale = tf.cast(tf.stack([height, width]), tf.float32) / tf.cast(
        tf.shape(ab)[:2], tf.float32
    )
    # tf.image.resize is this operation without the translation.
    resized = tf.raw_ops.ScaleAndTranslate(
        images=ab[tf.newaxis],
        size=size,
        scale=scale,
        translation=tf.stack([-tf.cast(top, tf.float32), 0.0]),
        kernel_type="triangle",
        antialias=True,
    )
    return resized[0]


def finish(
    picture: tf.Tensor, ab: tf.Tensor, *, saturation: tf.Tensor | float = 1.0
) -> tf.Tensor:
    """Colours a picture: its own L, the network's ab.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3] or [H, W, 1]; dtype and
            channels known when the graph is made.
        ab: float32 tensor [h, w, 2], CIELAB, of any size.
        saturation: float scalar. Factor on ab before colours that sRGB does
            not hold are brought into it; 0 gives the picture in grey.

    Returns:
        tensor [H, W, 3] of the dtype of `picture`, sRGB.

    Raises:
        ValueError: `picture` has another dtype or number of channels.
    """
    prepare.check_picture(picture)
    height, width = tf.unstack(tf.shape(picture)[:2])
    rows = tf.maximum(STRIP_PIXELS // width, 1)
    num_strips = (height + rows - 1) // rows
    ab = tf.convert_to_tensor(ab, tf.float32) * saturation

    def add_strip(index, strips):
        top = index * rows
        strip = picture[top : top + rows]
        strip_ab = resize_ab(
            ab, height, width, top=top, rows=tf.shape(strip)[0]
        )
        return index + 1, strips.write(index, _colour(strip, strip_ab))

    strips = tf.TensorArray(
        picture.dtype,
        size=num_strips,
        infer_shape=False,
        element_shape=[None, None, 3],
    )
    _, strips = tf.while_loop(
        lambda index, _: index < num_strips,
        add_strip,
        [0, strips],
        parallel_iterations=1,
    )
    return strips.concat()


@functools.cache
def finish_function(dtype: str):
    """Makes `finish` a function that is traced once for all pictures.

    Args:
        dtype: str, "uint8" or "uint16".

    Returns:
        tf.function of the picture [H, W, 3], ab and saturation.
    """
    return tf.function(
        lambda picture, ab, saturation: finish(
            picture, ab, saturation=saturation
        ),
        input_signature=[
            tf.TensorSpec([None, None, 3], dtype),
            tf.TensorSpec([None, None, 2]),
            tf.TensorSpec([]),
        ],
    )


def _colour(strip: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Colours a strip of a picture with ab of the same size."""
    L = prepare.picture_L(strip)
    ab = gamut.reduce_chroma(L, ab)
    rgb = lab.lab_to_rgb(tf.concat([L, ab], axis=-1))
    rounded = tf.cast(tf.round(rgb * strip.dtype.max), tf.int32)
    return tf.cast(rounded, strip.dtype)
