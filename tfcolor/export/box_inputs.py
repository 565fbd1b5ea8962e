"""The boxes of a request to what a network sees, in a TensorFlow graph.

The rules are those of `inference.network_inputs.box_inputs`, except that boxes
that cannot be used keep their places, as rows that are not valid.
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
        return tf.pad(boxes, [[0, 0], [0, tf.maximum(1 - shape[1], 0)], [0, 0]])


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
    size = tf.shape(picture)[:2]
    sides = {"height": size[0], "width": size[1]}
    reasons = boxes_lib.drop_reasons(boxes, **sides)
    valid = reasons == boxes_lib.REASONS.index(boxes_lib.KEPT)
    boxes = boxes_lib.whole_pixels(boxes, **sides)
    square = [crop_size, crop_size, 1]
    network_L = prepare.network_L_function(picture.dtype.name)

    def crop_L(box_and_valid):
        box, is_valid = box_and_valid
        return tf.cond(
            is_valid,
            lambda: tf.ensure_shape(
                network_L(crops.crop(picture, box), crop_size), square
            ),
            lambda: tf.zeros(square),
        )

    return {
        "boxes": boxes,
        "box_valid": valid,
        "crops": tf.map_fn(
            crop_L,
            (boxes, valid),
            fn_output_signature=tf.TensorSpec(square),
        ),
        "picture_size": size,
    }


def specs(crop_size: int) -> dict[str, tf.TensorSpec]:
    """Returns what `box_inputs` makes, as tf.TensorSpecs."""
    return {
        "boxes": tf.TensorSpec([None, 4]),
        "box_valid": tf.TensorSpec([None], tf.bool),
        "crops": tf.TensorSpec([None, crop_size, crop_size, 1]),
        "picture_size": tf.TensorSpec([2], tf.int32),
    }
