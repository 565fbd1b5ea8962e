"""Boxes made fit for a network: inside the picture, the best N, padded.

Pure TensorFlow functions for eager code, `tf.function` and `Dataset.map`.
Boxes are float32 [M, 4], yxyx, in pixels of the picture they come with; the
lower right corner lies outside the box, so a box of one pixel is (y, x, y + 1,
x + 1). Nothing here depends on how many boxes there are: 0 is fine.
"""

import tensorflow as tf

# Why a box is dropped, by the code that `drop_reasons` gives it.
KEPT = "kept"
OUTSIDE = "outside the picture"
NO_AREA = "less than a pixel wide or high"
REASONS = (KEPT, OUTSIDE, NO_AREA)


def clip(boxes: tf.Tensor, *, height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """Moves what sticks out of a picture to its border.

    Args:
        boxes: float32 tensor [..., 4], yxyx pixels.
        height: int32 tensor [], pixels.
        width: int32 tensor [], pixels.

    Returns:
        float32 tensor [..., 4].
    """
    limit = tf.cast(tf.stack([height, width, height, width]), tf.float32)
    return tf.clip_by_value(tf.convert_to_tensor(boxes, tf.float32), 0, limit)


def whole_pixels(
    boxes: tf.Tensor, *, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Clips boxes to a picture and cuts the coordinates to whole pixels.

    Cutting instead of rounding is what InstColorization does.

    Args:
        boxes: float32 tensor [..., 4], yxyx pixels.
        height: int32 tensor [], pixels.
        width: int32 tensor [], pixels.

    Returns:
        float32 tensor [..., 4] of whole numbers.
    """
    return tf.floor(clip(boxes, height=height, width=width))


def drop_reasons(
    boxes: tf.Tensor, *, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Tells which boxes a network can not use, and why.

    Args:
        boxes: float32 tensor [M, 4], yxyx pixels, as they were found.
        height: int32 tensor [], pixels.
        width: int32 tensor [], pixels.

    Returns:
        int32 tensor [M], indices into `REASONS`: 0 for a box to keep.
    """
    boxes = tf.convert_to_tensor(boxes, tf.float32)
    top, left, bottom, right = tf.unstack(boxes, axis=-1)
    limit_y, limit_x = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
    outside = (top >= limit_y) | (left >= limit_x) | (bottom <= 0)
    outside = outside | (right <= 0)
    top, left, bottom, right = tf.unstack(
        whole_pixels(boxes, height=height, width=width), axis=-1
    )
    no_area = (bottom <= top) | (right <= left)
    return tf.where(
        outside,
        REASONS.index(OUTSIDE),
        tf.where(no_area, REASONS.index(NO_AREA), REASONS.index(KEPT)),
    )


def best_first(boxes: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Returns the order of boxes from the best to the worst.

    Args:
        boxes: float32 tensor [M, 4], yxyx pixels.
        scores: float32 tensor [M]. Where they are equal, as in annotations
            made by people, the larger box comes first.

    Returns:
        int32 tensor [M], indices.
    """
    boxes = tf.convert_to_tensor(boxes, tf.float32)
    sides = boxes[:, 2:] - boxes[:, :2]
    by_area = tf.argsort(
        sides[:, 0] * sides[:, 1], direction="DESCENDING", stable=True
    )
    by_score = tf.argsort(
        tf.gather(scores, by_area), direction="DESCENDING", stable=True
    )
    return tf.gather(by_area, by_score)


def pad(boxes: tf.Tensor, *, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts or fills boxes up to a fixed number of rows.

    Args:
        boxes: float32 tensor [M, 4].
        count: int, N.

    Returns:
        boxes, float32 [N, 4], the first N and zeros after them; box_valid,
        bool [N], True for real boxes.
    """
    boxes = boxes[:count]
    real = tf.shape(boxes)[0]
    boxes = tf.pad(boxes, [[0, count - real], [0, 0]])
    return tf.ensure_shape(boxes, [count, 4]), tf.range(count) < real


def usable(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    *,
    height: tf.Tensor,
    width: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the boxes that a network can use, the best one first.

    Args:
        boxes: float32 tensor [M, 4], yxyx pixels, as they were found.
        scores: float32 tensor [M]; see `best_first`.
        height: int32 tensor [], pixels.
        width: int32 tensor [], pixels.

    Returns:
        order, int32 [K], indices of the K usable boxes; reasons, int32 [M],
        see `drop_reasons`.
    """
    reasons = drop_reasons(boxes, height=height, width=width)
    kept = tf.cast(tf.where(reasons == REASONS.index(KEPT))[:, 0], tf.int32)
    order = best_first(tf.gather(boxes, kept), tf.gather(scores, kept))
    return tf.gather(kept, order), reasons


def fit_to_picture(
    boxes: tf.Tensor,
    scores: tf.Tensor,
    *,
    height: tf.Tensor,
    width: tf.Tensor,
    max_boxes: int,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Makes any boxes fit for a network: the one rule of the whole package.

    Boxes outside the picture or without a whole pixel inside are dropped, the
    others are clipped to the picture and cut to whole pixels, and the N best
    are kept, the best one first.

    Args:
        boxes: float32 tensor [M, 4], yxyx pixels.
        scores: float32 tensor [M]; see `best_first`.
        height: int32 tensor [], pixels.
        width: int32 tensor [], pixels.
        max_boxes: int, N.

    Returns:
        boxes, float32 [N, 4], whole pixels; box_valid, bool [N]; reasons,
        int32 [M], see `drop_reasons` (boxes past the N best count as kept).
    """
    boxes = tf.convert_to_tensor(boxes, tf.float32)
    order, reasons = usable(boxes, scores, height=height, width=width)
    boxes = whole_pixels(boxes, height=height, width=width)
    boxes, box_valid = pad(tf.gather(boxes, order), count=max_boxes)
    return boxes, box_valid, reasons
