import numpy as np
import pytest
import tensorflow as tf

from tfcolor.data import augment


def _numbered(height, width):
    values = np.arange(height * width, dtype=np.float32)
    return tf.constant(np.repeat(values.reshape(height, width, 1), 3, -1))


def test_random_crop_cuts_a_window_and_reaches_every_place():
    rgb, corners = _numbered(6, 5), set()
    for i in range(150):
        cut = augment.random_crop(rgb, [i, 0], size=4).numpy()
        y, x = divmod(int(cut[0, 0, 0]), 5)
        np.testing.assert_array_equal(cut, rgb[y : y + 4, x : x + 4])
        corners.add((y, x))
    assert corners == {(y, x) for y in range(3) for x in range(2)}


def test_random_crop_of_the_whole_picture_is_the_picture():
    rgb = tf.cast(_numbered(4, 4), tf.uint8)
    cut = augment.random_crop(rgb, [5, 5], size=4)
    assert cut.dtype == tf.uint8
    np.testing.assert_array_equal(cut, rgb)


def test_random_flip_mirrors_about_half_of_the_pictures():
    rgb = _numbered(3, 4)
    flipped = 0
    for i in range(200):
        result = augment.random_flip(rgb, [i, 7]).numpy()
        if not np.array_equal(result, rgb):
            np.testing.assert_array_equal(result, rgb[:, ::-1])
            flipped += 1
    assert 70 < flipped < 130


@pytest.mark.parametrize(
    "change",
    [lambda rgb, s: augment.random_crop(rgb, s, size=3), augment.random_flip],
)
def test_equal_seeds_change_pictures_equally(change):
    rgb = _numbered(8, 8)
    for i in range(10):
        np.testing.assert_array_equal(change(rgb, [i, i]), change(rgb, [i, i]))
