"""Times DDColor beside its authors' PyTorch code, on the same weights.

    python -m benchmarks.ddcolor_inference --repository=PATH

PATH is a checkout of github.com/piddnad/DDColor. Both sides get the lightness
of random pictures of --side pixels, one and --batch of them, and return ab of
that size: tfcolor from L, PyTorch from the grey sRGB picture that its pipeline
makes of L, which is not timed. Weights are random, by --seed.
"""

import functools
import statistics

import numpy as np
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from benchmarks import pytorch_ddcolor

options.declare(
    *("repository", "encoders", "side", "batch"),
    *("warmup", "repeats", "memory"),
)

_PYTORCH, _TFCOLOR = "PyTorch", "tfcolor"


def _pictures(batch: int, side: int) -> np.ndarray:
    rng = np.random.default_rng(batch)
    return rng.uniform(0, 100, (batch, side, side, 1)).astype(np.float32)


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
    import torch

    grey = pytorch_ddcolor.grey_tensor(_pictures(batch, side))

    def run():
        with torch.inference_mode():
            return network(grey).numpy().transpose(0, 2, 3, 1)

    return run


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

    return _tfcolor_inference(ddcolor(encoder=encoder), batch, side)


def _tfcolor_inference(model, batch, side):
    import tensorflow as tf

    from tfcolor.inference import network

    function = network.network_function(model)
    inputs = {"L": tf.constant(_pictures(batch, side))}
    return lambda: function(inputs).numpy()


def _sides(encoder):
    """Builds both networks; returns functions of a batch by side."""
    from tfcolor.weights import ddcolor_keys

    network = pytorch_ddcolor.build(options.REPOSITORY.value, encoder)
    state = pytorch_ddcolor.with_random_weights(network, 0)
    model, _ = ddcolor_keys.build(state)
    return {
        _TFCOLOR: functools.partial(_tfcolor_inference, model),
        _PYTORCH: functools.partial(_pytorch_inference, network),
    }


def _memory(encoder, batch) -> dict[str, measuring.Memory]:
    if not options.MEMORY.value:
        return {}
    given = {"encoder": encoder, "batch": batch, "side": options.SIDE.value}
    measure = functools.partial(
        measuring.memory_of, "benchmarks.ddcolor_inference"
    )
    return {
        _TFCOLOR: measure("tfcolor_run", **given),
        _PYTORCH: measure(
            "pytorch_run", repository=options.REPOSITORY.value, **given
        ),
    }


def _rows(encoder):
    sides = _sides(encoder)
    for batch in (1, options.BATCH.value):
        runs = {
            name: make(batch, options.SIDE.value)
            for name, make in sides.items()
        }
        results = {name: run() for name, run in runs.items()}
        difference = float(abs(results[_TFCOLOR] - results[_PYTORCH]).max())
        seconds = measuring.seconds_in_turns(
            runs, repeats=options.REPEATS.value, warmup=options.WARMUP.value
        )
        memory = _memory(encoder, batch)
        for name, times in seconds.items():
            yield [
                *(encoder, batch, name, statistics.median(times)),
                measuring.ratio_over(seconds, name, _PYTORCH),
                *measuring.memory_cells(memory, name, _PYTORCH),
                difference if name == _TFCOLOR else None,
            ]


def main(argv):
    """Runs the benchmark."""
    del argv
    measuring.print_machine()
    rows = [row for encoder in options.ENCODERS.value for row in _rows(encoder)]
    measuring.print_table(
        [
            *("encoder", "pictures", "side", "s", "over PyTorch"),
            *("peak", "over PyTorch", "loaded", "difference of ab"),
        ],
        rows,
    )


if __name__ == "__main__":
    flags.mark_flag_as_required("repository")
    app.run(main)
