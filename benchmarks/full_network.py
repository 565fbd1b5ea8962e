"""Times the full-picture network: inference and a training step.

    python -m benchmarks.full_network

Inference at --image_size, one picture; a training step at --training_size,
--training_batch pictures; tfcolor and PyTorch in turns, from the same
weights. Floating point operations are those of the convolutions, an addition
and a multiplication being two; a training step counts as three passes. The
machine's peak is the quickest product of two large float32 matrices by either
side, and `of peak` the share that the network reached.
"""

import functools
import statistics

from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from flags import model as model_flags

_SIZE = flags.DEFINE_integer(
    "training_size", 128, "Side of pictures of the training step, pixels."
)
_BATCH = flags.DEFINE_integer(
    "training_batch", 4, "Pictures of the training step.", lower_bound=1
)
options.declare("width", "image_size", "repeats", "original")

_PYTORCH, _TFCOLOR = "PyTorch", "tfcolor"
# Of the released script.
_RATE = 5e-4
# Forward, and backward with respect to inputs and to kernels.
_TRAINING_PASSES = 3


def _sides(width, pictures, batch):
    """Prepares inference and training step of each side.

    Args:
        width: float.
        pictures: inputs for inference.
        batch: inputs for training.

    Returns:
        Two dicts of a side's name to a function; the largest differences
        (ab, loss) between the sides; tfcolor's model.
    """
    from benchmarks import tfcolor_runs

    ab = tfcolor_runs.random_colors(batch)
    originals = None
    if measuring.has_torch():
        from benchmarks import pytorch_runs

        originals = pytorch_runs.build(
            width=width, original=options.ORIGINAL.value
        )
        states = {"full": pytorch_runs.states(originals)["full"]}
    model = tfcolor_runs.build(
        width=width, states=states if originals else None
    )["full"]
    run = tfcolor_runs.inference(model)
    runs = {_TFCOLOR: functools.partial(run, pictures)}
    step = tfcolor_runs.TrainingStep(model, batch, ab, rate=_RATE)
    steps = {_TFCOLOR: step}
    if originals is None:
        return runs, steps, [None, None], model
    # Inference before training, which changes the weights.
    network = originals["full"]
    runs[_PYTORCH] = pytorch_runs.full_inference(network, pictures)
    difference = abs(runs[_TFCOLOR]() - runs[_PYTORCH]()).max()
    steps[_PYTORCH] = pytorch_runs.full_step(network, batch, ab, rate=_RATE)
    losses = abs(steps[_TFCOLOR]() - steps[_PYTORCH]())
    return runs, steps, [float(difference), losses], model


def _peaks():
    """Returns the machine's floating point operations a second, by side."""
    from benchmarks import tfcolor_runs

    peaks = {_TFCOLOR: measuring.matmul_flops(tfcolor_runs.matmul)}
    if measuring.has_torch(say=False):
        from benchmarks import pytorch_runs

        peaks[_PYTORCH] = measuring.matmul_flops(pytorch_runs.matmul)
    return peaks


def _rows(what, sides, flops, peak):
    seconds = measuring.seconds_in_turns(sides, repeats=options.REPEATS.value)
    for name, times in seconds.items():
        median = statistics.median(times)
        speed = flops / median
        yield [
            *(what, name, median),
            measuring.ratio_over(seconds, name, _PYTORCH),
            *(flops / 1e9, speed / 1e9, f"{speed / peak:.0%}"),
        ]


def main(argv):
    """Runs the benchmark."""
    del argv
    from benchmarks import tfcolor_counting
    from benchmarks import tfcolor_runs

    pictures = tfcolor_runs.picture_inputs(1, data_flags.config().image_size)
    batch = tfcolor_runs.picture_inputs(_BATCH.value, _SIZE.value)
    width = model_flags.options()["width"]
    runs, steps, differences, model = _sides(width, pictures, batch)

    def flops(inputs):
        shapes = {name: tuple(x.shape) for name, x in inputs.items()}
        return tfcolor_counting.forward_flops(model, shapes)

    measuring.print_machine()
    peaks = _peaks()
    peak = max(peaks.values())
    measuring.print_table(
        ["matrix product by", "GFLOP/s"],
        [[name, value / 1e9] for name, value in peaks.items()],
    )
    rows = [*_rows("inference", runs, flops(pictures), peak)]
    passes = _TRAINING_PASSES * flops(batch)
    rows += _rows("training step", steps, passes, peak)
    measuring.print_table(
        ["what", "side", "s", "over PyTorch", "GFLOP", "GFLOP/s", "of peak"],
        rows,
    )
    measuring.print_table(
        ["largest difference of ab", "difference of the first loss"],
        [differences],
    )


if __name__ == "__main__":
    app.run(main)
