"""Measures how many directions the features of a colorizer's blocks use.

    python -m benchmarks.feature_rank --model=siggraph_small

For the sample pictures and each block: the effective rank of its features over
all places (exp of the entropy of their normalized variances along principal
axes; Roy and Vetterli, "The effective rank", EUSIPCO 2007), the share of the
first axis, and how many features never change. A rank far below the number of
features says that training has collapsed the block.
"""

import keras
import numpy as np
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from tfcolor.data import labelled
from tfcolor.data import sample_pictures
from tfcolor.pictures import decode

_SIDE = flags.DEFINE_integer("picture_side", 96, "Side of pictures, pixels.")
options.declare("model")

_BLOCKS = tuple(f"block{i}" for i in range(1, 8))
# A feature with a smaller deviation never changes.
_STILL = 1e-4


def effective_rank(features: np.ndarray) -> tuple[float, float]:
    """Returns the effective rank, and the share of the first axis.

    Args:
        features: float array [N, C], not all rows equal.

    Returns:
        float in 1..C and float in 1/C..1.
    """
    centered = features - features.mean(axis=0)
    variances = np.linalg.eigvalsh(centered.T @ centered)[::-1]
    shares = np.clip(variances, 1e-12 * variances[0], None)
    shares = shares / shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum())), float(shares[0])


def main(argv):
    """Runs the measurement."""
    del argv
    from trainers import assembly

    network = assembly.load_network(options.MODEL.value or "siggraph_small")
    squares = np.stack(
        [
            decode.decode_square(_read(path), _SIDE.value)
            for path in sample_pictures.paths()
        ]
    )
    features = keras.Model(
        network.input,
        [network.get_layer(f"{block}_bn").output for block in _BLOCKS],
    )(labelled.network_inputs(squares, "L"), training=False)
    rows = []
    for block, values in zip(_BLOCKS, features, strict=True):
        flat = np.reshape(values, [-1, values.shape[-1]]).astype(np.float64)
        rank, first = effective_rank(flat)
        still = int((flat.std(axis=0) < _STILL).sum())
        rows.append([block, flat.shape[1], rank, first, still])
    measuring.print_table(
        ["block", "features", "effective rank", "first axis", "still"], rows
    )


def _read(path) -> bytes:
    with open(path, "rb") as file:
        return file.read()


if __name__ == "__main__":
    app.run(main)
