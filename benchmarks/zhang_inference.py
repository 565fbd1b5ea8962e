"""Times ECCV'16 and SIGGRAPH'17 beside their authors' PyTorch code.

    python -m benchmarks.zhang_inference --repository=PATH

PATH is a checkout of github.com/richzhang/colorization. Both sides get the
lightness of random pictures of --side pixels, one and --batch of them, no
hints, and return ab of that size, with the same random weights.
"""

import functools
import importlib
import sys

from absl import app
from absl import flags

from benchmarks import beside_authors
from benchmarks import options

_NETWORKS = flags.DEFINE_list(
    "networks", ["eccv16", "siggraph17"], "Networks: eccv16, siggraph17."
)
options.declare("repository", "side", "batch", "warmup", "repeats", "memory")


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


def pytorch_run(repository: str, network: str, batch: int, side: int):
    """Prepares the authors' network.

    Args:
        repository: str, the checkout.
        network: str, "eccv16" or "siggraph17".
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    return _pytorch_inference(pytorch_network(repository, network), batch, side)


def _pytorch_inference(network, batch, side):
    import torch

    L = beside_authors.pictures(batch, side).transpose(0, 3, 1, 2).copy()
    return beside_authors.pytorch_inference(network, torch.from_numpy(L))


def tfcolor_run(network: str, batch: int, side: int):
    """Prepares tfcolor's network with random weights.

    Args:
        network: str, "eccv16" or "siggraph17".
        batch: int, pictures.
        side: int, pixels.

    Returns:
        Function without arguments that returns ab, [batch, side, side, 2].
    """
    return beside_authors.tfcolor_inference(
        _tfcolor_network(network), batch, side
    )


def _tfcolor_network(name):
    from tfcolor.models.eccv16 import eccv16
    from tfcolor.models.siggraph import siggraph

    return eccv16() if name == "eccv16" else siggraph(mask_center=0.0)


def _sides(name):
    """Builds both networks; returns functions of a batch by side."""
    from benchmarks import pytorch_runs
    from tfcolor.weights import pytorch

    network = pytorch_network(options.REPOSITORY.value, name)
    model = _tfcolor_network(name)
    pytorch.load_state(model, pytorch_runs.states({name: network})[name])
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
        "benchmarks.zhang_inference", "network", _NETWORKS.value, _sides
    )


if __name__ == "__main__":
    flags.mark_flag_as_required("repository")
    app.run(main)
