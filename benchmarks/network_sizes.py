"""Measures quality by the time it takes: networks and the sizes they see.

    python -m benchmarks.network_sizes --images=photos
        [--colorizers=lite2_unet,siggraph_small] [--network_sizes=160,224,288]

Each model sees each picture at each size; colors are brought to the picture's
own size. PSNR over grey and the shares of `evaluation.hue_shares` are means
over all pictures, without JPEG. Seconds are those of one picture of `--side`
pixels from array to array, medians of turns in which all models and sizes
follow each other. Models run by TensorFlow, style "natural".
"""

import cv2
import numpy as np
import tqdm
from absl import app
from absl import flags

from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from tfcolor.data import files
from tfcolor.pictures import decode

options.declare("images", "repeats", "side")

_MODELS = flags.DEFINE_list(
    "colorizers",
    ["siggraph_small", "lite0_unet", "lite2_unet"],
    "Shipped names or .keras files.",
)
_SIZES = flags.DEFINE_list(
    "network_sizes",
    ["128", "160", "192", "224", "256", "288", "320"],
    "Sides of the squares that networks see, in pixels.",
)
_HUES = ("right", "green", "blue", "red", "brown")


def quality(colorizer, paths: list[str]) -> list[float]:
    """Colors pictures from their lightness and compares them.

    Args:
        colorizer: Colorizer.
        paths: list of str, color pictures.

    Returns:
        PSNR over grey in dB, then the share of each of `_HUES`.
    """
    from tfcolor.evaluation import hue_shares
    from tfcolor.inference import colorizer as colorizer_lib

    gains, counts = [], []
    for path in paths:
        with open(path, "rb") as file:
            rgb = decode.decode_rgb(file.read())
        grey = colorizer_lib.grey(rgb)
        colored = colorizer.colorize(grey)
        gains.append(cv2.PSNR(rgb, colored) - cv2.PSNR(rgb, grey))
        found = hue_shares.count(rgb, colored)
        counts.append([found[name] for name in _HUES])
    hits, pixels = np.moveaxis(np.array(counts, float), 0, -1).swapaxes(0, 1)
    return [float(np.mean(gains)), *hue_shares.pooled(hits, pixels)]


def main(argv):
    """Runs the benchmark."""
    del argv
    if not data_flags.IMAGES.value:
        raise app.UsageError("Pictures are needed: --images=FOLDER.")
    from tfcolor import Colorizer

    paths = files.list_pictures(*data_flags.IMAGES.value.split(","))
    colorizers = {
        f"{model}, {size}": Colorizer(
            model, image_size=int(size), runtime="tensorflow"
        )
        for model in _MODELS.value
        for size in _SIZES.value
    }
    side = options.SIDE.value
    picture = np.random.default_rng(0).integers(0, 256, [8, 8, 1], np.uint8)
    picture = np.repeat(cv2.resize(picture, (side, side))[..., None], 3, -1)
    seconds = measuring.seconds_in_turns(
        {
            name: lambda colorizer=colorizer: colorizer.colorize(picture)
            for name, colorizer in colorizers.items()
        },
        repeats=options.REPEATS.value,
    )
    rows = [
        [
            *name.split(", "),
            f"{np.median(seconds[name]):.3f}",
            *(f"{value:.3f}" for value in quality(colorizer, paths)),
        ]
        for name, colorizer in tqdm.tqdm(colorizers.items(), unit="network")
    ]
    print(f"{len(paths)} pictures; seconds at {side} x {side} pixels:\n")
    measuring.print_table(
        ["model", "network, px", "s", "PSNR over grey, dB", *_HUES], rows
    )


if __name__ == "__main__":
    app.run(main)
