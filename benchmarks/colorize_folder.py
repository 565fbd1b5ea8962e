"""Times colorizing a folder of pictures, from start to exit of the command.

    python -m benchmarks.colorize_folder
    python -m benchmarks.colorize_folder --long_side=2048 --picture_count=20

`tfcolor colorize FOLDER` with the shipped model (or --model), beside a program
that does it the way of InstColorization, with a network of --width that sees
--image_size pixels: see pytorch_colorize.py. Each is a process of its own, and
they take turns. Pictures are the samples, again and again, or those of
--images; --long_side resizes them first.

In every turn each side colorizes one picture, too: `after start` is the time
of the others, all pictures' without that of one. `over PyTorch` compares
times, and in the last column memory.
"""

import os
import statistics
import tempfile

from absl import app

from benchmarks import colorizing
from benchmarks import measuring
from benchmarks import options
from benchmarks import picture_folder

options.declare("images", "picture_count", "long_side", "repeats")
options.declare("model", "width", "image_size")

_PICTURES = 100


def _turn(run, folder, one):
    """Returns a side's runs of one picture and of all."""

    def turn():
        return run(one), run(folder)

    return turn


def _rows(turns, count):
    """Returns a row for each side.

    Args:
        turns: dict of a side's name to its (run of one, run of all).
        count: int, of the pictures.
    """
    whole = {
        name: [everything.seconds for _, everything in pairs]
        for name, pairs in turns.items()
    }
    after = {
        name: [everything.seconds - one.seconds for one, everything in pairs]
        for name, pairs in turns.items()
    }
    peaks = {
        name: statistics.median(everything.peak for _, everything in pairs)
        for name, pairs in turns.items()
    }
    other = colorizing.PYTORCH
    for name in turns:
        seconds = statistics.median(whole[name])
        compared = name != other and other in turns
        yield [
            *(name, seconds, count / seconds),
            measuring.ratio_over(whole, name, other),
            (count - 1) / statistics.median(after[name]),
            measuring.ratio_over(after, name, other),
            measuring.megabytes(peaks[name]),
            peaks[name] / peaks[other] if compared else None,
        ]


def main(argv):
    """Runs the benchmark."""
    del argv
    count = options.PICTURE_COUNT.value or _PICTURES
    with tempfile.TemporaryDirectory() as folder:
        pictures = os.path.join(folder, "pictures")
        paths = picture_folder.write(pictures, count)
        sides = colorizing.sides(colorizing.pytorch_weights(folder))
        measuring.print_machine()
        # One picture is enough to have all files of the programs in memory.
        for run in sides.values():
            run(paths[0])
        turns = measuring.in_turns(
            {
                name: _turn(run, pictures, paths[0])
                for name, run in sides.items()
            },
            repeats=options.REPEATS.value,
            warmup=0,
        )
    measuring.print_table(
        [f"{count} pictures", "s", "pictures/s", "over PyTorch"]
        + ["after start, pictures/s", "over PyTorch"]
        + ["peak memory", "over PyTorch"],
        list(_rows(turns, count)),
    )


if __name__ == "__main__":
    app.run(main)
