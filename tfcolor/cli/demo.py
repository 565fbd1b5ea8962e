"""`tfcolor demo`: colorizes the pictures that ship with the package."""

import os

from tfcolor.cli import shared
from tfcolor.inference import defaults

_DESCRIPTION = """\
Colorizes the pictures that ship with tfcolor, from their lightness alone, and
puts grey | colorized | true side by side on a contact sheet.
"""


def add_parser(subparsers):
    """Adds the sub-command to the parser of `tfcolor`.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returns.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    parser = shared.add_command(
        subparsers,
        "demo",
        help="colorize the pictures that ship with tfcolor",
        description=_DESCRIPTION,
    )
    parser.add_argument(
        "--output",
        default="demo_output",
        metavar="FOLDER",
        help="where to write (default: %(default)s)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="a name of `tfcolor models`, or a model file (default: "
        f"{defaults.MODEL})",
    )
    return parser


def run(args) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, or 2 for wrong usage.
    """
    from tfcolor.data import files
    from tfcolor.inference.colorizer import Colorizer

    try:
        colorizer = Colorizer(args.model, runtime=defaults.AUTO)
        files.make_output_folder(args.output)
    except (OSError, ValueError, ImportError) as error:
        return shared.say_error("demo", error, 2)
    rows = _colorize_samples(colorizer, args.output)
    sheet = os.path.join(args.output, "contact_sheet.png")
    _write_sheet(rows, sheet)
    print(f"{len(rows)} colorized pictures: {os.path.abspath(args.output)}")
    print(f"contact sheet: {os.path.abspath(sheet)}")
    return 0


def _colorize_samples(colorizer, output: str) -> list[list]:
    """Writes colorized copies; returns grey, colorized and true, of each."""
    import tqdm

    from tfcolor.data import sample_pictures
    from tfcolor.inference import colorizer as colorizer_module
    from tfcolor.pictures import decode
    from tfcolor.pictures import encode

    rows = []
    for path in tqdm.tqdm(sample_pictures.paths(), unit="picture"):
        with open(path, "rb") as f:
            true = decode.decode_rgb(f.read())
        grey = colorizer_module.grey(true)
        colorized = colorizer.colorize(grey)
        name = os.path.splitext(os.path.basename(path))[0] + ".png"
        encode.write_atomically(
            os.path.join(output, name), encode.encode_picture(colorized, ".png")
        )
        rows.append([grey, colorized, true])
    return rows


def _write_sheet(rows: list[list], path: str) -> None:
    from tfcolor.inference import contact_sheet
    from tfcolor.pictures import encode

    drawn = contact_sheet.contact_sheet(rows, ["grey", "colorized", "true"])
    encode.write_atomically(path, encode.encode_picture(drawn, ".png"))
