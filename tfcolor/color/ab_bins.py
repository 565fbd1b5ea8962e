"""The 23 x 23 grid of ab bins: color as a class.

A bin is 10 x 10 CIELAB units; centers run from -110 to 110 on both axes and
index = row of a * 23 + row of b. sRGB shows colors of 261 of the 529 bins:
networks count either all bins or these alone, in the same order, and how many
logits there are tells which.

Reference:
    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016,
    section 2; the regular grid of Zhang et al., SIGGRAPH 2017.
"""

import numpy as np
from keras import ops

AB_MAX = 110.0
BIN_SIZE = 10.0
BINS_PER_AXIS = 23
NUM_BINS = BINS_PER_AXIS**2
# Of each row of a: the first row of b that holds a color of sRGB, and the one
# after the last. Found by encoding all 256^3 colors.
_SRGB_ROWS = (
    *((0, 0), (0, 0), (19, 20), (15, 20), (13, 21), (11, 21), (9, 21)),
    *((8, 21), (7, 21), (7, 21), (6, 21), (5, 21), (4, 20), (4, 20), (3, 20)),
    *((2, 20), (2, 19), (1, 19), (0, 19), (0, 19), (2, 12), (4, 7), (0, 0)),
)
# Indices of those bins.
SRGB_BINS = np.concatenate(
    [
        row * BINS_PER_AXIS + np.arange(*columns)
        for row, columns in enumerate(_SRGB_ROWS)
    ]
)
NUM_SRGB_BINS = len(SRGB_BINS)
# Zhang 2016, section 2.3: between the mean (1) and the mode (0).
ANNEALED_TEMPERATURE = 0.38


def centers(num_bins: int = NUM_BINS):
    """Returns the ab value of each bin.

    Args:
        num_bins: int, 529 or 261.

    Returns:
        float32 tensor [num_bins, 2].

    Raises:
        ValueError: `num_bins` is another number.
    """
    _check_num_bins(num_bins)
    axis = np.linspace(-AB_MAX, AB_MAX, BINS_PER_AXIS, dtype=np.float32)
    a, b = np.meshgrid(axis, axis, indexing="ij")
    grid = np.stack([a, b], axis=-1).reshape(NUM_BINS, 2)
    if num_bins == NUM_SRGB_BINS:
        grid = grid[SRGB_BINS]
    return ops.convert_to_tensor(grid)


def _check_num_bins(num_bins: int) -> None:
    """Raises ValueError unless there are as many bins as that."""
    if num_bins not in (NUM_BINS, NUM_SRGB_BINS):
        raise ValueError(
            f"`num_bins` must be {NUM_BINS} or {NUM_SRGB_BINS}. "
            f"Received: num_bins={num_bins}"
        )


def among(bins, num_bins: int):
    """Renumbers bins of the whole grid among those a network counts.

    Args:
        bins: int32 tensor [...], 0..528.
        num_bins: int, 529 or 261. A bin that holds no color of sRGB becomes
            the nearest one that does.

    Returns:
        int32 tensor [...], 0..num_bins - 1.

    Raises:
        ValueError: `num_bins` is another number.
    """
    _check_num_bins(num_bins)
    if num_bins == NUM_BINS:
        return bins
    return ops.take(ops.convert_to_tensor(_NEAREST, "int32"), bins)


def _nearest_srgb_bins() -> np.ndarray:
    rows = np.stack(np.divmod(np.arange(NUM_BINS), BINS_PER_AXIS), axis=-1)
    square = ((rows[:, None] - rows[None, SRGB_BINS]) ** 2).sum(-1)
    return square.argmin(axis=1)


_NEAREST = _nearest_srgb_bins()


def encode(ab):
    """Finds the bin of each color; halves go to the even row.

    Args:
        ab: float32 tensor [..., 2]; values beyond +-110 count as +-110.

    Returns:
        int32 tensor [...], 0..528; see `among`.
    """
    ab = ops.clip(ops.convert_to_tensor(ab, "float32"), -AB_MAX, AB_MAX)
    row = ops.cast(ops.round((ab + AB_MAX) / BIN_SIZE), "int32")
    return row[..., 0] * BINS_PER_AXIS + row[..., 1]


def count(ab) -> np.ndarray:
    """Counts how often each bin occurs.

    Args:
        ab: float32 tensor [..., 2].

    Returns:
        float64 array [529].
    """
    bins = ops.convert_to_numpy(encode(ab)).ravel()
    return np.bincount(bins, minlength=NUM_BINS).astype(np.float64)


def decode_argmax(ab_logits):
    """Returns the center of the most likely bin.

    Args:
        ab_logits: float32 tensor [..., 529] or [..., 261].

    Returns:
        float32 tensor [..., 2].
    """
    return ops.take(
        centers(ab_logits.shape[-1]), ops.argmax(ab_logits, axis=-1), axis=0
    )


def decode_mean(ab_logits):
    """Returns the mean color of the distribution.

    Args:
        ab_logits: float32 tensor [..., 529] or [..., 261].

    Returns:
        float32 tensor [..., 2].
    """
    return decode_annealed_mean(ab_logits, temperature=1.0)


def decode_annealed_mean(
    ab_logits, *, temperature: float = ANNEALED_TEMPERATURE
):
    """Returns the mean color after sharpening the distribution.

    Args:
        ab_logits: float32 tensor [..., 529] or [..., 261].
        temperature: float above 0; 1 gives the mean, towards 0 the mode.

    Returns:
        float32 tensor [..., 2].

    Raises:
        ValueError: `temperature` is not above 0.

    Reference:
        Zhang et al., ECCV 2016, equation 5.
    """
    if temperature <= 0:
        raise ValueError(
            "`temperature` must be above 0. "
            f"Received: temperature={temperature}"
        )
    ab_logits = ops.convert_to_tensor(ab_logits, "float32")
    probabilities = ops.softmax(ab_logits / temperature)
    return ops.tensordot(probabilities, centers(ab_logits.shape[-1]), 1)
