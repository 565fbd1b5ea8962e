"""Pictures, hints and boxes to what a network sees.

`square_L`, `box_inputs` and `box_class_inputs` are about one picture and are
pure TensorFlow functions: an exported model maps them over the pictures of a
request. `batch_inputs`, `batch_box_inputs` and `batch_box_class_inputs` run
them over NumPy arrays.
"""

import functools
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfcolor.boxes import boxes as boxes_lib
from tfcolor.boxes import picture_boxes
from tfcolor.boxes.picture_boxes import PictureBoxes
from tfcolor.data import crops
from tfcolor.inference import adaptive_crops
from tfcolor.inference import hint_maps
from tfcolor.inference import prepare
from tfcolor.inference.hint_points import HintPoint
from tfcolor.models import box_inputs as box_inputs_lib


def unknown_side(side: int) -> tf.Tensor:
    """Returns a size that is not known before the graph runs.

    Where TensorFlow knows the size of a network's input it changes the order
    of some operations, which rounds otherwise than a graph for all sizes does.

    Args:
        side: int, pixels.

    Returns:
        int32 scalar.
    """
    return tf.raw_ops.PlaceholderWithDefault(
        input=tf.constant(side, tf.int32), shape=[]
    )


def square_L(picture: tf.Tensor, side: tf.Tensor) -> tf.Tensor:
    """Squashes a picture to the network's square; see `prepare.network_L`.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3].
        side: int32 scalar, S, pixels; see `unknown_side`.

    Returns:
        float32 tensor [S, S, 1], 0..100.
    """
    return prepare.network_L_function(picture.dtype.name)(picture, side)


def box_inputs(
    picture: tf.Tensor,
    boxes: tf.Tensor,
    *,
    image_size: int,
    crop_sizes: tuple[int, ...],
) -> dict[str, tf.Tensor]:
    """Makes the boxes of one picture, and what lies in them.

    Args:
        picture: uint8 or uint16 tensor [H, W, 3].
        boxes: float32 tensor [N, 4], yxyx pixels of the picture. What sticks
            out is cut off; boxes without a whole pixel inside the picture
            keep their rows, which are not valid.
        image_size: int. Side in pixels of the network's square.
        crop_sizes: sides s in pixels of the squares that boxes are squashed
            to, one for each group of boxes; see `adaptive_crops`.

    Returns:
        dict of "boxes", float32 [N, 4], whole pixels; "picture_size", int32
        [2]; and for each group "box_valid", bool [N], and "crops", float32
        [N, s, s, 1], L of each of its boxes, zeros for all others.
    """
    picture_size = tf.shape(picture)[:2]
    boxes, valid = _usable(picture_size, boxes)
    height, width = tf.unstack(picture_size)
    groups = adaptive_crops.choose_sizes(
        boxes, crop_sizes, height=height, width=width, image_size=image_size
    )
    inputs = {"boxes": boxes, "picture_size": picture_size}
    for group, side in enumerate(crop_sizes):
        in_group = valid & (groups == group)
        valid_key, crops_key = _group_keys(group)
        inputs[valid_key] = in_group
        inputs[crops_key] = _crops_L(picture, boxes, in_group, side)
    return inputs


def _crops_L(picture, boxes, valid, side):
    side = unknown_side(side)

    def crop_L(box_and_valid):
        box, is_valid = box_and_valid
        return tf.cond(
            is_valid,
            lambda: square_L(crops.crop(picture, box), side),
            lambda: tf.zeros(tf.stack([side, side, 1])),
        )

    return tf.map_fn(
        crop_L,
        (boxes, valid),
        fn_output_signature=tf.TensorSpec([None, None, 1]),
    )


def box_specs(groups: int = 1) -> dict[str, tf.TensorSpec]:
    """Returns what `box_inputs` makes, as tf.TensorSpecs.

    Args:
        groups: int, of boxes.

    Returns:
        dict of str to tf.TensorSpec.
    """
    specs = {
        "boxes": tf.TensorSpec([None, 4]),
        "picture_size": tf.TensorSpec([2], tf.int32),
    }
    for group in range(groups):
        valid_key, crops_key = _group_keys(group)
        specs[valid_key] = tf.TensorSpec([None], tf.bool)
        specs[crops_key] = tf.TensorSpec([None, None, None, 1])
    return specs


