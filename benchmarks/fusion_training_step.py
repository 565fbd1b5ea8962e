"""Times a training step of the fusion stage, one picture with 8 boxes.

    python -m benchmarks.fusion_training_step

PyTorch does what the released scripts do: they run the full network and drop
its result, and compute gradients of all weights of the instance and of the
fusion network, though the optimizer moves few of them. tfcolor runs neither.
Both start from the same weights and must see the same losses.

`forward`, `to inputs` and `to kernels` count the convolutions of a step: those
of the networks, and their gradients by what they are taken of.
"""

import statistics

from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from flags import model as model_flags

_BOXES = flags.DEFINE_integer("box_count", 8, "Boxes.", lower_bound=1)
options.declare("width", "image_size", "repeats")
options.declare("original", "memory", "box_scale")

_PYTORCH, _TFCOLOR = "PyTorch", "tfcolor"
# Of the released script.
_RATE = 5e-5


class _Recorded:
    """A step that keeps the losses it returned."""

    def __init__(self, step):
        self._step = step
        self.losses = []

    def __call__(self):
        self.losses.append(self._step())


def _pytorch_counts(networks, step):
    """Counts what a step of PyTorch computes; it does one."""
    from benchmarks import pytorch_counting

    with pytorch_counting.ConvCounter() as counter:
        step()
    return [
        *(counter.forward, counter.to_inputs, counter.to_kernels),
        pytorch_counting.weights_with_gradient(networks),
        pytorch_counting.trained_weights(networks["fusion"]),
    ]


def _tfcolor_counts(networks, step):
    """Counts what a step of tfcolor computes; it does one."""
    from benchmarks import tfcolor_counting

    step()
    trained = sum(
        weight.shape.num_elements()
        for network in ("instance", "fusion")
        for weight in networks[network].trainable_variables
    )
    return [*tfcolor_counting.convs(step.graph), trained, trained]


def _sides(sizes, original):
    """Prepares steps from the same weights, and counts what they compute.

    Args:
        sizes: dict of "boxes", "image_size", "width", "box_scale".
        original: str or None.

    Returns:
        dict of a side's name to its step, and one to its counts.
    """
    from benchmarks import tfcolor_runs

    steps, counts, states = {}, {}, None
    if measuring.has_torch():
        from benchmarks import pytorch_runs

        originals = pytorch_runs.build(width=sizes["width"], original=original)
        states = pytorch_runs.states(originals)
    networks = tfcolor_runs.build(width=sizes["width"], states=states)
    inputs = tfcolor_runs.fusion_inputs(
        sizes["boxes"],
        image_size=sizes["image_size"],
        box_scale=sizes["box_scale"],
        crop_sizes=(sizes["image_size"],),
    )
    ab = tfcolor_runs.random_colors(inputs)
    step = tfcolor_runs.fusion_step(networks, inputs, ab, rate=_RATE)
    counts[_TFCOLOR] = _tfcolor_counts(networks, step)
    steps[_TFCOLOR] = _Recorded(step)
    if states:
        step = pytorch_runs.fusion_step(originals, inputs, ab, rate=_RATE)
        counts[_PYTORCH] = _pytorch_counts(originals, step)
        steps[_PYTORCH] = _Recorded(step)
    return steps, counts


def _memory(steps, sizes, original):
    memory = {
        _TFCOLOR: measuring.memory_of(
            "benchmarks.tfcolor_runs", "load_fusion_step", **sizes
        )
    }
    if _PYTORCH in steps:
        memory[_PYTORCH] = measuring.memory_of(
            "benchmarks.pytorch_memory",
            "fusion_step",
            original=original,
            **sizes,
        )
    return memory


def main(argv):
    """Runs the benchmark."""
    del argv
    original = options.ORIGINAL.value
    sizes = {
        "boxes": _BOXES.value,
        "image_size": data_flags.config().image_size,
        "width": model_flags.options()["width"],
        "box_scale": options.BOX_SCALE.value,
    }
    steps, counts = _sides(sizes, original)
    measuring.print_machine()
    seconds = measuring.seconds_in_turns(steps, repeats=options.REPEATS.value)
    memory = _memory(steps, sizes, original) if options.MEMORY.value else {}
    measuring.print_table(
        ["side", "s", "over PyTorch", "peak memory", "over PyTorch", "loaded"],
        [
            [
                *(name, statistics.median(seconds[name])),
                measuring.ratio_over(seconds, name, _PYTORCH),
                *measuring.memory_cells(memory, name, _PYTORCH),
            ]
            for name in steps
        ],
    )
    measuring.print_table(
        ["side", "forward", "to inputs", "to kernels"]
        + ["weights with a gradient", "weights trained", "first, last loss"],
        [[*(name, *counts[name]), _ends(steps[name].losses)] for name in steps],
    )


def _ends(losses):
    return f"{losses[0]:.6f}, {losses[-1]:.6f}"


if __name__ == "__main__":
    app.run(main)
