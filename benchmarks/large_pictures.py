"""Times and weighs `tfcolor colorize` on large pictures.

    python -m benchmarks.large_pictures

A sample picture (or the first of --images), enlarged to --megapixels, is
colorized by the command, a process of its own that reads and writes JPEG.
`s a megapixel` is what a picture takes beside a small one of 0.1 megapixels:
equal numbers mean that time is linear in pixels.
"""

import functools
import math
import statistics
import tempfile

from absl import app

from benchmarks import colorizing
from benchmarks import measuring
from benchmarks import options
from benchmarks import picture_folder

options.declare("images", "megapixels", "model", "repeats")

_SIZES = ("6", "12", "24", "48")
_SMALL = 0.1


def _enlarge(path: str, folder: str, megapixels: float) -> str:
    """Writes a picture of about so many megapixels, all of one shape."""
    from PIL import Image

    target = f"{folder}/{megapixels}.jpg"
    with Image.open(path) as picture:
        width, height = picture.size
    ratio = max(width, height) / min(width, height)
    long_side = math.sqrt(megapixels * 1e6 * ratio)
    picture_folder.resize(path, target, round(long_side))
    return target


def main(argv):
    """Runs the benchmark."""
    del argv
    wanted = [float(value) for value in options.MEGAPIXELS.value or _SIZES]
    with tempfile.TemporaryDirectory() as folder:
        (path,) = picture_folder.write(f"{folder}/pictures", 1)
        run = colorizing.sides(None)[colorizing.TFCOLOR]
        measuring.print_machine()
        done = measuring.in_turns(
            {
                size: functools.partial(run, _enlarge(path, folder, size))
                for size in (_SMALL, *wanted)
            },
            repeats=options.REPEATS.value,
            warmup=0,
        )
    seconds = {
        size: statistics.median(r.seconds for r in runs)
        for size, runs in done.items()
    }
    rows = []
    for size, runs in done.items():
        more = None
        if size > _SMALL:
            more = (seconds[size] - seconds[_SMALL]) / (size - _SMALL)
        peak = statistics.median(r.peak for r in runs)
        rows.append([size, seconds[size], more, measuring.megabytes(peak)])
    measuring.print_table(
        ["megapixels", "s", "s a megapixel", "peak memory"], rows
    )


if __name__ == "__main__":
    app.run(main)
