"""Where the boxes of a picture lie on a feature grid.

`boxes` are yxyx in pixels of a picture of `picture_size` (height, width). A
rectangle is (top, left, height, width) in cells of a grid, whole numbers.

Reference:
    J.-W. Su, H.-K. Chu, J.-B. Huang, "Instance-aware Image Colorization",
    CVPR 2020, section 3.3, and the rounding of its released code.
"""

from typing import NamedTuple

import tensorflow as tf


class Pixels(NamedTuple):
    """The cells that rectangles cover, one entry a cell and rectangle.

    Attributes:
        rectangle: int32 [P], which rectangle.
        y: int32 [P], row on the grid.
        x: int32 [P], column on the grid.
    """

    rectangle: tf.Tensor
    y: tf.Tensor
    x: tf.Tensor


def place_boxes(boxes, picture_size, grid_size) -> tf.Tensor:
    """Rounds boxes to the cells of a grid, as the published networks expect.

    Corners are scaled and cut to whole cells. A side that is left without a
    cell gets one: the next one, or at the far border the one before.

    Args:
        boxes: float or int [..., 4], yxyx; fractions of pixels are cut off.
        picture_size: int [..., 2], height and width, above 0.
        grid_size: int [2], height and width, above 0.

    Returns:
        int32 [..., 4], top, left, height, width, inside the grid. Height or
        width is 0 for a box that lies outside its picture.
    """
    corners = tf.cast(tf.cast(boxes, tf.int32), tf.float64)
    picture_size = tf.cast(picture_size, tf.float64)
    cells = tf.cast(grid_size, tf.int32)
    # In double precision and in this order: another rounding moves a corner.
    scale = tf.cast(cells, tf.float64)
    start = tf.cast(corners[..., :2] / picture_size * scale, tf.int32)
    stop = tf.cast(corners[..., 2:] / picture_size * scale, tf.int32)
    at_far_border = cells - stop <= 1
    start = tf.where((stop - start < 1) & at_far_border, start - 1, start)
    stop = tf.maximum(stop, start + 1)
    start = tf.clip_by_value(start, 0, cells)
    stop = tf.clip_by_value(stop, 0, cells)
    return tf.concat([start, stop - start], axis=-1)


def covered_pixels(rectangles) -> Pixels:
    """Lists the cells of rectangles.

    Args:
        rectangles: int32 [M, 4], top, left, height, width.

    Returns:
        Pixels: those of the first rectangle row by row, then the next one's.
    """
    top, left, height, width = tf.unstack(rectangles, axis=-1)
    areas = height * width
    rectangle = tf.repeat(tf.range(tf.size(areas)), areas)
    before = tf.gather(tf.cumsum(areas, exclusive=True), rectangle)
    place = tf.range(tf.reduce_sum(areas)) - before
    columns = tf.gather(width, rectangle)
    return Pixels(
        rectangle,
        tf.gather(top, rectangle) + place // columns,
        tf.gather(left, rectangle) + place % columns,
    )


def resize_samples(place, extent, size) -> tuple[tf.Tensor, ...]:
    """Says which samples make a pixel when `size` are resized to `extent`.

    Bilinear, with half-pixel centers and without antialiasing; exact, since
    it divides whole numbers.

    Args:
        place: int32 [P], 0..extent-1.
        extent: int32 [P] or [], samples after resizing.
        size: int32 [P] or [], samples before.

    Returns:
        int32 [P], the lower sample; int32 [P], the upper one; float32 [P],
        0..1, how much of the upper one.
    """
    # (place + 1/2) * size / extent - 1/2, in units of 1 / (2 * extent).
    halves = tf.maximum((2 * place + 1) * size - extent, 0)
    lower = halves // (2 * extent)
    amount = tf.cast(halves % (2 * extent), tf.float32)
    amount /= tf.cast(2 * extent, tf.float32)
    return lower, tf.minimum(lower + 1, size - 1), amount
