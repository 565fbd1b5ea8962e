"""Color hints for training: what a user would have pointed at."""

import tensorflow as tf

from tfcolor.data.full_data_config import MAX_HINTS
from tfcolor.data.full_data_config import MAX_PATCH_SIDE


def random_hints(
    ab: tf.Tensor, seed: tf.Tensor, *, probability: float = 0.125
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reveals the mean color of a few random patches.

    The number of patches is geometric: another one follows with probability
    1 - `probability`. Sides are 1 to 9 pixels; corners are normal around the
    middle with a standard deviation of a quarter of the size.

    Args:
        ab: float32 tensor [H, W, 2], CIELAB.
        seed: int tensor [2]; equal seeds give equal hints.
        probability: float in (0, 1]; 1 gives no hints, 1/8 seven on average.

    Returns:
        hints, float32 [H, W, 2], the patch means and 0 elsewhere; mask,
        float32 [H, W, 1], 1 where a hint is.

    Raises:
        ValueError: `probability` is outside (0, 1].

    Reference:
        Zhang et al., SIGGRAPH 2017, section 3.2 and the released code.
    """
    if not 0 < probability <= 1:
        raise ValueError(
            "`probability` must be above 0 and at most 1. "
            f"Received: probability={probability}"
        )
    hints = tf.zeros_like(ab)
    mask = tf.zeros_like(ab[..., :1])
    if probability == 1:
        return hints, mask
    size = tf.shape(ab)[:2]
    seeds = tf.random.split(seed, 4)
    uniform = tf.random.stateless_uniform([], seeds[0], minval=1e-12)
    count = tf.math.log(uniform) / tf.math.log(1.0 - probability)
    count = tf.minimum(tf.cast(count, tf.int32), MAX_HINTS)
    sides = tf.random.stateless_uniform(
        [MAX_HINTS], seeds[1], 1, MAX_PATCH_SIDE + 1, tf.int32
    )
    sides = tf.minimum(sides, tf.reduce_min(size))
    room = size - sides[:, None]
    spread = tf.cast(room + 1, tf.float32)
    normal = tf.random.stateless_normal([MAX_HINTS, 2], seeds[2])
    corner = tf.cast(spread / 2 + normal * spread / 4, tf.int32)
    corner = tf.clip_by_value(corner, 0, room)
    rows = tf.range(size[0])[:, None, None]
    columns = tf.range(size[1])[None, :, None]

    def add_patch(i, hints, mask):
        y, x, side = corner[i, 0], corner[i, 1], sides[i]
        patch = tf.slice(ab, [y, x, 0], [side, side, 2])
        inside = (rows >= y) & (rows < y + side)
        inside &= (columns >= x) & (columns < x + side)
        hints = tf.where(inside, tf.reduce_mean(patch, axis=[0, 1]), hints)
        return i + 1, hints, tf.where(inside, 1.0, mask)

    _, hints, mask = tf.while_loop(
        lambda i, *_: i < count,
        add_patch,
        (0, hints, mask),
        shape_invariants=(
            tf.TensorShape([]),
            hints.shape,
            mask.shape,
        ),
    )
    return hints, mask


def hints_for_some(
    ab: tf.Tensor, seeds, *, share: float, probability: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gives a share of the pictures hints, and the others none.

    Args:
        ab: float32 tensor [H, W, 2], CIELAB.
        seeds: two int tensors [2]: whether there are hints, and which.
        share: float in 0..1.
        probability: float in (0, 1]; see `random_hints`.

    Returns:
        hints and mask, as of `random_hints`.
    """
    return tf.cond(
        tf.random.stateless_uniform([], seeds[0]) < share,
        lambda: random_hints(ab, seeds[1], probability=probability),
        lambda: (tf.zeros_like(ab), tf.zeros_like(ab[..., :1])),
    )


def no_hints(ab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns hints and mask of a batch of which nothing is known.

    Args:
        ab: float32 tensor [B, H, W, 2], CIELAB.

    Returns:
        hints, float32 [B, H, W, 2], and mask, float32 [B, H, W, 1], all 0;
        the same memory for every batch of a data set, where its size is known.
    """
    if not ab.shape.is_fully_defined():
        return tf.zeros_like(ab), tf.zeros_like(ab[..., :1])
    with tf.init_scope(), tf.device("CPU"):
        hints = tf.zeros(ab.shape)
        mask = tf.zeros([*ab.shape[:3], 1])
    return tf.identity(hints), tf.identity(mask)


def hints_for_batch(
    ab: tf.Tensor, seeds: tf.Tensor, *, share: float, probability: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gives a share of the pictures of a batch hints, each by its seeds.

    Args:
        ab: float32 tensor [B, H, W, 2], CIELAB.
        seeds: int tensor [B, 2, 2]; see `hints_for_some`.
        share: float in 0..1.
        probability: float in (0, 1]; see `random_hints`.

    Returns:
        hints, float32 [B, H, W, 2]; mask, float32 [B, H, W, 1].
    """
    found = tf.map_fn(
        lambda one: hints_for_some(
            one[0], tf.unstack(one[1]), share=share, probability=probability
        ),
        (ab, seeds),
        fn_output_signature=(
            tf.TensorSpec(ab.shape[1:], tf.float32),
            tf.TensorSpec([*ab.shape[1:3], 1], tf.float32),
        ),
    )
    return tuple(
        tf.ensure_shape(values, [*ab.shape[:3], channels])
        for values, channels in zip(found, (2, 1), strict=True)
    )
