"""Where instances lie on the feature maps of their pictures.

Cells of the maps of all pictures are counted through: picture by picture, row
by row, 0..B*h*w-1. Only cells inside boxes are listed, box after box.
"""

from typing import NamedTuple

import tensorflow as tf

from tfcolor.layers import box_placement


def place_instances(instances, boxes, box_valid, picture_size, *, grid):
    """Finds where instances lie on the maps of their pictures.

    Args:
        instances: list of float [M, s, t, C], maps of the instances of some
            boxes each; of any kind where there are none.
        boxes: float32 [B, N, 4], yxyx pixels of the picture.
        box_valid: list of bool [B, N], which boxes each of the maps is for.
        picture_size: int32 [B, 2], height and width of the picture.
        grid: height and width of a picture's map.

    Returns:
        int32 [P], the cell that each pixel of an instance lies on; a function
        from lists of maps like `instances` to their pixels there, [P, C].
    """
    height, width = grid
    pictures = [tf.where(valid)[:, 0] for valid in box_valid]
    picture = tf.cast(tf.concat(pictures, axis=0), tf.int32)
    rectangles = box_placement.place_boxes(
        tf.concat([tf.boolean_mask(boxes, v) for v in box_valid], axis=0),
        tf.gather(picture_size, picture),
        tf.stack(grid),
    )
    pixels = box_placement.covered_pixels(rectangles)
    cells = tf.gather(picture, pixels.rectangle) * height + pixels.y
    places = _places(instances, [tf.size(p) for p in pictures])
    sample = _sampler(pixels, rectangles, places)
    return cells * width + pixels.x, sample


def count_boxes(box_valid) -> tf.Tensor:
    """Counts the boxes of each picture.

    Args:
        box_valid: list of bool [B, N].

    Returns:
        float32 [B].
    """
    return tf.add_n(
        [tf.reduce_sum(tf.cast(v, tf.float32), axis=-1) for v in box_valid]
    )


def count_covering(cells, total) -> tf.Tensor:
    """Counts the instances that cover each cell.

    Args:
        cells: int32 [P], of `place_instances`.
        total: int32 [], Q, cells of all pictures.

    Returns:
        float32 [Q].
    """
    return tf.math.unsorted_segment_sum(
        tf.ones_like(cells, tf.float32), cells, total
    )


def count_absent(covering, boxes, picture_cells) -> tf.Tensor:
    """Counts the instances of a picture that do not cover a cell.

    Args:
        covering: float32 [Q], how many do.
        boxes: float32 [B], how many each picture has.
        picture_cells: int32 [], cells of a picture.

    Returns:
        float32 [Q].
    """
    return tf.repeat(boxes, tf.fill([tf.size(boxes)], picture_cells)) - covering


class _Places(NamedTuple):
    """Where the maps of instances lie in a list of all their pixels.

    Attributes:
        first: int32 [M], the first pixel of each instance.
        height: int32 [M], of its map.
        width: int32 [M], of its map.
    """

    first: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor


def _places(instances, counts) -> _Places:
    """Finds the places of `counts` instances in each of several maps."""
    parts, before = [], 0
    for maps, count in zip(instances, counts, strict=True):
        rows, height, width, _ = tf.unstack(tf.shape(maps))
        first = before + tf.range(count) * height * width
        size = (tf.fill([count], height), tf.fill([count], width))
        parts.append((first, *size))
        # A map without boxes still has one dummy row.
        before += rows * height * width
    return _Places(*(tf.concat(p, axis=0) for p in zip(*parts, strict=True)))


def _sampler(pixels, rectangles, places):
    """Returns a function from lists of maps to their pixels [P, C]."""
    top, left, extent_y, extent_x = tf.unstack(
        tf.gather(rectangles, pixels.rectangle), axis=-1
    )
    first, height, width = (tf.gather(x, pixels.rectangle) for x in places)
    y0, y1, down = box_placement.resize_samples(
        pixels.y - top, extent_y, height
    )
    x0, x1, right = box_placement.resize_samples(
        pixels.x - left, extent_x, width
    )

    def sample(maps):
        flat = [tf.reshape(x, [-1, tf.shape(x)[-1]]) for x in maps]
        rows = tf.concat(flat, axis=0) if len(flat) > 1 else flat[0]
        sampled = 0
        for y, y_amount in ((y0, 1 - down), (y1, down)):
            for x, x_amount in ((x0, 1 - right), (x1, right)):
                amount = tf.cast(y_amount * x_amount, rows.dtype)
                place = first + y * width + x
                sampled += tf.gather(rows, place) * amount[:, None]
        return sampled

    return sample
