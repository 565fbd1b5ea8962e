"""Times one picture through `Colorizer`, and prints a Markdown row.

    python -m benchmarks.colorize_picture --side=512

The first call builds and traces the network and is not counted. The median of
the rest is given, with the share of it that is the network alone.
"""

import statistics
import time

from absl import app

from benchmarks import measuring
from benchmarks import options

options.declare("model", "side", "repeats")


def main(argv):
    """Runs the benchmark."""
    del argv
    import numpy as np

    import tfcolor

    started = time.perf_counter()
    colorizer = tfcolor.Colorizer(options.MODEL.value)
    side = options.SIDE.value
    rgb = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    colorizer.colorize(rgb)
    first = time.perf_counter() - started
    small = rgb[: colorizer.image_size, : colorizer.image_size]
    seconds = measuring.seconds_in_turns(
        {
            "whole": lambda: colorizer.colorize(rgb),
            "network": lambda: colorizer.predict_ab(small),
        },
        repeats=options.REPEATS.value,
    )
    whole, network = (statistics.median(times) for times in seconds.values())
    measuring.print_table(
        ["picture", "network size", "load and first picture, s"]
        + ["each, s", "network, s"],
        [[f"{side} x {side}", colorizer.image_size, first, whole, network]],
    )


if __name__ == "__main__":
    app.run(main)
