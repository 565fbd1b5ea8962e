"""Training examples of pictures in an array, on any Keras backend.

What `pipelines.full_view` sees, in distribution: NumPy draws what is random
and small, and keras.ops do the rest for a whole batch, on the device.
"""

import numpy as np
from keras import ops

from tfcolor.color import lab
from tfcolor.data import age
from tfcolor.data import full_data_config
from tfcolor.data.full_data_config import MAX_HINTS
from tfcolor.data.full_data_config import MAX_PATCH_SIDE


def draw(
    rng: np.random.Generator,
    count: int,
    *,
    side: int,
    config: full_data_config.FullDataConfig,
) -> dict[str, np.ndarray]:
    """Draws what is random about a batch, except the grain.

    Args:
        rng: numpy Generator.
        count: int, B.
        side: int, of the pictures in pixels.
        config: FullDataConfig; S is its `image_size`.

    Returns:
        dict of float32 arrays: "parts" [B, 5], top, left, height and width in
        pixels of the picture, and 1 where it is mirrored; "patches" [B, 64,
        3], top, left and side of hints in pixels of the example; "age" [B, 5]
        of `age.age_of`; "border" [B, 5] of `age.border_of`. And of "shown",
        uint8 [B, S, S]: the number of the patch whose color is the hint there,
        from 1 on; 0 where there is no hint.

    Raises:
        ValueError: `hint_probability` is outside (0, 1].
    """
    patches, shown = _draw_patches(rng, count, config)
    drawn = {
        "parts": _draw_parts(rng, count, side, config),
        "patches": patches,
        "age": _draw_age(rng, count, config.aged_share),
        "border": _draw_border(rng, count, config),
    }
    drawn = {name: array.astype(np.float32) for name, array in drawn.items()}
    return drawn | {"shown": shown}


def _draw_parts(rng, count, side, config) -> np.ndarray:
    """As `augment.random_resized_crop`, or `random_crop` at `min_area` 1."""
    sides = np.full([2, count], float(config.image_size))
    if config.min_area < 1:
        area = rng.uniform(config.min_area, 1, count)
        ratio = (4 / 3) ** rng.uniform(-1, 1, count)
        shares = np.minimum(1, np.sqrt([area / ratio, area * ratio]))
        sides = np.maximum(1, np.round(shares * side))
    corners = np.floor(rng.uniform(size=[2, count]) * (side - sides + 1))
    mirrored = (rng.uniform(size=count) < 0.5) & config.flip
    return np.stack([*corners, *sides, mirrored], axis=-1)


def _draw_patches(rng, count, config) -> tuple[np.ndarray, np.ndarray]:
    """As `hints.hints_for_some`."""
    probability, size = config.hint_probability, config.image_size
    if not 0 < probability <= 1:
        raise ValueError(
            "`hint_probability` must be above 0 and at most 1. "
            f"Received: hint_probability={probability}"
        )
    amounts = np.minimum(rng.geometric(probability, count) - 1, MAX_HINTS)
    amounts[rng.uniform(size=count) >= config.hint_share] = 0
    sides = rng.integers(1, MAX_PATCH_SIDE + 1, [count, MAX_HINTS, 1])
    spread = size - sides + 1
    normal = rng.normal(size=[count, MAX_HINTS, 2])
    corners = (spread / 2 + normal * spread / 4).astype(int)
    patches = np.concatenate(
        [np.clip(corners, 0, spread - 1), sides], axis=-1, dtype=int
    )
    shown = np.zeros([count, size, size], np.uint8)
    for i, amount in enumerate(amounts):
        for number, (y, x, length) in enumerate(patches[i, :amount], 1):
            shown[i, y : y + length, x : x + length] = number
    return patches, shown


def _draw_age(rng, count, share) -> np.ndarray:
    """As `augment.aging`."""
    return age.age_of(rng.uniform(size=[6, count]), share, math=np)


def _draw_border(rng, count, config) -> np.ndarray:
    """As `augment.border`."""
    u = rng.uniform(size=[11, count])
    share = config.aged_share * age.BORDER_SHARE
    return age.border_of(u, share, size=config.image_size, math=np)


