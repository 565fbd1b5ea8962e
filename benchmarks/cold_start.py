"""Times the command from start to exit where it has next to nothing to do.

    python -m benchmarks.cold_start

`tfcolor --help`; `tfcolor colorize PICTURE` with the shipped model (or
--model), a sample picture or the first of --images, by itself and with
--runtime=tensorflow; a program that only imports TensorFlow and Keras; and the
program of pytorch_colorize.py with the same picture, --width and --image_size.
All are fresh processes that take turns, after a turn that brings their files
into memory.

The second table says where the time goes: the median of each step, in
processes that do one after the other (start_steps.py).
"""

import functools
import json
import statistics
import tempfile

from absl import app

from benchmarks import colorizing
from benchmarks import commands
from benchmarks import measuring
from benchmarks import options
from benchmarks import picture_folder
from flags import data as data_flags
from flags import model as model_flags

options.declare("images", "long_side", "repeats")
options.declare("model", "width", "image_size")

_HELP, _COLORIZE = "tfcolor --help", "tfcolor colorize"
_TENSORFLOW = "tfcolor colorize --runtime=tensorflow"
_IMPORT = "import tensorflow, keras"
_LITERT = "tfcolor, LiteRT"
_REST = "start of Python, and its end"


def _steps(side, *arguments):
    """Returns a function that does a side's steps, to their seconds."""

    def run():
        done = commands.run(["-m", "benchmarks.start_steps", side, *arguments])
        steps = json.loads(done.output.splitlines()[-1])
        return steps | {_REST: done.seconds - sum(steps.values())}

    return run


def _functions(picture, weights):
    """Returns what runs in turns: commands, and the sides' steps."""
    sides = colorizing.sides(weights)
    by_tensorflow = colorizing.checked(
        functools.partial(colorizing.tfcolor, runtime="tensorflow")
    )
    runs = {
        _HELP: lambda: commands.run(["-m", "tfcolor", "--help"]),
        _COLORIZE: lambda: sides[colorizing.TFCOLOR](picture),
        _TENSORFLOW: lambda: by_tensorflow(picture),
        _IMPORT: lambda: commands.run(["-c", _IMPORT]),
    }
    model = [options.MODEL.value] if options.MODEL.value else []
    steps = {colorizing.TFCOLOR: _steps("tfcolor", picture, *model)}
    if not model:
        steps[_LITERT] = _steps("litert", picture)
    if weights:
        runs[colorizing.PYTORCH] = lambda: sides[colorizing.PYTORCH](picture)
        width = model_flags.options()["width"]
        size = data_flags.config().image_size
        steps[colorizing.PYTORCH] = _steps(
            "pytorch", picture, weights, str(width), str(size)
        )
    return runs, steps


def _command_rows(runs):
    seconds = {name: [r.seconds for r in done] for name, done in runs.items()}
    for name, done in runs.items():
        yield [
            *(name, statistics.median(seconds[name]), min(seconds[name])),
            measuring.ratio_over(seconds, name, _IMPORT),
            measuring.ratio_over(seconds, name, colorizing.PYTORCH),
            measuring.megabytes(statistics.median(r.peak for r in done)),
        ]


def _step_rows(steps):
    for side, turns in steps.items():
        for name in turns[0]:
            yield side, name, statistics.median(turn[name] for turn in turns)


def main(argv):
    """Runs the benchmark."""
    del argv
    with tempfile.TemporaryDirectory() as folder:
        (picture,) = picture_folder.write(f"{folder}/pictures", 1)
        weights = colorizing.pytorch_weights(folder)
        runs, steps = _functions(picture, weights)
        measuring.print_machine()
        turns = {"repeats": options.REPEATS.value, "warmup": 1}
        done = measuring.in_turns(runs, **turns)
        measured = measuring.in_turns(steps, **turns)
    measuring.print_table(
        [
            *("command", "s", "quickest, s", "over the import"),
            *("over PyTorch", "peak memory"),
        ],
        list(_command_rows(done)),
    )
    measuring.print_table(["side", "step", "s"], list(_step_rows(measured)))


if __name__ == "__main__":
    app.run(main)
