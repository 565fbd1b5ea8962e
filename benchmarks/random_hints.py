"""Measures what true hints at random places add.

    python -m benchmarks.random_hints --images=photos [--model=siggraph_small]

Each picture is colored from its lightness alone and with true colors at random
places, always the same: means of the squares around them that a hint colors.
PSNR over grey at the picture's own size, and over no hints, paired; means over
pictures with 95 % bootstrap intervals.
"""

import cv2
import numpy as np
import tqdm
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from tfcolor import HintPoint
from tfcolor.data import files
from tfcolor.pictures import decode

options.declare("images", "model")

_COUNTS = flags.DEFINE_list(
    "counts", ["1", "3", "10", "30"], "Numbers of hints to try."
)
_SEED = 0


def true_hints(rgb: np.ndarray, count: int, rng: np.random.Generator) -> list:
    """Returns hints of a picture's own colors.

    Args:
        rgb: uint8 array [H, W, 3].
        count: int.
        rng: where their places come from.

    Returns:
        list of `count` HintPoint, each with its radius.
    """
    height, width = rgb.shape[:2]
    radius = max(2, min(height, width) // 50)
    smooth = cv2.blur(rgb, (2 * radius + 1, 2 * radius + 1))
    hints = []
    for _ in range(count):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        color = f"#{smooth[y, x].tobytes().hex()}"
        hints.append(HintPoint(x, y, color, radius))
    return hints


def gains(rgb: np.ndarray, colorizer, counts: list[int], rng) -> list[float]:
    """Colors a picture with more and more hints.

    Args:
        rgb: uint8 array [H, W, 3], the true picture.
        colorizer: Colorizer.
        counts: list of int, numbers of hints.
        rng: numpy.random.Generator.

    Returns:
        PSNR over grey in dB for each number.
    """
    from tfcolor.inference import colorizer as colorizer_lib

    grey = colorizer_lib.grey(rgb)
    base = cv2.PSNR(rgb, grey)
    # The same places, and more of them.
    hints = true_hints(rgb, max(counts), rng)
    return [
        cv2.PSNR(rgb, colorizer.colorize(grey, hints=hints[:count] or None))
        - base
        for count in counts
    ]


def main(argv):
    """Runs the benchmark."""
    del argv
    if not data_flags.IMAGES.value:
        raise app.UsageError("Pictures are needed: --images=FOLDER.")
    from tfcolor import Colorizer
    from tfcolor.evaluation import results

    counts = [0, *sorted(int(count) for count in _COUNTS.value)]
    colorizer = Colorizer(options.MODEL.value)
    rng = np.random.default_rng(_SEED)
    rows = []
    paths = files.list_pictures(*data_flags.IMAGES.value.split(","))
    for path in tqdm.tqdm(paths, unit="picture"):
        with open(path, "rb") as file:
            rgb = decode.decode_rgb(file.read())
        rows.append(gains(rgb, colorizer, counts, rng))
    found = np.array(rows)
    print(f"{len(found)} pictures:\n")
    measuring.print_table(
        ["hints", "PSNR over grey, dB", "over no hints, dB"],
        [
            [
                count,
                results.format_estimate(results.mean(column), 2, sign=True),
                results.format_estimate(
                    results.mean(column - found[:, 0]), 2, sign=True
                ),
            ]
            for count, column in zip(counts, found.T, strict=True)
        ],
    )


if __name__ == "__main__":
    app.run(main)
