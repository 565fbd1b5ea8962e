"""Times one picture through `Colorizer`, and prints a Markdown row.

    python -m benchmarks.colorize_picture --side=512

The first call builds and traces the network and is not counted. The median of
the rest is given, with the share of it that is the network alone.
"""

import os
import statistics
import time

from absl import app
from absl import flags

_SIDE = flags.DEFINE_integer("side", 512, "Side of the picture, pixels.")
_REPEATS = flags.DEFINE_integer("repeats", 15, "Timed calls.")
_MODEL = flags.DEFINE_string("model", None, "Model; default: the shipped one.")


def _median_seconds(function, repeats):
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def main(argv):
    """Runs the benchmark."""
    del argv
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy as np

    import tfcolor

    started = time.perf_counter()
    colorizer = tfcolor.Colorizer(_MODEL.value)
    side = _SIDE.value
    rgb = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    colorizer.colorize(rgb)
    first = time.perf_counter() - started
    small = rgb[: colorizer.image_size, : colorizer.image_size]
    whole = _median_seconds(lambda: colorizer.colorize(rgb), _REPEATS.value)
    network = _median_seconds(
        lambda: colorizer.predict_ab(small), _REPEATS.value
    )
    print(
        "| picture | network size | load and first picture | each | network |"
    )
    print("|---|---|---|---|---|")
    print(
        f"| {side} x {side} | {colorizer.image_size} | {first:.1f} s "
        f"| {whole:.3f} s | {network:.3f} s |"
    )


if __name__ == "__main__":
    app.run(main)
