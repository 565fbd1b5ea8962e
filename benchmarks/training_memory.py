"""Weighs a training step of the full-picture network by batch and size.

    python -m benchmarks.training_memory
    python -m benchmarks.training_memory --width=0.25

The peak memory of a process that does three steps, one for each batch, size
and side. What would need more than the machine has free is left out, judged by
the smaller ones: memory beside the network itself grows with the pixels.
"""

import itertools

from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import model as model_flags

_BATCHES = flags.DEFINE_list("batches", ["4", "16", "32"], "Batch sizes.")
_SIZES = flags.DEFINE_list(
    "picture_sizes", ["64", "128", "256"], "Sides of the pictures, pixels."
)
options.declare("width")

_PYTORCH, _TFCOLOR = "PyTorch", "tfcolor"
_LOADERS = {
    _TFCOLOR: ("benchmarks.tfcolor_runs", "load_full_step"),
    _PYTORCH: ("benchmarks.pytorch_memory", "full_step"),
}
# Of what is free; the rest is for everybody else.
_USABLE = 0.8


def _free_memory() -> float:
    """Returns how many bytes the machine has free; no limit where unknown."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            values = dict(line.split(":", 1) for line in file)
    except FileNotFoundError:
        return float("inf")
    return int(values["MemAvailable"].split()[0]) * 1024


def _expected(measured: dict, pixels: int) -> float:
    """Expects the peak of a step from the largest one measured so far.

    Args:
        measured: dict of pixels in a batch to Memory.
        pixels: int.

    Returns:
        float, bytes; 0 where nothing was measured.
    """
    if not measured:
        return 0.0
    largest = max(measured)
    loaded, peak = measured[largest]
    return loaded + (peak - loaded) * max(1, pixels / largest)


def _weigh(sides, work) -> dict:
    """Measures each side.

    Args:
        sides: names.
        work: list of (batch, side of the pictures).

    Returns:
        dict of (batch, side of the pictures) to a dict of names to Memory.
    """
    width = model_flags.options()["width"]
    found = {entry: {} for entry in work}
    for name in sides:
        measured = {}
        for batch, size in sorted(work, key=lambda entry: _pixels(*entry)):
            pixels = _pixels(batch, size)
            if _expected(measured, pixels) > _USABLE * _free_memory():
                break
            measured[pixels] = measuring.memory_of(
                *_LOADERS[name], batch=batch, image_size=size, width=width
            )
            found[batch, size][name] = measured[pixels]
    return found


def _pixels(batch, size):
    return batch * size**2


def main(argv):
    """Runs the benchmark."""
    del argv
    batches, sizes = (
        [int(value) for value in values]
        for values in (_BATCHES.value, _SIZES.value)
    )
    sides = [_TFCOLOR]
    if measuring.has_torch():
        sides.append(_PYTORCH)
    measuring.print_machine()
    found = _weigh(sides, [*itertools.product(batches, sizes)])
    measuring.print_table(
        ["pictures", "size", "side", "peak memory", "over PyTorch", "loaded"],
        [
            [
                *(batch, size, name),
                *measuring.memory_cells(memory, name, _PYTORCH),
            ]
            for (batch, size), memory in found.items()
            for name in sides
        ],
    )


if __name__ == "__main__":
    app.run(main)
