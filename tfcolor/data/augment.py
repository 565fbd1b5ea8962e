"""Stateless augmentation of pictures."""

import tensorflow as tf

from tfcolor.data.full_data_config import MOST_BORDER


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
    """Draws how a photograph ages; `aged_lightness` does it.

    Args:
        seed: int tensor [2].
        size: int, side of the picture in pixels.
        share: float in 0..1. Probability that it ages at all.

    Returns:
        float32 [4]: exponent of lightness, 0.6 to 1.7; lightness of black, 0
        to 25, and of white, 75 to 100; blur, 0 or 1. And float32 [size, size,
        1], grain: normal, of a deviation of up to 5 units of L. (1, 0, 100,
        0) and no grain where it does not age.
    """
    seeds = tf.random.split(seed, 2)
    u = tf.random.stateless_uniform([6], seeds[0])
    ages = tf.cast(u[0] < share, tf.float32)
    # Each is drawn towards what changes nothing: most scans are good.
    exponent = tf.exp(ages * (1.04 * u[1] - 0.51))
    changes = tf.stack(
        [
            exponent,
            ages * 25 * u[2] ** 2,
            100 - ages * 25 * u[3] ** 2,
            ages * tf.cast(u[4] < 0.25, tf.float32),
        ]
    )
    grain = tf.random.stateless_normal([size, size, 1], seeds[1])
    return changes, grain * (ages * 5 * u[5] ** 2)


def aged_lightness(
    L: tf.Tensor, changes: tf.Tensor, grain: tf.Tensor
) -> tf.Tensor:
    """Fades, blurs and roughens the lightness of pictures.

    Args:
        L: float32 tensor [B, S, S, 1], 0..100.
        changes: float32 tensor [B, 4], of `aging`.
        grain: float32 tensor [B, S, S, 1], of `aging`.

    Returns:
        float32 tensor [B, S, S, 1], 0..100.
    """
    exponent, black, white, blur = (
        changes[:, i, None, None, None] for i in range(4)
    )
    blurred = tf.nn.avg_pool2d(L, 3, 1, "SAME")
    L = L + blur * (blurred - L)
    L = tf.pow(tf.maximum(L, 0.0) / 100, exponent)
    return tf.clip_by_value(black + L * (white - black) + grain, 0.0, 100.0)


def border(seed: tf.Tensor, *, size: int, share: float) -> tf.Tensor:
    """Draws the border of a scan: film, mount or paper beside the photograph.

    Args:
        seed: int tensor [2].
        size: int, side of the picture in pixels.
        share: float in 0..1. Probability that there is one.

    Returns:
        float32 [5]: pixels at the top, left, bottom and right, each up to
        `MOST_BORDER` of the side, two of them none on average, and lightness:
        0 to 15 (black) or 70 to 100 (paper). Zeros where there is none.
    """
    u = tf.random.stateless_uniform([11], seed)
    there = tf.cast(u[0] < share, tf.float32)
    widths = tf.round(u[1:5] * MOST_BORDER * size)
    widths *= tf.cast(u[5:9] < 0.5, tf.float32)
    lightness = tf.where(u[9] < 0.5, 15 * u[10], 70 + 30 * u[10])
    return there * tf.concat([widths, lightness[None]], axis=0)
