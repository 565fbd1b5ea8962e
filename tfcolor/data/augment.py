"""Stateless augmentation of pictures."""

import tensorflow as tf

from tfcolor.data import age


def random_crop(rgb: tf.Tensor, seed: tf.Tensor, *, size: int) -> tf.Tensor:
    """Cuts a square out of a picture at a random place.

    Args:
        rgb: uint8 or float32 tensor [H, W, 3], H and W at least `size`.
        seed: int tensor [2].
        size: int, side in pixels.

    Returns:
        tensor [size, size, 3] of the same dtype.
    """
    if rgb.shape[:2] == [size, size]:
        return rgb
    room = tf.shape(rgb)[:2] - size + 1
    uniform = tf.random.stateless_uniform([2], seed)
    corner = tf.cast(uniform * tf.cast(room, tf.float32), tf.int32)
    corner = tf.minimum(corner, room - 1)
    cut = tf.slice(rgb, [corner[0], corner[1], 0], [size, size, 3])
    return tf.ensure_shape(cut, [size, size, 3])


def random_resized_crop(
    rgb: tf.Tensor, seed: tf.Tensor, *, size: int, min_area: float
) -> tf.Tensor:
    """Cuts out a random part of a picture and squashes it to a square.

    Args:
        rgb: uint8 tensor [H, W, 3].
        seed: int tensor [2].
        size: int, side of the square in pixels.
        min_area: float in (0, 1]. The part's share of the picture's area is
            between this and 1, its aspect ratio between 3:4 and 4:3 (of what
            the picture's own is).

    Returns:
        uint8 tensor [size, size, 3].

    Reference:
        C. Szegedy et al., "Going Deeper with Convolutions", CVPR 2015,
        section 6.
    """
    height, width = tf.unstack(tf.cast(tf.shape(rgb)[:2], tf.float32))
    uniform = tf.random.stateless_uniform([4], seed)
    area = min_area + (1 - min_area) * uniform[0]
    # The ratio's logarithm is uniform: tall and wide parts are as likely.
    ratio = tf.pow(4 / 3, 2 * uniform[1] - 1)
    parts = tf.minimum(1.0, tf.stack([area / ratio, area * ratio]) ** 0.5)
    whole = tf.stack([height, width])
    sides = tf.maximum(1.0, tf.round(parts * whole))
    corner = tf.cast(uniform[2:] * (whole - sides + 1), tf.int32)
    sides = tf.cast(sides, tf.int32)
    corner = tf.minimum(corner, tf.shape(rgb)[:2] - sides)
    cut = tf.slice(rgb, [corner[0], corner[1], 0], [sides[0], sides[1], 3])
    cut = tf.image.resize(cut, [size, size], antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(cut, 0, 255)), tf.uint8)


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


def aging(
    seed: tf.Tensor, *, size: int, share: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws how a photograph ages; `age.aged` does it.

    Args:
        seed: int tensor [2].
        size: int, side of the picture in pixels.
        share: float in 0..1. Probability that it ages at all.

    Returns:
        float32 [4]: exponent, black, white and blur, of `age.age_of`. And
        float32 [size, size, 1], the grain, in units of L.
    """
    seeds = tf.random.split(seed, 2)
    u = tf.random.stateless_uniform([6], seeds[0])
    drawn = age.age_of(u, share)
    grain = tf.random.stateless_normal([size, size, 1], seeds[1])
    return drawn[:4], grain * drawn[4]


def border(seed: tf.Tensor, *, size: int, share: float) -> tf.Tensor:
    """Draws the border of a scan.

    Args:
        seed: int tensor [2].
        size: int, side of the picture in pixels.
        share: float in 0..1. Probability that there is one.

    Returns:
        float32 [5], as of `age.border_of`.
    """
    u = tf.random.stateless_uniform([11], seed)
    return age.border_of(u, share, size=size)
