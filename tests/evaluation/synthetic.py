"""Small true pictures and comparisons for the tests of the evaluation."""

import dataclasses

import numpy as np
from PIL import Image

from tfcolor.evaluation import hue_shares
from tfcolor.evaluation import measure
from tfcolor.evaluation.compare import TRUE
from tfcolor.evaluation.compare import Comparison
from tfcolor.evaluation.compare import long_table
from tfcolor.evaluation.methods import TruePicture


def picture(seed, height=24, width=32):
    """A smooth color picture: uint8 array [height, width, 3]."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height))
    return np.asarray(smooth)


def save(path, rgb):
    """Writes a picture, without loss if the format can."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)


def _counts(base, tenths):
    """Hits and pixels of every share."""
    pixels = 10 * (base + 1)
    found = {}
    for share in hue_shares.SHARES:
        found[f"{share.key}_hits"] = pixels * tenths / 10
        found[f"{share.key}_pixels"] = pixels
    return found | dict.fromkeys(("blue_hits", "blue_pixels"), 0 * base)


def comparison(
    count=12, methods=("model",), fid=None, failures=(), efficientnet=None
):
    """A comparison of made-up numbers that are easy to check by hand.

    Picture i has a PSNR of 20 + i under grey; the methods gain 1, 2, ... dB,
    and the mean ab half a dB. It has 10 (i + 1) pixels that count, of which a
    method gets 1, 2, ... tenths right; no pixel counts as blue.
    """
    names = ["grey", "mean ab", *methods]
    gains = dict(zip(names, [0, 0.5, *range(1, len(methods) + 1)], strict=True))
    base = np.arange(float(count))
    values = {
        name: {
            "psnr": 20 + base + gain,
            "ssim": np.full(count, 0.9),
            "ciede2000": base,
            "ab_rmse": base,
            "L_difference": np.full(count, 0.1),
            "colorfulness_signed": base + 10 * gain,
            "colorfulness_absolute": base * gain,
            **_counts(base, gain),
        }
        for name, gain in gains.items()
    }
    truth = {
        "colorfulness_signed": base + 20,
        "colorfulness_absolute": base * 2,
        **_counts(base, 10),
        "brown_hits": _counts(base, 4)["brown_hits"],
    }
    return Comparison(
        pictures=[
            TruePicture(i, f"/truth/p{i}.jpg", f"p{i}.jpg")
            for i in range(count)
        ],
        sizes=[(32, 24)] * count,
        geometry="original size",
        metrics=measure.METRICS,
        table=long_table(
            [
                (i, name, key, column[i])
                for name, found in {TRUE: truth, **values}.items()
                for i in range(count)
                for key, column in found.items()
            ]
        ),
        fid=fid or {},
        efficientnet=efficientnet or {},
        failures=list(failures),
    )


def without_counts(made):
    """The same comparison where no pixels were counted."""
    counted = made.table["metric"].str.endswith(("_hits", "_pixels"))
    return dataclasses.replace(made, table=made.table[~counted])
