"""Boxes and classes of a request to what a network sees, in a TensorFlow graph.

The rules are those of `inference.network_inputs`, except that boxes that
cannot be used keep their places, as rows that are not valid or of no class.
"""

import tensorflow as tf

from tfcolor.data import boxes as boxes_lib
from tfcolor.data import crops
from tfcolor.export import defaults
from tfcolor.inference import prepare


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


def unknown_side(side: int) -> tf.Tensor:
    """Returns a size that is not known before the graph runs.

    Where TensorFlow knows the size of a network's input it changes the order
    of some operations, which rounds otherwise than Python's graph for all
    sizes does.

    Args:
        side: int, pixels.

    Returns:
        int32 scalar.
    """
    return tf.raw_ops.PlaceholderWithDefault(
        input=tf.constant(side, tf.int32), shape=[]
    )


def _with_a_row(rows: tf.Tensor) -> tf.Tensor:
    """Appends zeros to [B, N, ...] where N is 0: no box."""
    missing = tf.maximum(1 - tf.shape(rows)[1], 0)
    others = [[0, 0]] * (rows.shape.rank - 2)
    return tf.pad(rows, [[0, 0], [0, missing], *others])


def box_inputs(
    picture: tf.Tensor, boxes: tf.Tensor, *, crop_size: int
) -> dict[str, tf.Tensor]:
    """Makes the boxes of one picture, and what lies in them.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3].
        boxes: float32 tensor [N, 4], yxyx pixels of the picture. What sticks
            out is cut off.
        crop_size: int, s. Side in pixels of the square of each box.

    Returns:
        dict of "boxes", float32 [N, 4]; "box_valid", bool [N]: those with a
        whole pixel inside the picture; "crops", float32 [N, s, s, 1], L, and
        zeros for the others; "picture_size", int32 [2].
    """
    boxes, valid = _usable(picture, boxes)
    side = unknown_side(crop_size)
    network_L = prepare.network_L_function(picture.dtype.name)

    def crop_L(box_and_valid):
        box, is_valid = box_and_valid
        return tf.cond(
            is_valid,
            lambda: network_L(crops.crop(picture, box), side),
            lambda: tf.zeros(tf.stack([side, side, 1])),
        )

    return {
        "boxes": boxes,
        "box_valid": valid,
        "crops": tf.map_fn(
            crop_L,
            (boxes, valid),
            fn_output_signature=tf.TensorSpec([None, None, 1]),
        ),
        "picture_size": tf.shape(picture)[:2],
    }


def box_class_inputs(
    picture: tf.Tensor, boxes: tf.Tensor, box_classes: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Makes the boxes of one picture, and what they show.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3].
        boxes: float32 tensor [N, 4], yxyx pixels of the picture.
        box_classes: int32 tensor [N].

    Returns:
        dict of "boxes", float32 [N, 4]; "box_classes", int32 [N], 0 for those
        without a whole pixel inside the picture; "picture_size", int32 [2].
    """
    boxes, valid = _usable(picture, boxes)
    return {
        "boxes": boxes,
        "box_classes": tf.where(valid, box_classes, 0),
        "picture_size": tf.shape(picture)[:2],
    }


def _usable(picture, boxes) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns boxes in whole pixels, and which of them can be used."""
    height, width = tf.unstack(tf.shape(picture)[:2])
    sides = {"height": height, "width": width}
    reasons = boxes_lib.drop_reasons(boxes, **sides)
    valid = reasons == boxes_lib.REASONS.index(boxes_lib.KEPT)
    return boxes_lib.whole_pixels(boxes, **sides), valid


def specs() -> dict[str, tf.TensorSpec]:
    """Returns what `box_inputs` makes, as tf.TensorSpecs."""
    return {
        "boxes": tf.TensorSpec([None, 4]),
        "box_valid": tf.TensorSpec([None], tf.bool),
        "crops": tf.TensorSpec([None, None, None, 1]),
        "picture_size": tf.TensorSpec([2], tf.int32),
    }


def class_specs() -> dict[str, tf.TensorSpec]:
    """Returns what `box_class_inputs` makes, as tf.TensorSpecs."""
    return {
        "boxes": tf.TensorSpec([None, 4]),
        "box_classes": tf.TensorSpec([None], tf.int32),
        "picture_size": tf.TensorSpec([2], tf.int32),
    }
