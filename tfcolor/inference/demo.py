"""Colorizing the pictures that ship with tfcolor, beside what they were.

What `tfcolor demo` does, for programs.
"""

import os
from collections.abc import Callable

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data import sample_pictures
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.inference import colorizer as colorizer_lib
from tfcolor.inference import contact_sheet
from tfcolor.pictures import decode
from tfcolor.pictures import encode

_LABELS = ("grey", "colorized", "true")


def colorize_samples(
    output: str, *, make_colorizer: Callable, overwrite: bool = False
) -> Outcomes:
    """Colorizes the sample pictures into a folder, from lightness alone.

    Pictures are colorized while the result is iterated; at the end a contact
    sheet shows each of them grey, colorized and as it was. Files that are
    there already are kept, whoever wrote them.

    Args:
        output: str, a folder; it is made.
        make_colorizer: function without arguments to a `Colorizer`; not called
            if nothing is to be done.
        overwrite: bool. Whether files that are there are replaced.

    Returns:
        Outcomes, one for each picture, whose result is the path of the sheet.

    Raises:
        OSError: the model cannot be read, or the folder not be made. While
            this is iterated: a file cannot be written.
        ValueError: the model is not right.
    """
    sheet = os.path.join(output, "contact_sheet.png")
    targets = {
        path: os.path.join(
            output, f"{os.path.splitext(os.path.basename(path))[0]}.png"
        )
        for path in sample_pictures.paths()
    }
    kept = {
        target
        for target in (sheet, *targets.values())
        if not overwrite and os.path.lexists(target)
    }
    is_done = len(kept) == 1 + len(targets)
    colorizer = None if is_done else make_colorizer()
    files.make_output_folder(output)

    def running():
        rows = []
        for path, target in targets.items():
            # A sheet shows all pictures, those that are kept too.
            if target not in kept or sheet not in kept:
                rows.append(_colorized(colorizer, path))
            if target in kept:
                yield Outcome(path, skipped=outcome_lib.THERE_ALREADY)
            else:
                _write(target, rows[-1][1])
                yield Outcome(path, (target,))
        if sheet not in kept:
            _write(sheet, contact_sheet.contact_sheet(rows, _LABELS))
        return sheet

    return Outcomes(running(), len(targets))


def _colorized(colorizer, path: str) -> tuple:
    """Returns a picture grey, colorized and true."""
    with open(path, "rb") as file:
        true = decode.decode_rgb(file.read())
    grey = colorizer_lib.grey(true)
    return grey, colorizer.colorize(grey), true


def _write(path: str, rgb) -> None:
    atomic.write_bytes(path, encode.encode_picture(rgb, ".png"))
