import numpy as np
import pytest
import tensorflow as tf

from tests.models import golden as golden_files
from tfcolor.layers import instance_fusion


def _published(box, picture_size, size):
    """The rule, one box at a time, in Python's own arithmetic."""
    height, width = picture_size
    placed = []
    for low, high, pixels in (
        (box[0], box[2], height),
        (box[1], box[3], width),
    ):
        start, stop = int(low / pixels * size), int(high / pixels * size)
        if stop - start < 1:
            start, stop = (
                (start, stop + 1) if size - stop > 1 else (start - 1, stop)
            )
            stop = start + 1
        placed.append((start, stop - start))
    (top, height), (left, width) = placed
    return top, left, height, width


def _random_boxes(rng, picture_size, count):
    """Boxes of at least one pixel, many of them thin or at a border."""
    sides = []
    for pixels in picture_size:
        ends = rng.integers(0, pixels + 1, [2, count])
        low = np.minimum(ends.min(0), pixels - 1)
        thin = rng.random(count) < 0.3
        high = np.where(thin, low + 1, np.maximum(ends.max(0), low + 1))
        shift = np.where(rng.random(count) < 0.2, pixels - high, 0)
        sides.append((low + shift, high + shift))
    (top, bottom), (left, right) = sides
    return np.stack([top, left, bottom, right], axis=-1)


@pytest.mark.parametrize("name", [*golden_files.NARROW, "instance_aware_64px"])
@pytest.mark.parametrize("scale", [1, 2, 4, 8])
def test_boxes_are_placed_as_in_the_published_code(name, scale):
    golden = golden_files.load(name)
    size = golden["size"] // scale
    placed = instance_fusion.place_boxes(
        golden["boxes"][:, [1, 0, 3, 2]],
        golden["picture_size"],
        [size, size],
    )
    left, right, top, bottom, width, height = golden["box_info"][
        [1, 2, 4, 8].index(scale)
    ].T
    np.testing.assert_array_equal(
        placed, np.stack([top, left, height, width], axis=-1)
    )
    np.testing.assert_array_equal(right, size - left - width)
    np.testing.assert_array_equal(bottom, size - top - height)


@pytest.mark.parametrize("size", [2, 7, 32, 176, 256])
def test_random_boxes_follow_the_rule_exactly(size):
    rng = np.random.default_rng(size)
    place = tf.function(instance_fusion.place_boxes)
    for picture_size in ((480, 640), (37, 211), (1, 1), (999, 50)):
        boxes = _random_boxes(rng, picture_size, 400)
        expected = [_published(box, picture_size, size) for box in boxes]
        for placed in (
            instance_fusion.place_boxes(boxes, picture_size, [size, size]),
            place(
                tf.constant(boxes, tf.float32),
                tf.constant(picture_size),
                tf.constant([size, size]),
            ),
        ):
            np.testing.assert_array_equal(placed, expected)


def test_fractions_of_pixels_are_cut_off():
    whole = instance_fusion.place_boxes([[1, 2, 5, 9]], [10, 10], [10, 10])
    parts = instance_fusion.place_boxes(
        [[1.9, 2.1, 5.99, 9.5]], [10, 10], [10, 10]
    )
    np.testing.assert_array_equal(whole, [[1, 2, 4, 7]])
    np.testing.assert_array_equal(parts, whole)


def test_a_grid_need_not_be_square():
    placed = instance_fusion.place_boxes(
        [[0, 50, 50, 100]], [100, 100], [8, 40]
    )
    np.testing.assert_array_equal(placed, [[0, 20, 4, 20]])


def test_boxes_stay_inside_the_grid():
    boxes = [[-5, -5, 5, 5], [8, 8, 30, 30], [20, 20, 30, 30], [0, 0, 0, 0]]
    placed = instance_fusion.place_boxes(boxes, [10, 10], [10, 10])
    np.testing.assert_array_equal(
        placed, [[0, 0, 5, 5], [8, 8, 2, 2], [10, 10, 0, 0], [0, 0, 1, 1]]
    )


def test_covered_pixels_lists_every_cell_of_every_rectangle():
    pixels = instance_fusion.covered_pixels(
        tf.constant([[3, 4, 2, 3], [9, 9, 0, 0], [0, 7, 1, 2]])
    )
    assert [int(v) for v in pixels.rectangle] == [0] * 6 + [2] * 2
    assert [int(v) for v in pixels.y] == [3, 3, 3, 4, 4, 4, 0, 0]
    assert [int(v) for v in pixels.x] == [4, 5, 6, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("size, extent", [(4, 9), (8, 8), (9, 4), (5, 1)])
def test_resize_samples_is_tensorflows_bilinear_resize(size, extent):
    values = np.random.default_rng(0).uniform(size=[1, size, 1, 1])
    lower, upper, amount = instance_fusion.resize_samples(
        tf.range(extent), extent, size
    )
    line = values[0, :, 0, 0]
    resized = line[lower] * (1 - amount) + line[upper] * amount
    expected = tf.image.resize(values, [extent, 1], "bilinear")[0, :, 0, 0]
    np.testing.assert_allclose(resized, expected, atol=1e-6)
