"""Makes docs/images/film.jpg: frames of a film and of its colorized copy.

python -m docs.make_film_strip

The film is the first one of benchmarks/film_flicker.py, of sample pictures.
"""

import pathlib
import tempfile

import cv2
import numpy as np

from benchmarks import film_flicker
from tfcolor import Colorizer
from tfcolor import colorize_album
from tfcolor.data import sample_pictures
from tfcolor.inference import colorizer as colorizer_lib
from tfcolor.inference.film import video

PAGE = pathlib.Path(__file__).parent / "images" / "film.jpg"
# Before and after both cuts, and in the dissolve.
_SHOWN = (4, 19, 20, 39, 40, 49, 54, 59)
_HEIGHT, _QUALITY = 120, 85


def main() -> None:
    """Makes the film, colorizes it and draws the strip."""
    paths = sample_pictures.paths()[:4]
    frames = [rgb for rgb, _ in film_flicker.made_film(paths, 0, 60)]
    height, width = frames[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/film.mkv", f"{folder}/colored.mp4"
        film_flicker.write_film(source, frames, width, height)
        for outcome in colorize_album(
            [source], target, make_colorizer=Colorizer
        ):
            if outcome.reason:
                raise SystemExit(outcome.reason)
        colored = [frame.rgb() for frame in video.Video(target).frames()]
    rows = [
        [colorizer_lib.grey(frames[i]) for i in _SHOWN],
        [colored[i] for i in _SHOWN],
        [frames[i] for i in _SHOWN],
    ]
    size = (round(_HEIGHT * width / height), _HEIGHT)
    strip = np.vstack(
        [
            np.hstack([cv2.resize(f, size, interpolation=3) for f in row])
            for row in rows
        ]
    )
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    cv2.imwrite(str(PAGE), strip[..., ::-1], options)


if __name__ == "__main__":
    main()
