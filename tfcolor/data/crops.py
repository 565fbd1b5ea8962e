"""Instance crops: boxes cut out of a picture, each resized to a square.

Pure TensorFlow functions for eager code, `tf.function` and `Dataset.map`.
Boxes are those of `boxes.fit_to_picture`: float32 [N, 4], yxyx, whole pixels
inside the picture, with box_valid, bool [N].
"""

import tensorflow as tf

from tfcolor.data import pipelines


def crop(picture: tf.Tensor, box: tf.Tensor) -> tf.Tensor:
    """Cuts one box out of a picture.

    Args:
        picture: tensor [H, W, C] of any dtype.
        box: float32 tensor [4], yxyx, whole pixels inside the picture.

    Returns:
        tensor [h, w, C], at least one pixel.
    """
    top, left, bottom, right = tf.unstack(tf.cast(box, tf.int32))
    return picture[top:bottom, left:right]


def instance_crops(
    rgb: tf.Tensor, boxes: tf.Tensor, box_valid: tf.Tensor, *, side: int
) -> tf.Tensor:
    """Cuts out all boxes and squashes each to a square, with antialiasing.

    Args:
        rgb: uint8 tensor [H, W, 3].
        boxes: float32 tensor [N, 4], yxyx pixels.
        box_valid: bool tensor [N].
        side: int, S, pixels.

    Returns:
        uint8 tensor [N, S, S, 3], as of `pipelines.resize_square`; zeros, at
        no cost, where there is no box.
    """

    def one(box_and_valid):
        box, valid = box_and_valid
        return tf.cond(
            valid,
            lambda: pipelines.resize_square(crop(rgb, box), side),
            lambda: tf.zeros([side, side, 3], tf.uint8),
        )

    spec = tf.TensorSpec([side, side, 3], tf.uint8)
    return tf.map_fn(one, (boxes, box_valid), fn_output_signature=spec)


def random_valid_box(
    boxes: tf.Tensor,
    box_valid: tf.Tensor,
    seed: tf.Tensor,
    *,
    height: tf.Tensor,
    width: tf.Tensor,
) -> tf.Tensor:
    """Picks one box, each with the same chance.

    Args:
        boxes: float32 tensor [N, 4], yxyx pixels.
        box_valid: bool tensor [N].
        seed: integer tensor [2]; equal seeds pick equal boxes.
        height: int32 tensor [], of the picture, pixels.
        width: int32 tensor [], of the picture, pixels.

    Returns:
        float32 tensor [4], yxyx pixels; the whole picture where no box is
        valid.
    """
    zero = tf.zeros_like(height)
    whole = tf.cast(tf.stack([zero, zero, height, width]), tf.float32)
    valid = tf.boolean_mask(boxes, box_valid)
    count = tf.shape(valid)[0]
    # One candidate more than there are boxes: an index always exists.
    candidates = tf.concat([valid, whole[None]], axis=0)
    index = tf.random.stateless_uniform(
        [], seed, maxval=tf.maximum(count, 1), dtype=tf.int32
    )
    return tf.ensure_shape(candidates[index], [4])
