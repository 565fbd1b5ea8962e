"""What benchmarks of published networks share: both sides, and their rows.

The authors' network is a PyTorch module from a checkout, ours the Keras model
with the same weights; both color random lightness.
"""

import functools
import statistics
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

import numpy as np

from benchmarks import measuring
from benchmarks import options

PYTORCH, TFCOLOR = "PyTorch", "tfcolor"


def pictures(batch: int, side: int) -> np.ndarray:
    """Makes lightness: float32 [batch, side, side, 1], 0..100."""
    rng = np.random.default_rng(batch)
    return rng.uniform(0, 100, (batch, side, side, 1)).astype(np.float32)


def pytorch_inference(network, inputs) -> Callable:
    """Prepares the authors' network.

    Args:
        network: torch.nn.Module in evaluation mode.
        inputs: torch.Tensor, what it is given.

    Returns:
        Function without arguments that returns ab, [B, S, S, 2].
    """
    import torch

    def run():
        with torch.inference_mode():
            return network(inputs).numpy().transpose(0, 2, 3, 1)

    return run


def tfcolor_inference(model, batch: int, side: int) -> Callable:
    """Prepares a model; without hints, if it takes any.

    Args:
        model: keras.Model.
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    import tensorflow as tf

    from tfcolor.inference import network

    function = network.network_function(model)
    L = tf.constant(pictures(batch, side))
    inputs = {
        "L": L,
        "hints": tf.zeros([batch, side, side, 2]),
        "mask": tf.zeros_like(L),
    }
    return lambda: function(inputs).numpy()


def _memory(module: str, given: dict) -> dict[str, measuring.Memory]:
    if not options.MEMORY.value:
        return {}
    measure = functools.partial(measuring.memory_of, module, **given)
    return {
        TFCOLOR: measure("tfcolor_run"),
        PYTORCH: measure("pytorch_run", repository=options.REPOSITORY.value),
    }


def print_table(
    module: str,
    what: str,
    names: Iterable[str],
    make_sides: Callable[[str], Mapping[str, Callable]],
) -> None:
    """Times both sides of each network in turns, and prints a row for each.

    Args:
        module: str, the benchmark. Its `tfcolor_run(WHAT, batch, side)`, and
            `pytorch_run` with `repository=` too, are run in processes of
            their own for their memory.
        what: str, what names a network: heads its column, and is the name of
            that argument.
        names: of networks.
        make_sides: function of a name to a mapping of `TFCOLOR` and `PYTORCH`
            to functions of (batch, side) that prepare one.
    """
    measuring.print_machine()
    rows = []
    for name in names:
        sides, side = make_sides(name), options.SIDE.value
        for batch in (1, options.BATCH.value):
            runs = {key: make(batch, side) for key, make in sides.items()}
            given = {what: name, "batch": batch, "side": side}
            memory = functools.partial(_memory, module, given)
            rows += _rows((name, batch), runs, memory)
    measuring.print_table(
        [
            *(what, "pictures", "side", "s", "over PyTorch"),
            *("peak", "over PyTorch", "loaded", "difference of ab"),
        ],
        rows,
    )


def _rows(cells, runs, measure_memory):
    results = {key: run() for key, run in runs.items()}
    difference = float(abs(results[TFCOLOR] - results[PYTORCH]).max())
    seconds = measuring.seconds_in_turns(
        runs, repeats=options.REPEATS.value, warmup=options.WARMUP.value
    )
    memory = measure_memory()
    for key, times in seconds.items():
        yield [
            *(*cells, key, statistics.median(times)),
            measuring.ratio_over(seconds, key, PYTORCH),
            *measuring.memory_cells(memory, key, PYTORCH),
            difference if key == TFCOLOR else None,
        ]
