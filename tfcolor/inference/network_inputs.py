"""Pictures, hints and boxes to what a network sees.

`square_L` and the `inputs` of `BoxCrops` and `BoxClasses` are about one picture
and are pure TensorFlow functions: an exported model maps them over the pictures
of a request. `batch_inputs` and `batch_box_inputs` run them over NumPy arrays.
"""

import dataclasses
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
    return prepare.traced(prepare.network_L, picture, side)


@dataclasses.dataclass(frozen=True)
class BoxCrops:
    """What a network that colors what lies in boxes sees of them.

    Attributes:
        image_size: int. Side in pixels of the network's square.
        crop_sizes: tuple of int. Sides s in pixels of the squares that boxes
            are squashed to, one for each group of boxes; see `adaptive_crops`.
    """

    image_size: int
    crop_sizes: tuple[int, ...]

    def inputs(
        self, picture: tf.Tensor, boxes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Makes the boxes of one picture, and what lies in them.

        Args:
            picture: uint8 or uint16 tensor [H, W, 3].
            boxes: float32 tensor [N, 4], yxyx pixels of the picture. What
                sticks out is cut off; boxes without a whole pixel inside the
                picture keep their rows, which are not valid.

        Returns:
            dict of "boxes", float32 [N, 4], whole pixels; "picture_size",
            int32 [2]; and for each group "box_valid", bool [N], and "crops",
            float32 [N, s, s, 1], L of each of its boxes, zeros for all others.
        """
        picture_size = tf.shape(picture)[:2]
        boxes, valid = _usable(picture_size, boxes)
        height, width = tf.unstack(picture_size)
        groups = adaptive_crops.choose_sizes(
            boxes,
            self.crop_sizes,
            height=height,
            width=width,
            image_size=self.image_size,
        )
        inputs = {"boxes": boxes, "picture_size": picture_size}
        for group, side in enumerate(self.crop_sizes):
            in_group = valid & (groups == group)
            valid_key, crops_key = _group_keys(group)
            inputs[valid_key] = in_group
            inputs[crops_key] = _crops_L(picture, boxes, in_group, side)
        return inputs

    def specs(self) -> dict[str, tf.TensorSpec]:
        """Returns what `inputs` makes, as tf.TensorSpecs."""
        specs = {
            "boxes": tf.TensorSpec([None, 4]),
            "picture_size": tf.TensorSpec([2], tf.int32),
        }
        for group in range(len(self.crop_sizes)):
            valid_key, crops_key = _group_keys(group)
            specs[valid_key] = tf.TensorSpec([None], tf.bool)
            specs[crops_key] = tf.TensorSpec([None, None, None, 1])
        return specs

    def rows(self, picture: np.ndarray, found) -> tuple[np.ndarray]:
        """Returns the boxes of a picture, float32 [M, 4], as they came."""
        del picture
        return (_check_boxes(found),)


@dataclasses.dataclass(frozen=True)
class BoxClasses:
    """What a network that uses the classes of boxes sees of them."""

    def inputs(
        self, picture: tf.Tensor, boxes: tf.Tensor, box_classes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Makes the boxes of one picture, and what they show.

        Args:
            picture: uint8 or uint16 tensor [H, W, 3].
            boxes: float32 tensor [N, 4], yxyx pixels of the picture.
            box_classes: int32 tensor [N].

        Returns:
            dict of "boxes", float32 [N, 4], whole pixels; "box_classes", int32
            [N], 0 for those without a whole pixel inside the picture;
            "picture_size", int32 [2].
        """
        picture_size = tf.shape(picture)[:2]
        boxes, valid = _usable(picture_size, boxes)
        return {
            "boxes": boxes,
            "box_classes": tf.where(valid, box_classes, 0),
            "picture_size": picture_size,
        }

    def specs(self) -> dict[str, tf.TensorSpec]:
        """Returns what `inputs` makes, as tf.TensorSpecs."""
        return {
            "boxes": tf.TensorSpec([None, 4]),
            "box_classes": tf.TensorSpec([None], tf.int32),
            "picture_size": tf.TensorSpec([2], tf.int32),
        }

    def rows(
        self, picture: np.ndarray, found: PictureBoxes | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the boxes that lie in a picture, the best first, classes."""
        kept = (found or picture_boxes.none()).best(
            height=picture.shape[0],
            width=picture.shape[1],
            max_boxes=len(found or ()),
        )
        return kept.boxes, kept.classes


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
    found: Sequence[np.ndarray | PictureBoxes | None],
    view: BoxCrops | BoxClasses,
) -> dict[str, tf.Tensor]:
    """Makes a batch of boxes, and of what a network sees of them.

    Args:
        pictures: B uint8 or uint16 arrays [H, W, 3].
        found: for each picture None, an array [M, 4], yxyx in its pixels, or
            PictureBoxes, which alone have classes.
        view: BoxCrops or BoxClasses.

    Returns:
        dict as of `view.inputs`, with B in front. N is the largest number of
        boxes of a picture, at least 1.

    Raises:
        ValueError: boxes have another shape, or are not finite.
    """
    rows = [view.rows(*each) for each in zip(pictures, found, strict=True)]
    most = max(1, *(len(boxes) for boxes, *_ in rows))
    inputs = [
        _traced_inputs(picture.dtype.name, view)(
            picture, *(_with_rows(array, most) for array in arrays)
        )
        for picture, arrays in zip(pictures, rows, strict=True)
    ]
    return {key: tf.stack([one[key] for one in inputs]) for key in inputs[0]}


@functools.cache
def _traced_inputs(dtype: str, view: BoxCrops | BoxClasses):
    specs = view.specs()
    rows = [specs[key] for key in ("boxes", "box_classes") if key in specs]
    return tf.function(
        view.inputs,
        input_signature=[
            tf.TensorSpec([None, None, 3], dtype),
            *rows,
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
