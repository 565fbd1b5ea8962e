"""Times DDColor beside its authors' PyTorch code, on the same weights.

    python -m benchmarks.ddcolor_inference --repository=PATH

PATH is a checkout of github.com/piddnad/DDColor. Both sides get the lightness
of random pictures of --side pixels, one and --batch of them, and return ab of
that size: tfcolor from L, PyTorch from the grey sRGB picture that its pipeline
makes of L, which is not timed. Weights are random, by --seed.
"""

import functools

from absl import app
from absl import flags

from benchmarks import beside_authors
from benchmarks import options
from benchmarks import pytorch_ddcolor

options.declare(
    *("repository", "encoders", "side", "batch"),
    *("warmup", "repeats", "memory"),
)


def pytorch_run(repository: str, encoder: str, batch: int, side: int):
    """Builds the authors' network with weights of its own making.

    Args:
        repository: str, the checkout.
        encoder: str, "tiny" or "large".
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    network = pytorch_ddcolor.build(repository, encoder)
    return _pytorch_inference(network, batch, side)


def _pytorch_inference(network, batch, side):
    grey = pytorch_ddcolor.grey_tensor(beside_authors.pictures(batch, side))
    return beside_authors.pytorch_inference(network, grey)


def tfcolor_run(encoder: str, batch: int, side: int):
    """Builds tfcolor's network with random weights.

    Args:
        encoder: str, "tiny" or "large".
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    from tfcolor.models.ddcolor import ddcolor

    return beside_authors.tfcolor_inference(
        ddcolor(encoder=encoder), batch, side
    )


def _sides(encoder):
    """Builds both networks; returns functions of a batch by side."""
    from tfcolor.weights import ddcolor_keys

    network = pytorch_ddcolor.build(options.REPOSITORY.value, encoder)
    state = pytorch_ddcolor.with_random_weights(network, 0)
    model, _ = ddcolor_keys.build(state)
    return {
        beside_authors.TFCOLOR: functools.partial(
            beside_authors.tfcolor_inference, model
        ),
        beside_authors.PYTORCH: functools.partial(_pytorch_inference, network),
    }


def main(argv):
    """Runs the benchmark."""
    del argv
    beside_authors.print_table(
        "benchmarks.ddcolor_inference",
        "encoder",
        options.ENCODERS.value,
        _sides,
    )


if __name__ == "__main__":
    flags.mark_flag_as_required("repository")
    app.run(main)
