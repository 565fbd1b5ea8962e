"""Compares DDColor with its authors' PyTorch code, on the same weights.

    python -m benchmarks.ddcolor_parity --repository=PATH

PATH is a checkout of github.com/piddnad/DDColor. Weights are random, by
--seed: kernels, spectral norms, the scales of residual blocks and the
statistics of batch normalizations. Both sides compute a batch of two random
pictures at several sizes, in evaluation mode; the largest difference of ab is
printed in CIELAB units beside the deviation of ab itself. The exit status is 1
if one is above --tolerance.
"""

import sys

import numpy as np
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from benchmarks import pytorch_ddcolor

_SIZES = flags.DEFINE_list(
    "sizes", ["64x64", "96x160", "224x128"], "Heights and widths, pixels."
)
_SEED = flags.DEFINE_integer("seed", 0, "Of weights and pictures.")
_TOLERANCE = flags.DEFINE_float(
    "tolerance", 1e-3, "Largest difference of ab, CIELAB units."
)
options.declare("repository", "encoders")
_BATCH = 2


def _compare(network, model, size) -> list:
    import torch

    rng = np.random.default_rng([_SEED.value, *size])
    L = rng.uniform(0, 100, (_BATCH, *size, 1)).astype(np.float32)
    # Large surfaces beside noise.
    L[:, : size[0] // 2] = L[:, :1, :1]
    with torch.inference_mode():
        expected = (
            network(pytorch_ddcolor.grey_tensor(L))
            .numpy()
            .transpose(0, 2, 3, 1)
        )
    found = np.asarray(model({"L": L}, training=False)["ab"])
    return [float(np.abs(found - expected).max()), float(expected.std())]


def _largest(encoder) -> float:
    """Prints an encoder's table; returns the largest difference."""
    from tfcolor.weights import ddcolor_keys

    network = pytorch_ddcolor.build(options.REPOSITORY.value, encoder)
    state = pytorch_ddcolor.with_random_weights(network, _SEED.value)
    model, ignored = ddcolor_keys.build(state)
    count = f"{model.count_params():,}"
    used = f"{len(state) - len(ignored)} of {len(state)}"
    rows = []
    for text in _SIZES.value:
        size = tuple(map(int, text.split("x")))
        rows.append(
            [encoder, count, used, text, *_compare(network, model, size)]
        )
    measuring.print_table(
        ["encoder", "weights", "arrays used", "size", "difference", "of ab"],
        [[*row[:4], f"{row[4]:.1e}", f"{row[5]:.1f}"] for row in rows],
    )
    return max(row[4] for row in rows)


def main(argv):
    """Runs the comparison."""
    del argv
    measuring.print_machine()
    largest = max(_largest(encoder) for encoder in options.ENCODERS.value)
    if not largest <= _TOLERANCE.value:
        sys.exit(1)


if __name__ == "__main__":
    flags.mark_flag_as_required("repository")
    app.run(main)
