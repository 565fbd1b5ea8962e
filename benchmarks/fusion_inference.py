"""Times instance-aware colorization: a picture with 1, 8 and 32 boxes.

    python -m benchmarks.fusion_inference
    python -m benchmarks.fusion_inference --box_counts=8 --box_scale=0.5

One picture, from crops to ab: tfcolor with all boxes at once, with boxes in
turns of `--boxes_at_once` where there are more, with all at once and crops as
large as their boxes need, and PyTorch as the published code does it, with the
same weights. Times are taken in turns in one process, peak memory of each
side in a process of its own; `loaded` is what of it was there before the
first picture. The published test program also keeps what gradients would
need: a row without a time says how much memory that takes.

The second table compares results: the largest difference of ab (CIELAB)
between tfcolor and PyTorch, and between boxes in turns and all at once, and
the PSNR of the picture that adaptive crops give against crops of one size.
Weights are random, which is hard on PSNR; `adaptive_crops` measures it with
trained ones.
"""

import functools
import statistics

from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from flags import model as model_flags
from tfcolor.inference import defaults

_BOX_COUNTS = flags.DEFINE_list("box_counts", ["1", "8", "32"], "Boxes.")
_BOXES_AT_ONCE = flags.DEFINE_integer(
    "boxes_at_once",
    defaults.BOXES_AT_ONCE,
    "Boxes of a turn.",
    lower_bound=1,
)
options.declare("width", "image_size", "repeats")
options.declare("original", "memory", "box_scale")

_PYTORCH, _FIXED = "PyTorch", "tfcolor"
_TURNS = "tfcolor, boxes in turns"
_ADAPTIVE = "tfcolor, adaptive crops"
_RELEASED = "PyTorch, gradients kept"


def _psnr(inputs, ab, other):
    """Returns the PSNR, dB, between two colorizations of one picture."""
    import tensorflow as tf

    from tfcolor.color import lab
    from tfcolor.metrics import psnr

    first, second = (
        lab.lab_to_rgb(tf.concat([inputs["L"], x], axis=-1))
        for x in (ab, other)
    )
    return float(psnr(first, second)[0])


def _sides(networks, boxes):
    """Prepares each side.

    Args:
        networks: PyTorch's, or None, and tfcolor's, traced for all boxes at
            once, for boxes in turns and for crops of several sizes.
        boxes: int.

    Returns:
        dict of a side's name to a function; the inputs.
    """
    from benchmarks import tfcolor_runs
    from tfcolor.inference import adaptive_crops

    size = data_flags.config().image_size
    inputs_of = functools.partial(
        tfcolor_runs.fusion_inputs,
        boxes,
        image_size=size,
        box_scale=options.BOX_SCALE.value,
    )
    originals, fixed, turns, adaptive = networks
    inputs = inputs_of(crop_sizes=(size,))
    sides = {
        _FIXED: functools.partial(fixed, inputs),
        _TURNS: functools.partial(turns, inputs),
        _ADAPTIVE: functools.partial(
            adaptive, inputs_of(crop_sizes=adaptive_crops.crop_sizes(size))
        ),
    }
    if originals:
        from benchmarks import pytorch_runs

        sides[_PYTORCH] = pytorch_runs.fusion_inference(originals, inputs)
    return sides, inputs


def _memory(sides, boxes):
    """Measures each side, and PyTorch as released, by itself."""
    size = {
        "boxes": boxes,
        "image_size": data_flags.config().image_size,
        "width": model_flags.options()["width"],
        "box_scale": options.BOX_SCALE.value,
    }
    ours = ("benchmarks.tfcolor_runs", "load_fusion_inference")
    memory = {
        _FIXED: measuring.memory_of(*ours, adaptive=False, **size),
        _TURNS: measuring.memory_of(
            *ours,
            adaptive=False,
            boxes_at_once=_BOXES_AT_ONCE.value,
            **size,
        ),
        _ADAPTIVE: measuring.memory_of(*ours, adaptive=True, **size),
    }
    if _PYTORCH in sides:
        size["original"] = options.ORIGINAL.value
        theirs = ("benchmarks.pytorch_memory", "fusion_inference")
        memory[_PYTORCH] = measuring.memory_of(*theirs, gradients=False, **size)
        memory[_RELEASED] = measuring.memory_of(*theirs, gradients=True, **size)
    return memory


def _measure(networks, boxes):
    """Returns rows of times and memory, and a row of results."""
    sides, inputs = _sides(networks, boxes)
    results = {name: run() for name, run in sides.items()}
    seconds = measuring.seconds_in_turns(sides, repeats=options.REPEATS.value)
    memory = _memory(sides, boxes) if options.MEMORY.value else {}
    rows = [
        [
            *(boxes, name),
            statistics.median(seconds[name]) if name in seconds else None,
            measuring.ratio_over(seconds, name, _PYTORCH),
            *measuring.memory_cells(memory, name, _PYTORCH),
        ]
        for name in (*sides, *(memory.keys() - sides.keys()))
    ]
    differences = [
        float(abs(results[_FIXED] - results[side]).max())
        if side in results
        else None
        for side in (_PYTORCH, _TURNS)
    ]
    psnr = _psnr(inputs, results[_FIXED], results[_ADAPTIVE])
    return rows, [boxes, *differences, psnr]


def _networks(width):
    """Builds PyTorch's networks, if it is there, and tfcolor's like them."""
    from benchmarks import tfcolor_runs
    from tfcolor.inference import adaptive_crops
    from tfcolor.models import fusion

    originals, states = None, None
    if measuring.has_torch():
        from benchmarks import pytorch_runs

        originals = pytorch_runs.build(
            width=width, original=options.ORIGINAL.value
        )
        states = pytorch_runs.states(originals)
    models = tfcolor_runs.build(width=width, states=states)
    fixed = fusion.instance_colorizer(**models)
    sizes = adaptive_crops.crop_sizes(data_flags.config().image_size)
    adaptive = adaptive_crops.with_groups(fixed, len(sizes))
    return (
        originals,
        tfcolor_runs.inference(fixed),
        tfcolor_runs.inference(fixed, boxes_at_once=_BOXES_AT_ONCE.value),
        tfcolor_runs.inference(adaptive),
    )


def main(argv):
    """Runs the benchmark."""
    del argv
    networks = _networks(model_flags.options()["width"])
    measuring.print_machine()
    rows, results = [], []
    for count in _BOX_COUNTS.value:
        measured, result = _measure(networks, int(count))
        rows += measured
        results.append(result)
    measuring.print_table(
        ["boxes", "side", "s", "over PyTorch"]
        + ["peak memory", "over PyTorch", "loaded"],
        rows,
    )
    measuring.print_table(
        ["boxes", "largest difference of ab", "in turns, from all at once"]
        + ["PSNR of adaptive crops, dB"],
        results,
    )


if __name__ == "__main__":
    app.run(main)
