"""Colorizing the pictures that ship with tfcolor, beside what they were.

What `tfcolor demo` does, for programs.
"""

import os
from collections.abc import Callable

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.data import sample_pictures
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.inference import colorizer as colorizer_lib
from tfcolor.inference import contact_sheet
from tfcolor.pictures import decode
from tfcolor.pictures import encode

_LABELS = ("grey", "colorized", "true")


def colorize_samples(output: str, *, make_colorizer: Callable) -> Outcomes:
    """Colorizes the sample pictures into a folder, from lightness alone.

    Pictures are colorized while the result is iterated; at the end a contact
    sheet shows each of them grey, colorized and as it was.

    Args:
        output: str, a folder; it is made.
        make_colorizer: function without arguments to a `Colorizer`.

    Returns:
        Outcomes, one for each picture, whose result is the path of the sheet.

    Raises:
        OSError: the model cannot be read, or the folder not be made. While
            this is iterated: a file cannot be written.
        ValueError: the model is not right.
    """
    colorizer = make_colorizer()
    files.make_output_folder(output)
    paths = sample_pictures.paths()

    def running():
        rows = []
        for path in paths:
            with open(path, "rb") as file:
                true = decode.decode_rgb(file.read())
            grey = colorizer_lib.grey(true)
            rows.append((grey, colorizer.colorize(grey), true))
            stem = os.path.splitext(os.path.basename(path))[0]
            yield Outcome(path, (_write(output, stem, rows[-1][1]),))
        sheet = contact_sheet.contact_sheet(rows, _LABELS)
        return _write(output, "contact_sheet", sheet)

    return Outcomes(running(), len(paths))


def _write(folder: str, stem: str, rgb) -> str:
    path = os.path.join(folder, f"{stem}.png")
    atomic.write_bytes(path, encode.encode_picture(rgb, ".png"))
    return path