def examples(rgb, drawn, grain) -> tuple[dict, dict]:
    """Makes a batch of examples.

    Args:
        rgb: uint8 tensor [B, P, P, 3].
        drawn: dict of tensors, of `draw`.
        grain: float32 tensor [B, S, S, 1], standard normal.

    Returns:
        ({"L": float32 [B, S, S, 1], "hints": [B, S, S, 2], "mask": [B, S, S,
        1]}, {"L": [B, S, S, 1], "ab": [B, S, S, 2], "hints", "mask"}), CIELAB.
        The second L is as it was before it aged and got a border.
    """
    colors = lab.rgb_to_lab(views(rgb, drawn["parts"], grain.shape[1]) / 255.0)
    L, ab = colors[..., :1], colors[..., 1:]
    changes = ops.cast(drawn["age"], "float32")
    rough = changes[:, 4, None, None, None] * grain
    borders = ops.cast(drawn["border"], "float32")
    old, ab = age.aged_with_border(L, ab, changes, rough, borders)
    hints, mask = hints_of(ab, drawn["patches"], drawn["shown"])
    inputs = {"L": old, "hints": hints, "mask": mask}
    return inputs, {"L": L, "ab": ab, "hints": hints, "mask": mask}


def views(rgb, parts, size: int):
    """Cuts parts out of pictures and squashes them, with antialiasing.

    Args:
        rgb: uint8 tensor [B, P, P, 3].
        parts: float32 tensor [B, 5], of `draw`.
        size: int, S, pixels.

    Returns:
        float32 tensor [B, S, S, 3], whole numbers 0..255, as of
        `augment.random_resized_crop` and `random_flip`.
    """
    parts = ops.cast(parts, "float32")
    top, left, height, width, mirrored = (
        parts[:, i, None, None] for i in range(5)
    )
    side = rgb.shape[1]
    rows = _resizing(top, height, side, size)
    columns = _resizing(left, width, side, size)
    columns = ops.where(mirrored > 0, ops.flip(columns, axis=1), columns)
    cut = ops.einsum("biy,byxc->bixc", rows, ops.cast(rgb, "float32"))
    cut = ops.einsum("bjx,bixc->bijc", columns, cut)
    return ops.clip(ops.round(cut), 0.0, 255.0)


def _resizing(start, length, side: int, size: int):
    """Weights of the pixels of an axis, as of tf.image.resize, antialiased.

    A triangle around the middle of each new pixel, as wide as that is in
    pixels of the picture, or as one of those; nothing outside the part counts.

    Args:
        start: float32 tensor [B, 1, 1], pixels.
        length: float32 tensor [B, 1, 1], pixels.
        side: int, P, of the picture.
        size: int, S.

    Returns:
        float32 tensor [B, S, P]; the sum over P is 1.
    """
    step = length / size
    places = ops.arange(side, dtype="float32")[None, None] + 0.5
    middles = ops.arange(size, dtype="float32")[None, :, None] + 0.5
    distance = ops.abs(places - start - middles * step)
    weights = ops.relu(1.0 - distance / ops.maximum(step, 1.0))
    inside = ops.logical_and(places > start, places < start + length)
    weights = weights * ops.cast(inside, "float32")
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def hints_of(ab, patches, shown):
    """Reveals the mean colors of patches.

    Args:
        ab: float32 tensor [B, S, S, 2], CIELAB.
        patches: float32 tensor [B, 64, 3], of `draw`.
        shown: uint8 tensor [B, S, S], of `draw`.

    Returns:
        hints, float32 [B, S, S, 2], and mask, float32 [B, S, S, 1], as of
        `hints.hints_for_batch`.
    """
    count, size, _, channels = ab.shape
    patches = ops.cast(patches, "float32")
    line = ops.arange(size, dtype="float32")[None, None]

    def shares(axis):
        start, length = patches[..., axis : axis + 1], patches[..., 2:]
        inside = ops.logical_and(line >= start, line < start + length)
        return ops.cast(inside, "float32") / length

    means = ops.einsum("bky,byxc->bkxc", shares(0), ab)
    means = ops.einsum("bkx,bkxc->bkc", shares(1), means)
    means = ops.concatenate([means[:, :1] * 0, means], axis=1)
    number = ops.reshape(ops.cast(shown, "int32"), (count, size * size, 1))
    number = ops.repeat(number, channels, axis=-1)
    hints = ops.take_along_axis(means, number, axis=1)
    mask = ops.cast(shown, "float32")[..., None] > 0
    return ops.reshape(hints, ab.shape), ops.cast(mask, "float32")
