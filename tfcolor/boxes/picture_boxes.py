"""The boxes of one picture, as files and detectors give them."""

import dataclasses
from collections.abc import Callable

import numpy as np

# What a person's annotation counts as, beside a detector's scores.
CERTAIN = 1.0
UNKNOWN_CLASS = 0
# Of a pixel, where boxes are scaled: float32 holds no more in large pictures.
_DECIMALS = 2
# Pixels; float32 holds far more.
_FAR = 1e30


@dataclasses.dataclass(frozen=True)
class PictureBoxes:
    """Boxes, not yet clipped, sorted or cut to whole pixels.

    Attributes:
        boxes: float32 array [M, 4], yxyx, in pixels of the upright picture;
            the lower right corner lies outside the box.
        scores: float32 array [M], 0..1.
        classes: int32 array [M], what the boxes show, in the numbers of the
            detector or annotation; `UNKNOWN_CLASS` where nothing is said.
    """

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray

    def __len__(self):
        return len(self.boxes)

    def resized(
        self, size: tuple[int, int], *, height: int, width: int
    ) -> "PictureBoxes":
        """Returns the boxes for the same picture at another size.

        Args:
            size: (height, width) in pixels that the boxes were made for.
            height: int, pixels.
            width: int, pixels.

        Returns:
            PictureBoxes.

        Raises:
            ValueError: `size` is that of a picture lying on its side: the
                boxes were made without regard to the EXIF orientation.
        """
        if size == (height, width):
            return self
        on_its_side = height * size[0] == width * size[1]
        if on_its_side and height != width:
            raise ValueError(
                "Boxes must be made for the upright picture, its EXIF "
                f"orientation applied, of {width} x {height} pixels. "
                f"Received: boxes for {size[1]} x {size[0]} pixels"
            )
        y, x = height / size[0], width / size[1]
        # 29.999998 is 30: coordinates are cut to whole pixels later on.
        boxes = np.round(self.boxes * np.array([y, x, y, x]), _DECIMALS)
        # Far outside of any picture is as good as further away.
        boxes = np.clip(boxes, -_FAR, _FAR).astype(np.float32)
        return dataclasses.replace(self, boxes=boxes)

    def take(self, which: np.ndarray) -> "PictureBoxes":
        """Returns some of the boxes, chosen by an index or a bool array."""
        return PictureBoxes(
            self.boxes[which], self.scores[which], self.classes[which]
        )

    def best(
        self, *, height: int, width: int, max_boxes: int
    ) -> "PictureBoxes":
        """Keeps the best boxes that lie inside their picture.

        Args:
            height: int, of the picture, pixels.
            width: int, of the picture, pixels.
            max_boxes: int.

        Returns:
            PictureBoxes in whole pixels, the best one first.
        """
        # It imports TensorFlow, which most pictures do without.
        from tfcolor.boxes import boxes as boxes_lib

        size = {"height": height, "width": width}
        order, _ = boxes_lib.usable(self.boxes, self.scores, **size)
        found = self.take(order.numpy()[:max_boxes])
        whole = boxes_lib.whole_pixels(found.boxes, **size).numpy()
        return dataclasses.replace(found, boxes=whole)


# A function of a picture's path and its pixels, uint8 or uint16 [H, W, 3] or
# [H, W, 1], to its PictureBoxes: whole pixels inside the picture, best first.
Finder = Callable[[str, np.ndarray], PictureBoxes]


def make(boxes, scores=None, classes=None) -> PictureBoxes:
    """Makes a PictureBoxes, checked and in the right dtypes.

    Args:
        boxes: array-like [M, 4], yxyx pixels, or empty.
        scores: array-like [M] or None; then all are `CERTAIN`.
        classes: array-like [M] or None; then all are `UNKNOWN_CLASS`.

    Returns:
        PictureBoxes.

    Raises:
        ValueError: a shape is wrong, or a number is not finite.
    """
    with np.errstate(over="ignore"):
        # What is too large becomes infinite, and is refused below.
        boxes = np.asarray(boxes, np.float32)
        scores = None if scores is None else np.asarray(scores, np.float32)
    if not boxes.size:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(
            "`boxes` must have the shape [M, 4]. "
            f"Received: boxes.shape={boxes.shape}"
        )
    count = len(boxes)
    if scores is None:
        scores = np.full(count, CERTAIN)
    if classes is None:
        classes = np.full(count, UNKNOWN_CLASS)
    scores = np.asarray(scores, np.float32)
    classes = np.asarray(classes, np.float64)
    for name, values in (("scores", scores), ("classes", classes)):
        if values.shape != (count,):
            raise ValueError(
                f"`{name}` must have one number for each of the {count} "
                f"boxes. Received: {name}.shape={values.shape}"
            )
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ValueError("Boxes and scores must be finite numbers.")
    # Not a number compares as false.
    if not (np.abs(classes) < 2**31).all():
        raise ValueError("Classes must be numbers of 32 bits.")
    return PictureBoxes(boxes, scores, classes.astype(np.int32))


def none() -> PictureBoxes:
    """Returns the PictureBoxes of a picture without boxes."""
    return make(np.zeros([0, 4]))
