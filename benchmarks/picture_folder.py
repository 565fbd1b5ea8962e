"""A folder of pictures to measure with: those of --images, or the samples."""

import itertools
import os
import shutil

from PIL import Image

from benchmarks import options
from flags import data as data_flags
from tfcolor.data import files
from tfcolor.data import sample_pictures

_JPEG_QUALITY = 90


def write(folder: str, count: int) -> list[str]:
    """Writes pictures, again and again the same ones if there are too few.

    Args:
        folder: str, of the pictures, which is made.
        count: int.

    Returns:
        list of `count` paths. With --long_side they are resized to it;
        without, they are copies of the pictures as they are.
    """
    os.makedirs(folder, exist_ok=True)
    spec = data_flags.IMAGES.value
    found = (
        files.list_pictures(*spec.split(","))
        if spec
        else [str(path) for path in sample_pictures.paths()]
    )
    written = []
    for i, path in zip(range(count), itertools.cycle(found), strict=False):
        name = f"{i:05}{os.path.splitext(path)[1]}"
        written.append(os.path.join(folder, name))
        if options.LONG_SIDE.value is None:
            # Links to one file would count once.
            shutil.copyfile(path, written[-1])
        else:
            resize(path, written[-1], options.LONG_SIDE.value)
    return written


def resize(path: str, target: str, long_side: int) -> None:
    """Writes a picture at another size.

    Args:
        path: str, of the picture.
        target: str, the file to write.
        long_side: int, its longer side, pixels.
    """
    with Image.open(path) as picture:
        factor = long_side / max(picture.size)
        size = [max(1, round(side * factor)) for side in picture.size]
        picture.resize(size, Image.Resampling.LANCZOS).save(
            target, quality=_JPEG_QUALITY
        )
