"""Measures what following edges gains when ab comes to a picture's size.

    python -m benchmarks.upsampling --images=photos [--megapixels=1,4,12,24]

The two upsamplings of `array_finish.finish` beside each other, on each picture
at each size that is not larger than it, with two sources of small ab: the true
one, averaged over the cells of the network's square, which leaves no other
error than upsampling, and the model's. Measured are

- PSNR of RGB over the true picture;
- the RMSE of ab near strong edges of lightness, and elsewhere: where L changes
  by 20 within half a cell, and a cell around that. A cell is a pixel of the
  network's square, so it is the same part of a picture at every size;
- seconds of the last step, once, after one that does not count.

Differences are guided minus bilinear, paired, mean over pictures with 95 %
bootstrap intervals. A picture without a strong edge counts away from edges.
"""

import collections
import math
import time

import cv2
import numpy as np
import tqdm
from absl import app

from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from tfcolor import Colorizer
from tfcolor.color import array_lab
from tfcolor.data import files
from tfcolor.inference import array_finish
from tfcolor.inference import defaults
from tfcolor.pictures import decode

options.declare("images", "model", "megapixels")

_SIZES = ("1", "4", "12", "24")
_TRUE, _MODEL = "true", "model"
_PSNR, _NEAR, _AWAY = "PSNR, dB", "ab RMSE at edges", "ab RMSE elsewhere"
_SECONDS = "s"
# Decimals, and whether more is better.
_MEASURES = {
    _PSNR: (2, True),
    _NEAR: (3, False),
    _AWAY: (3, False),
    _SECONDS: (2, False),
}
# Pixels of the copy on which edges are found, along a side of a cell.
_CELL = 4
# A strong edge: so much L between pixels of the copy that are two apart.
_EDGE_STEP = 20.0
# Pixels of float32 planes that are held beside whole pictures.
_STRIP_PIXELS = 2**20
_BILINEAR, _GUIDED = defaults.UPSAMPLINGS


def edge_band(rgb: np.ndarray, cells: int) -> np.ndarray:
    """Finds strong edges of lightness and what is near them.

    Args:
        rgb: uint8 array [H, W, 3].
        cells: int, side of the network's square.

    Returns:
        bool array [4 cells, 4 cells] of the picture squashed to a square:
        whether a strong edge is at most a cell away along both axes.
    """
    L = array_finish.small_L(rgb, _CELL * cells, _CELL * cells)
    # Sobel's weights of one side sum to 4.
    steps = [
        cv2.Sobel(L, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 4)
        for dx in (0, 1)
    ]
    edges = np.hypot(*steps) >= _EDGE_STEP
    # A cell on each side.
    around = np.ones((2 * _CELL + 1,) * 2, np.uint8)
    return cv2.dilate(edges.astype(np.uint8), around).astype(bool)


def true_ab(rgb: np.ndarray) -> np.ndarray:
    """Returns the color of every pixel.

    Args:
        rgb: uint8 array [H, W, 3].

    Returns:
        float32 array [H, W, 2], CIELAB.
    """
    ab = np.empty((*rgb.shape[:2], 2), np.float32)
    for rows in _strips(rgb):
        ab[rows] = array_lab.rgb_to_lab(rgb[rows])[..., 1:]
    return ab


def measure(
    rgb: np.ndarray,
    ab: np.ndarray,
    band: np.ndarray,
    small_ab: np.ndarray,
    upsampling: str,
) -> dict[str, float]:
    """Colors a picture's lightness and compares the result with the picture.

    Args:
        rgb: uint8 array [H, W, 3], the true picture.
        ab: float32 array [H, W, 2], of `true_ab`.
        band: bool array, of `edge_band`.
        small_ab: float32 array [h, w, 2], CIELAB.
        upsampling: str, one of `defaults.UPSAMPLINGS`.

    Returns:
        dict from what is measured to its value; NaN where no pixel counts.
    """
    start = time.perf_counter()
    result = array_finish.finish(rgb, small_ab, upsampling=upsampling)
    seconds = time.perf_counter() - start
    sums, counts = np.zeros(2), np.zeros(2)
    columns = _places(rgb.shape[1], band.shape[1])
    lines = _places(rgb.shape[0], band.shape[0])
    for rows in _strips(rgb):
        error = array_lab.rgb_to_lab(result[rows])[..., 1:] - ab[rows]
        square = np.square(error).mean(-1)
        near = band[lines[rows]][:, columns]
        for i, mask in enumerate((near, ~near)):
            sums[i] += square[mask].sum(dtype=np.float64)
            counts[i] += mask.sum()
    near, away = np.sqrt(sums / np.where(counts > 0, counts, np.nan))
    return {
        _PSNR: cv2.PSNR(rgb, result),
        _NEAR: float(near),
        _AWAY: float(away),
        _SECONDS: seconds,
    }


