"""Checks of the boxes and classes that a request brings, in its graph."""

import tensorflow as tf

from tfcolor.export import defaults


def check_boxes(boxes: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns boxes that a request may have, one row at least.

    Args:
        boxes: float32 tensor [B, N, 4].
        count: int32 scalar, pictures of the request.

    Returns:
        float32 tensor [B, max(N, 1), 4].
    """
    shape = tf.shape(boxes)
    checks = [
        tf.debugging.Assert(
            shape[0] == count,
            ["Boxes must come for each picture. Received:", shape[0], count],
        ),
        tf.debugging.Assert(
            shape[1] <= defaults.MAX_BOXES,
            [
                f"A picture must have at most {defaults.MAX_BOXES} boxes. "
                "Received:",
                shape[1],
            ],
        ),
        tf.debugging.Assert(
            tf.reduce_all(tf.math.is_finite(boxes)),
            ["Boxes must be finite numbers. Received: infinite ones or NaN"],
        ),
    ]
    with tf.control_dependencies(checks):
        return _with_a_row(boxes)


def check_box_classes(box_classes: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """Returns classes that boxes may have, one row at least.

    Args:
        box_classes: int32 tensor [B, N].
        boxes: float32 tensor [B, N, 4], as they came.

    Returns:
        int32 tensor [B, max(N, 1)].
    """
    shapes = tf.shape(box_classes), tf.shape(boxes)[:2]
    check = tf.debugging.Assert(
        tf.reduce_all(shapes[0] == shapes[1]),
        ["`box_classes` must come for each box. Received:", *shapes],
    )
    with tf.control_dependencies([check]):
        return _with_a_row(box_classes)


def check_classes(classes: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns what pictures are said to show.

    Args:
        classes: float32 tensor [B, K].
        count: int32 scalar, pictures of the request.

    Returns:
        The same, after the check.
    """
    checks = [
        tf.debugging.Assert(
            tf.shape(classes)[0] == count,
            [
                "`classes` must come for each picture. Received:",
                tf.shape(classes)[0],
                count,
            ],
        ),
        tf.debugging.Assert(
            tf.reduce_all(tf.math.is_finite(classes)),
            ["`classes` must be finite. Received: infinite ones or NaN"],
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(classes)


def _with_a_row(rows: tf.Tensor) -> tf.Tensor:
    """Appends zeros to [B, N, ...] where N is 0: no box."""
    missing = tf.maximum(1 - tf.shape(rows)[1], 0)
    others = [[0, 0]] * (rows.shape.rank - 2)
    return tf.pad(rows, [[0, 0], [0, missing], *others])
