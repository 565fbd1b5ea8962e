"""How photographs age: the rule, for all data sets.

What is random is uniform numbers, drawn by `augment` in TensorFlow and by
`array_examples` in NumPy. What they mean is said here, once.
"""

from keras import ops

# No paper gives these numbers: they are a choice. The logarithm of the exponent
# of lightness begins at the first of the two, and its range is the second.
_LOG_EXPONENT, _LOG_EXPONENTS = -0.51, 1.04
# Units of L: how much of black and of white fades, and of grain, at most.
_MOST_FADING, _MOST_GRAIN = 25, 5
_BLURRED_SHARE = 0.25
# Of the pictures that age, this share have the border of a scan, up to so wide:
# a share of the picture's side. Half of them are black, the others paper.
BORDER_SHARE = 0.2
MOST_BORDER = 0.08
_MOST_BLACK, _LEAST_PAPER, _PAPERS = 15, 70, 30


def age_of(u, share: float, *, math=ops):
    """Says how photographs age.

    Args:
        u: float tensor [6, ...], uniform in 0..1.
        share: float in 0..1. Probability that a photograph ages at all.
        math: `keras.ops`, or `numpy` for arrays.

    Returns:
        float tensor [..., 5]: exponent of lightness, 0.6 to 1.7; lightness of
        black, 0 to 25, and of white, 75 to 100; blur, 0 or 1; and the
        deviation of normal grain, up to 5 units of L. (1, 0, 100, 0, 0) where
        it does not age.
    """
    ages = math.where(u[0] < share, 1.0, 0.0)
    # Each is drawn towards what changes nothing: most scans are good.
    return math.stack(
        [
            math.exp(ages * (_LOG_EXPONENTS * u[1] + _LOG_EXPONENT)),
            ages * _MOST_FADING * u[2] ** 2,
            100 - ages * _MOST_FADING * u[3] ** 2,
            ages * math.where(u[4] < _BLURRED_SHARE, 1.0, 0.0),
            ages * _MOST_GRAIN * u[5] ** 2,
        ],
        axis=-1,
    )


def border_of(u, share: float, *, size: int, math=ops):
    """Says what border scans have: film, mount or paper beside the photograph.

    Args:
        u: float tensor [11, ...], uniform in 0..1.
        share: float in 0..1. Probability that there is one.
        size: int, side of the picture in pixels.
        math: `keras.ops`, or `numpy` for arrays.

    Returns:
        float tensor [..., 5]: pixels at the top, left, bottom and right, each
        up to `MOST_BORDER` of the side, two of them none on average, and
        lightness: 0 to 15 (black) or 70 to 100 (paper). Zeros where there is
        none.
    """
    there = math.where(u[0] < share, 1.0, 0.0)
    widths = [
        math.round(u[i] * MOST_BORDER * size)
        * math.where(u[i + 4] < 0.5, 1.0, 0.0)
        for i in range(1, 5)
    ]
    lightness = math.where(
        u[9] < 0.5, _MOST_BLACK * u[10], _LEAST_PAPER + _PAPERS * u[10]
    )
    return there[..., None] * math.stack([*widths, lightness], axis=-1)


def aged(L, changes, grain):
    """Fades, blurs and roughens the lightness of pictures.

    Args:
        L: float32 tensor [B, S, S, 1], 0..100.
        changes: float32 tensor [B, 4]: exponent, black, white and blur, of
            `age_of`.
        grain: float32 tensor [B, S, S, 1], units of L.

    Returns:
        float32 tensor [B, S, S, 1], 0..100.
    """
    exponent, black, white, blur = (
        changes[:, i, None, None, None] for i in range(4)
    )
    L = L + blur * (ops.average_pool(L, 3, 1, padding="same") - L)
    L = ops.power(ops.maximum(L, 0.0) / 100, exponent)
    return ops.clip(black + L * (white - black) + grain, 0.0, 100.0)


def in_border(borders, size: int):
    """Tells which pixels lie in borders.

    Args:
        borders: float32 tensor [B, 5], of `border_of`.
        size: int, S, pixels.

    Returns:
        bool tensor [B, S, S, 1].
    """
    y = ops.arange(size, dtype="float32")[None, :, None, None]
    x = ops.arange(size, dtype="float32")[None, None, :, None]
    top, left, bottom, right = (
        borders[:, i, None, None, None] for i in range(4)
    )
    rows = ops.logical_or(y < top, y >= size - bottom)
    columns = ops.logical_or(x < left, x >= size - right)
    return ops.logical_or(rows, columns)


def aged_with_border(L, ab, changes, grain, borders):
    """Ages pictures and lays the borders of scans on them.

    Args:
        L: float32 tensor [B, S, S, 1], CIELAB.
        ab: float32 tensor [B, S, S, 2].
        changes: float32 tensor [B, 4]; see `aged`.
        grain: float32 tensor [B, S, S, 1]; see `aged`.
        borders: float32 tensor [B, 5], of `border_of`.

    Returns:
        L and ab; borders have no color.
    """
    bordered = in_border(borders, L.shape[1])
    L = ops.where(
        bordered, borders[:, 4, None, None, None], aged(L, changes, grain)
    )
    return L, ops.where(bordered, 0.0, ab)