def resized(rgb: np.ndarray, megapixels: float) -> np.ndarray | None:
    """Makes a picture smaller.

    Args:
        rgb: uint8 array [H, W, 3].
        megapixels: float.

    Returns:
        uint8 array of about so many pixels; None if the picture has fewer.
    """
    height, width = rgb.shape[:2]
    factor = math.sqrt(megapixels * 1e6 / (height * width))
    if factor > 1:
        return None
    size = max(1, round(factor * width)), max(1, round(factor * height))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def _strips(rgb) -> list[slice]:
    """Returns rows of a picture, all of them in turns."""
    height, width = rgb.shape[:2]
    rows = max(1, _STRIP_PIXELS // width)
    return [slice(top, top + rows) for top in range(0, height, rows)]


def _places(length, small) -> np.ndarray:
    """Returns the pixel of a shorter side in which each pixel lies."""
    return np.arange(length) * small // length


def _measure_all(rgb, colorizer):
    """Returns, by source and measure, both values; the share near edges."""
    cells = colorizer.image_size
    ab, band = true_ab(rgb), edge_band(rgb, cells)
    small = {
        _TRUE: cv2.resize(ab, (cells, cells), interpolation=cv2.INTER_AREA),
        _MODEL: colorizer.network_ab([rgb])[0],
    }
    found = {}
    for source, small_ab in small.items():
        sides = [
            measure(rgb, ab, band, small_ab, upsampling)
            for upsampling in (_BILINEAR, _GUIDED)
        ]
        for name in _MEASURES:
            found[source, name] = tuple(side[name] for side in sides)
    return found, float(band.mean())


def _rows(found: list[dict]):
    """Yields the rows of a size's table."""
    # It takes TensorFlow along, which the pictures need not wait for.
    from tfcolor.evaluation import results

    for source, name in found[0]:
        digits, more_is_better = _MEASURES[name]
        values = np.array([picture[source, name] for picture in found])
        values = values[np.isfinite(values).all(axis=1)]
        if not len(values):
            yield [source, name, *[None] * 3, "0 of 0"]
            continue
        gain = values[:, 1] - values[:, 0]
        better = (gain > 0 if more_is_better else gain < 0).sum()
        yield [
            *(source, name),
            *(f"{mean:.{digits}f}" for mean in values.mean(axis=0)),
            results.format_estimate(results.mean(gain), digits, sign=True),
            f"{better} of {len(gain)}",
        ]


def main(argv):
    """Runs the benchmark."""
    del argv
    if not data_flags.IMAGES.value:
        raise app.UsageError("Pictures are needed: --images=FOLDER.")
    sizes = [float(size) for size in options.MEGAPIXELS.value or _SIZES]
    colorizer = Colorizer(options.MODEL.value, runtime=defaults.AUTO)
    # Tables of colors are made at the first picture.
    _measure_all(np.zeros((8, 8, 3), np.uint8), colorizer)
    found, shares = collections.defaultdict(list), collections.defaultdict(list)
    paths = files.list_pictures(*data_flags.IMAGES.value.split(","))
    for path in tqdm.tqdm(paths, unit="picture"):
        with open(path, "rb") as file:
            picture = decode.decode_rgb(file.read())
        for size in sizes:
            rgb = resized(picture, size)
            if rgb is not None:
                values, share = _measure_all(rgb, colorizer)
                found[size].append(values)
                shares[size].append(share)
    measuring.print_machine()
    for size in sizes:
        if not found[size]:
            print(f"{size:g} megapixels: no picture is as large.\n")
            continue
        print(
            f"{size:g} megapixels, {len(found[size])} pictures, "
            f"{np.mean(shares[size]):.0%} of the pixels near edges:\n"
        )
        measuring.print_table(
            ["small ab", "measured", _BILINEAR, _GUIDED]
            + ["difference", "guided is better"],
            list(_rows(found[size])),
        )


if __name__ == "__main__":
    app.run(main)
