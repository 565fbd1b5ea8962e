"""Pictures, hints and boxes to one batch of what a network sees."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfcolor.data import boxes as boxes_lib
from tfcolor.data import picture_boxes
from tfcolor.data.picture_boxes import PictureBoxes
from tfcolor.inference import adaptive_crops
from tfcolor.inference import hint_maps
from tfcolor.inference import prepare
from tfcolor.inference.hint_points import HintPoint
from tfcolor.models import box_inputs as box_inputs_lib


def picture_inputs(
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
    L = tf.stack([_square_L(picture, image_size) for picture in pictures])
    return {
        "L": L,
        "hints": tf.constant(hint_map),
        "mask": tf.constant(mask),
    }


def box_inputs(
    pictures: Sequence[np.ndarray],
    boxes: Sequence[np.ndarray | None],
    *,
    image_size: int,
    crop_sizes: tuple[int, ...],
) -> dict[str, tf.Tensor]:
    """Makes a batch of boxes, and of what lies in them.

    Args:
        pictures: B uint8 or uint16 arrays [H, W, 3].
        boxes: for each picture None or array [M, 4], yxyx in its pixels. What
            sticks out is cut off; boxes without a whole pixel inside the
            picture are left out.
        image_size: int. Side in pixels of the network's square.
        crop_sizes: sides s in pixels of the squares that boxes are squashed
            to, one for each group of boxes; see `adaptive_crops`.

    Returns:
        dict of "boxes", float32 [B, N, 4]; "picture_size", int32 [B, 2]; and
        for each group "box_valid", bool [B, N], and "crops", float32 [B, N,
        s, s, 1], L of each of its boxes. N is the largest number of boxes of
        a picture, at least 1.

    Raises:
        ValueError: boxes have another shape, or are not finite.
    """
    usable = [
        usable_boxes(found, height=picture.shape[0], width=picture.shape[1])
        for picture, found in zip(pictures, boxes, strict=True)
    ]
    shape = (len(pictures), max(1, *(len(found) for found in usable)))
    arrays = {
        "boxes": np.zeros((*shape, 4), np.float32),
        "picture_size": np.array([p.shape[:2] for p in pictures], np.int32),
    }
    for group, side in enumerate(crop_sizes):
        valid, crops = _group_keys(group)
        arrays[valid] = np.zeros(shape, bool)
        arrays[crops] = np.zeros((*shape, side, side, 1), np.float32)
    for i, (picture, found) in enumerate(zip(pictures, usable, strict=True)):
        height, width = picture.shape[:2]
        arrays["boxes"][i, : len(found)] = found
        groups = adaptive_crops.choose_sizes(
            found, crop_sizes, height=height, width=width, image_size=image_size
        )
        for j, (box, group) in enumerate(zip(found, groups, strict=True)):
            top, left, bottom, right = box.astype(int)
            part = picture[top:bottom, left:right]
            valid, crops = _group_keys(group)
            arrays[valid][i, j] = True
            arrays[crops][i, j] = _square_L(part, crop_sizes[group])
    return {name: tf.constant(array) for name, array in arrays.items()}


def box_class_inputs(
    pictures: Sequence[np.ndarray], found: Sequence[PictureBoxes | None]
) -> dict[str, tf.Tensor]:
    """Makes a batch of boxes and what they show.

    Args:
        pictures: B uint8 or uint16 arrays [H, W, 3].
        found: for each picture None or PictureBoxes, in its pixels; all that
            lie in it are used.

    Returns:
        dict of "boxes", float32 [B, N, 4], whole pixels; "box_classes", int32
        [B, N], 0 for rows that are no boxes; "picture_size", int32 [B, 2].
    """
    kept = [
        (boxes or picture_boxes.none()).best(
            height=picture.shape[0],
            width=picture.shape[1],
            max_boxes=len(boxes or ()),
        )
        for picture, boxes in zip(pictures, found, strict=True)
    ]
    shape = (len(pictures), max(1, *(len(boxes) for boxes in kept)))
    arrays = {
        "boxes": np.zeros((*shape, 4), np.float32),
        "box_classes": np.zeros(shape, np.int32),
        "picture_size": np.array([p.shape[:2] for p in pictures], np.int32),
    }
    for i, boxes in enumerate(kept):
        arrays["boxes"][i, : len(boxes)] = boxes.boxes
        arrays["box_classes"][i, : len(boxes)] = boxes.classes
    return {name: tf.constant(array) for name, array in arrays.items()}


def _group_keys(group: int) -> tuple[str, str]:
    """Returns the names of the inputs of a group of boxes."""
    keys = (
        box_inputs_lib.numbered(key, group) for key in ("box_valid", "crops")
    )
    return tuple(keys)


def usable_boxes(
    boxes: np.ndarray | None, *, height: int, width: int
) -> np.ndarray:
    """Returns the boxes that can be used, in whole pixels of the picture.

    Args:
        boxes: None or array [M, 4], yxyx pixels.
        height: int, of the picture, pixels.
        width: int, of the picture, pixels.

    Returns:
        float32 array [K, 4], whole numbers.

    Raises:
        ValueError: `boxes` has another shape, or is not finite.
    """
    if boxes is None:
        return np.zeros([0, 4], np.float32)
    boxes = np.asarray(boxes, np.float32)
    if not boxes.size:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(
            "`boxes` must be finite numbers of the shape [M, 4]. "
            f"Received: boxes.shape={boxes.shape}"
        )
    size = {"height": height, "width": width}
    kept = boxes_lib.drop_reasons(boxes, **size).numpy() == _KEPT
    return boxes_lib.whole_pixels(boxes, **size).numpy()[kept]


_KEPT = boxes_lib.REASONS.index(boxes_lib.KEPT)


def _square_L(picture: np.ndarray, side: int) -> tf.Tensor:
    return prepare.network_L_function(picture.dtype.name)(picture, side)
