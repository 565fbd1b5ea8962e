"""Stateless augmentation of pictures."""

import tensorflow as tf


def random_crop(rgb: tf.Tensor, seed: tf.Tensor, *, size: int) -> tf.Tensor:
    """Cuts a square out of a picture at a random place.

    Args:
        rgb: uint8 or float32 tensor [H, W, 3], H and W at least `size`.
        seed: int tensor [2].
        size: int, side in pixels.

    Returns:
        tensor [size, size, 3] of the same dtype.
    """
    room = tf.shape(rgb)[:2] - size + 1
    uniform = tf.random.stateless_uniform([2], seed)
    corner = tf.cast(uniform * tf.cast(room, tf.float32), tf.int32)
    corner = tf.minimum(corner, room - 1)
    cut = tf.slice(rgb, [corner[0], corner[1], 0], [size, size, 3])
    return tf.ensure_shape(cut, [size, size, 3])


def random_flip(rgb: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Mirrors a picture left to right with probability 1/2.

    Args:
        rgb: tensor [H, W, C].
        seed: int tensor [2].

    Returns:
        tensor of the same shape and dtype.
    """
    return tf.where(is_flipped(seed), rgb[:, ::-1], rgb)


def is_flipped(seed: tf.Tensor) -> tf.Tensor:
    """Tells whether `random_flip` mirrors a picture: bool tensor []."""
    return tf.random.stateless_uniform([], seed) < 0.5