def box_class_inputs(
    picture_size: tf.Tensor, boxes: tf.Tensor, box_classes: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Makes the boxes of one picture, and what they show.

    Args:
        picture_size: int32 tensor [2], height and width of the picture.
        boxes: float32 tensor [N, 4], yxyx pixels of the picture.
        box_classes: int32 tensor [N].

    Returns:
        dict of "boxes", float32 [N, 4], whole pixels; "box_classes", int32
        [N], 0 for those without a whole pixel inside the picture;
        "picture_size", int32 [2].
    """
    boxes, valid = _usable(picture_size, boxes)
    return {
        "boxes": boxes,
        "box_classes": tf.where(valid, box_classes, 0),
        "picture_size": picture_size,
    }


def box_class_specs() -> dict[str, tf.TensorSpec]:
    """Returns what `box_class_inputs` makes, as tf.TensorSpecs."""
    return {
        "boxes": tf.TensorSpec([None, 4]),
        "box_classes": tf.TensorSpec([None], tf.int32),
        "picture_size": tf.TensorSpec([2], tf.int32),
    }


def _usable(picture_size, boxes) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns boxes in whole pixels, and which of them can be used."""
    height, width = tf.unstack(picture_size)
    sides = {"height": height, "width": width}
    reasons = boxes_lib.drop_reasons(boxes, **sides)
    valid = reasons == boxes_lib.REASONS.index(boxes_lib.KEPT)
    return boxes_lib.whole_pixels(boxes, **sides), valid


def _group_keys(group: int) -> tuple[str, str]:
    """Returns the names of the inputs of a group of boxes."""
    valid, crops_L = (
        box_inputs_lib.numbered(key, group) for key in ("box_valid", "crops")
    )
    return valid, crops_L


def batch_inputs(
    pictures: Sequence[np.ndarray],
    hints: Sequence[Sequence[HintPoint] | None],
    *,
    image_size: int,
) -> dict[str, tf.Tensor]:
    """Makes a batch of squashed pictures with their hints.

    Args:
        pictures: B uint8 or uint16 arrays [H, W, 3].
        hints: for each picture None or HintPoints, in its pixels.
        image_size: int, S. Side of the square in pixels.

    Returns:
        dict of "L", float32 [B, S, S, 1], 0..100; "hints", float32 [B, S, S,
        2], CIELAB; "mask", float32 [B, S, S, 1].

    Raises:
        ValueError: a hint lies out of its picture.
    """
    maps = [
        hint_maps.draw_hints(
            list(points or ()),
            width=picture.shape[1],
            height=picture.shape[0],
            image_size=image_size,
        )
        for picture, points in zip(pictures, hints, strict=True)
    ]
    hint_map, mask = (np.stack(m) for m in zip(*maps, strict=True))
    return {
        "L": tf.stack([square_L(picture, image_size) for picture in pictures]),
        "hints": tf.constant(hint_map),
        "mask": tf.constant(mask),
    }


def batch_box_inputs(
    pictures: Sequence[np.ndarray],
    boxes: Sequence[np.ndarray | PictureBoxes | None],
    *,
    image_size: int,
    crop_sizes: tuple[int, ...],
) -> dict[str, tf.Tensor]:
    """Makes a batch of boxes, and of what lies in them.

    Args:
        pictures: B uint8 or uint16 arrays [H, W, 3].
        boxes: for each picture None, an array [M, 4], yxyx in its pixels, or
            PictureBoxes.
        image_size: int. Side in pixels of the network's square.
        crop_sizes: tuple of int; see `box_inputs`.

    Returns:
        dict as of `box_inputs`, with B in front. N is the largest number of
        boxes of a picture, at least 1.

    Raises:
        ValueError: boxes have another shape, or are not finite.
    """
    found = [_check_boxes(b) for b in boxes]
    rows = max(1, *map(len, found))
    return _stack(
        _box_inputs_function(picture.dtype.name, image_size, crop_sizes)(
            picture, _with_rows(b, rows)
        )
        for picture, b in zip(pictures, found, strict=True)
    )


def batch_box_class_inputs(
    pictures: Sequence[np.ndarray], found: Sequence[PictureBoxes | None]
) -> dict[str, tf.Tensor]:
    """Makes a batch of boxes and what they show.

    Args:
        pictures: B uint8 or uint16 arrays [H, W, 3].
        found: for each picture None or PictureBoxes, in its pixels; all that
            lie in it are used, the best one first.

    Returns:
        dict as of `box_class_inputs`, with B in front. N is the largest
        number of boxes of a picture, at least 1.
    """
    kept = [
        (boxes or picture_boxes.none()).best(
            height=picture.shape[0],
            width=picture.shape[1],
            max_boxes=len(boxes or ()),
        )
        for picture, boxes in zip(pictures, found, strict=True)
    ]
    rows = max(1, *map(len, kept))
    return _stack(
        box_class_inputs(
            tf.constant(picture.shape[:2]),
            tf.constant(_with_rows(boxes.boxes, rows)),
            tf.constant(_with_rows(boxes.classes, rows)),
        )
        for picture, boxes in zip(pictures, kept, strict=True)
    )


@functools.cache
def _box_inputs_function(dtype: str, image_size: int, crop_sizes):
    return tf.function(
        functools.partial(
            box_inputs, image_size=image_size, crop_sizes=crop_sizes
        ),
        input_signature=[
            tf.TensorSpec([None, None, 3], dtype),
            tf.TensorSpec([None, 4]),
        ],
        autograph=False,
    )


def _check_boxes(boxes) -> np.ndarray:
    """Returns float32 [M, 4], as they came; raises ValueError."""
    if boxes is None:
        return np.zeros([0, 4], np.float32)
    if isinstance(boxes, PictureBoxes):
        boxes = boxes.boxes
    boxes = np.asarray(boxes, np.float32)
    if not boxes.size:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(
            "`boxes` must be finite numbers of the shape [M, 4]. "
            f"Received: boxes.shape={boxes.shape}"
        )
    return boxes


def _with_rows(array: np.ndarray, rows: int) -> np.ndarray:
    """Appends rows of zeros: no box."""
    missing = [(0, rows - len(array))] + [(0, 0)] * (array.ndim - 1)
    return np.pad(array, missing)


def _stack(inputs) -> dict[str, tf.Tensor]:
    inputs = list(inputs)
    return {key: tf.stack([one[key] for one in inputs]) for key in inputs[0]}
