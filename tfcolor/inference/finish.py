"""The network's ab and the picture's own L to RGB, in TensorFlow alone.

The second half of an exported model. Pictures go through in strips of rows,
so that memory stays low and time linear whatever their size.

ab is smaller than most pictures. "bilinear" enlarges it as it is: colors
leak over edges by as much as a pixel of ab covers. "guided" enlarges, instead
of ab, how ab depends on L around each place, and takes the picture's own L:
colors then end where lightness does. Where lightness does not differ, it is
"bilinear".
"""

import functools

import tensorflow as tf

from tfcolor.color import gamut
from tfcolor.color import lab
from tfcolor.inference import defaults
from tfcolor.inference import prepare

# A strip's planes take 1 MB each in float32.
STRIP_PIXELS = 2**18

UPSAMPLINGS = defaults.UPSAMPLINGS


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
        float32 tensor [rows, width, C].
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
    return tf.ensure_shape(resized[0], [None, None, ab.shape[-1]])


def guided_ab(L: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """Finds how color depends on lightness around each place.

    Formula, with cov and var over windows of 5 x 5:
        slope = cov(L, ab) / (var(L) + 16);  offset = ab - slope L
    The guided filter has means in the offset, and averages both over windows:
    it smooths, and mixes colors of things that are equally light.

    Args:
        L: float32 tensor [h, w, 1], 0..100.
        ab: float32 tensor [h, w, 2], CIELAB.

    Returns:
        float32 tensor [h, w, 4]: slope and offset of a and b. slope * L +
        offset is ab.

    Reference:
        After K. He, J. Sun, "Fast Guided Filter", 2015. https://arxiv.org/abs/1505.00996
    """
    means = _window_means(tf.concat([L, ab, L * L, L * ab], axis=-1))
    mean_L, mean_ab, mean_LL, mean_Lab = tf.split(means, [1, 2, 1, 2], axis=-1)
    covariance = mean_Lab - mean_L * mean_ab
    slope = covariance / (mean_LL - mean_L * mean_L + defaults.GUIDE_FLAT)
    return tf.concat([slope, ab - slope * L], axis=-1)


def _window_means(x: tf.Tensor) -> tf.Tensor:
    side = 2 * defaults.GUIDE_RADIUS + 1
    # One axis after the other: 18 additions a window instead of 81.
    x = tf.nn.avg_pool2d(x[tf.newaxis], [side, 1], 1, "SAME")
    return tf.nn.avg_pool2d(x, [1, side], 1, "SAME")[0]


def full_ab(
    picture: tf.Tensor, ab: tf.Tensor, *, upsampling: str = "bilinear"
) -> tf.Tensor:
    """Returns the color of every pixel of a picture, not in strips.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3] or [H, W, 1].
        ab: float32 tensor [h, w, 2], CIELAB, of any size.
        upsampling: str, one of `UPSAMPLINGS`.

    Returns:
        float32 tensor [H, W, 2], CIELAB.
    """
    size = tf.unstack(tf.shape(picture)[:2])
    small = _prepared(picture, ab, upsampling)
    L = prepare.picture_L(picture)[..., 0]
    return tf.stack(_ab_planes(L, resize_ab(small, *size)), axis=-1)


def _prepared(picture, ab, upsampling) -> tf.Tensor:
    """Returns what is enlarged: ab, or its slope and offset."""
    if upsampling not in UPSAMPLINGS:
        raise ValueError(
            f"`upsampling` must be one of {UPSAMPLINGS}. "
            f"Received: upsampling={upsampling!r}"
        )
    if upsampling == "bilinear":
        return ab
    height, width = tf.unstack(tf.shape(ab)[:2])
    return guided_ab(prepare.small_L(picture, height, width), ab)


def _ab_planes(L: tf.Tensor, enlarged: tf.Tensor) -> list[tf.Tensor]:
    """Returns a and b [H, W] of an enlarged result of `_prepared`."""
    planes = tf.unstack(enlarged, axis=-1)
    if len(planes) == 2:
        return planes
    slope_a, slope_b, offset_a, offset_b = planes
    return [slope_a * L + offset_a, slope_b * L + offset_b]


def finish(
    picture: tf.Tensor,
    ab: tf.Tensor,
    *,
    saturation: tf.Tensor | float = 1.0,
    upsampling: str = "bilinear",
) -> tf.Tensor:
    """Colors a picture: its own L, the network's ab.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3] or [H, W, 1]; dtype and
            channels known when the graph is made.
        ab: float32 tensor [h, w, 2], CIELAB, of any size.
        saturation: float scalar. Factor on ab before colors that sRGB does
            not hold are brought into it; 0 gives the picture in grey.
        upsampling: str, one of `UPSAMPLINGS`.

    Returns:
        tensor [H, W, 3] of the dtype of `picture`, sRGB.

    Raises:
        ValueError: `picture` has another dtype or number of channels, or
            `upsampling` is not known.
    """
    prepare.check_picture(picture)
    height, width = tf.unstack(tf.shape(picture)[:2])
    rows = tf.maximum(STRIP_PIXELS // width, 1)
    num_strips = (height + rows - 1) // rows
    ab = tf.convert_to_tensor(ab, tf.float32) * saturation
    small = _prepared(picture, ab, upsampling)

    def add_strip(index, strips):
        top = index * rows
        strip = picture[top : top + rows]
        enlarged = resize_ab(
            small, height, width, top=top, rows=tf.shape(strip)[0]
        )
        return index + 1, strips.write(index, _color(strip, enlarged))

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


def finish_traced(
    picture: tf.Tensor,
    ab: tf.Tensor,
    *,
    saturation: tf.Tensor | float = 1.0,
    upsampling: str = "bilinear",
) -> tf.Tensor:
    """Does what `finish` does, with one graph for all pictures.

    Args:
        picture: uint8 or uint16 tensor or array [H, W, 3].
        ab: float32 tensor [h, w, 2]; see `finish`.
        saturation: float scalar; see `finish`.
        upsampling: str; see `finish`.

    Returns:
        tensor [H, W, 3] of the dtype of `picture`, sRGB.
    """
    function = _finish_function(tf.as_dtype(picture.dtype).name, upsampling)
    return function(picture, ab, saturation)


@functools.cache
def _finish_function(dtype: str, upsampling: str):
    return tf.function(
        lambda picture, ab, saturation: finish(
            picture, ab, saturation=saturation, upsampling=upsampling
        ),
        input_signature=[
            tf.TensorSpec([None, None, 3], dtype),
            tf.TensorSpec([None, None, 2]),
            tf.TensorSpec([]),
        ],
        # Nothing to convert; looking for it takes longer than the rest.
        autograph=False,
    )


def _color(strip: tf.Tensor, enlarged: tf.Tensor) -> tf.Tensor:
    """Colors a strip of a picture with what is as large as it."""
    # One plane after the other: channels side by side take twice as long.
    L = prepare.picture_L(strip)[..., 0]
    planes = _ab_planes(L, enlarged)
    share = gamut.shown_share(L, *planes)
    rgb = lab.lab_planes_to_rgb(L, *(share * plane for plane in planes))
    rounded = (tf.round(plane * strip.dtype.max) for plane in rgb)
    return tf.stack(
        [tf.cast(tf.cast(plane, tf.int32), strip.dtype) for plane in rounded],
        axis=-1,
    )
