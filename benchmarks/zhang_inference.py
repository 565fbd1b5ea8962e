"""Times ECCV'16 and SIGGRAPH'17 beside their authors' PyTorch code.

    python -m benchmarks.zhang_inference --repository=PATH

PATH is a checkout of github.com/richzhang/colorization. Both sides get the
lightness of random pictures of --side pixels, one and --batch of them, no
hints, and return ab of that size, with the same random weights.
"""

import functools
import importlib
import statistics
import sys

import numpy as np
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options

_NETWORKS = flags.DEFINE_list(
    "networks", ["eccv16", "siggraph17"], "Networks: eccv16, siggraph17."
)
options.declare("repository", "side", "batch", "warmup", "repeats", "memory")

_PYTORCH, _TFCOLOR = "PyTorch", "tfcolor"


def pytorch_network(repository: str, name: str):
    """Builds the authors' network with random weights.

    Args:
        repository: str, the checkout.
        name: str, "eccv16" or "siggraph17".

    Returns:
        torch.nn.Module in evaluation mode.
    """
    from benchmarks import pytorch_runs

    if repository not in sys.path:
        sys.path.insert(0, repository)
    module = importlib.import_module(f"colorizers.{name}")
    return pytorch_runs.with_random_weights(
        getattr(module, name)(pretrained=False)
    )


def pytorch_run(repository: str, name: str, batch: int, side: int):
    """Prepares the authors' network.

    Args:
        repository: str, the checkout.
        name: str, "eccv16" or "siggraph17".
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    return _pytorch_inference(pytorch_network(repository, name), batch, side)


def _pytorch_inference(network, batch, side):
    import torch

    L = torch.from_numpy(_pictures(batch, side).transpose(0, 3, 1, 2).copy())

    def run():
        with torch.inference_mode():
            return network(L).numpy().transpose(0, 2, 3, 1)

    return run


def tfcolor_run(name: str, batch: int, side: int):
    """Prepares tfcolor's network with random weights.

    Args:
        name: str, "eccv16" or "siggraph17".
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    return _tfcolor_inference(_tfcolor_network(name), batch, side)


def _tfcolor_network(name):
    from tfcolor.models.eccv16 import eccv16
    from tfcolor.models.siggraph import siggraph

    return eccv16() if name == "eccv16" else siggraph(mask_center=0.0)


def _tfcolor_inference(model, batch, side):
    import tensorflow as tf

    from tfcolor.inference import network

    function = network.network_function(model)
    L = tf.constant(_pictures(batch, side))
    none = {"hints": tf.zeros([batch, side, side, 2]), "mask": tf.zeros_like(L)}
    inputs = {"L": L} | none
    inputs = {key: inputs[key] for key in model.input}
    return lambda: function(inputs).numpy()


def _pictures(batch: int, side: int) -> np.ndarray:
    rng = np.random.default_rng(batch)
    return rng.uniform(0, 100, (batch, side, side, 1)).astype(np.float32)


def _sides(name):
    """Builds both networks; returns functions of a batch by side."""
    from benchmarks import pytorch_runs
    from tfcolor.weights import pytorch

    network = pytorch_network(options.REPOSITORY.value, name)
    model = _tfcolor_network(name)
    pytorch.load_state(model, pytorch_runs.states({name: network})[name])
    return {
        _TFCOLOR: functools.partial(_tfcolor_inference, model),
        _PYTORCH: functools.partial(_pytorch_inference, network),
    }


def _memory(name, batch) -> dict[str, measuring.Memory]:
    if not options.MEMORY.value:
        return {}
    given = {"name": name, "batch": batch, "side": options.SIDE.value}
    measure = functools.partial(
        measuring.memory_of, "benchmarks.zhang_inference"
    )
    return {
        _TFCOLOR: measure("tfcolor_run", **given),
        _PYTORCH: measure(
            "pytorch_run", repository=options.REPOSITORY.value, **given
        ),
    }


def _rows(name):
    sides, side = _sides(name), options.SIDE.value
    for batch in (1, options.BATCH.value):
        runs = {key: make(batch, side) for key, make in sides.items()}
        results = {key: run() for key, run in runs.items()}
        difference = float(abs(results[_TFCOLOR] - results[_PYTORCH]).max())
        seconds = measuring.seconds_in_turns(
            runs,
            repeats=options.REPEATS.value,
            warmup=options.WARMUP.value,
        )
        memory = _memory(name, batch)
        for key, times in seconds.items():
            yield [
                *(name, batch, key, statistics.median(times)),
                measuring.ratio_over(seconds, key, _PYTORCH),
                *measuring.memory_cells(memory, key, _PYTORCH),
                difference if key == _TFCOLOR else None,
            ]


def main(argv):
    """Runs the benchmark."""
    del argv
    measuring.print_machine()
    rows = [row for name in _NETWORKS.value for row in _rows(name)]
    measuring.print_table(
        [
            *("network", "pictures", "side", "s", "over PyTorch"),
            *("peak", "over PyTorch", "loaded", "difference of ab"),
        ],
        rows,
    )


if __name__ == "__main__":
    flags.mark_flag_as_required("repository")
    app.run(main)
