"""`tfcolor demo`: colorizes the pictures that ship with the package."""

import os

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
    parser = subparsers.add_parser(
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
        int, the exit status.
    """
    import tqdm

    from tfcolor.data import sample_pictures
    from tfcolor.inference import colorizer as colorizer_module
    from tfcolor.inference import contact_sheet
    from tfcolor.pictures import decode
    from tfcolor.pictures import encode

    colorizer = colorizer_module.Colorizer(args.model, runtime=defaults.AUTO)
    os.makedirs(args.output, exist_ok=True)
    rows = []
    for path in tqdm.tqdm(sample_pictures.paths(), unit="picture"):
        with open(path, "rb") as f:
            true = decode.decode_rgb(f.read())
        grey = colorizer_module.grey(true)
        colorized = colorizer.colorize(grey)
        name = os.path.splitext(os.path.basename(path))[0] + ".png"
        encode.write_atomically(
            os.path.join(args.output, name),
            encode.encode_picture(colorized, ".png"),
        )
        rows.append([grey, colorized, true])
    sheet = os.path.join(args.output, "contact_sheet.png")
    drawn = contact_sheet.contact_sheet(rows, ["grey", "colorized", "true"])
    encode.write_atomically(sheet, encode.encode_picture(drawn, ".png"))
    print(f"{len(rows)} colorized pictures: {os.path.abspath(args.output)}")
    print(f"contact sheet: {os.path.abspath(sheet)}")
    return 0
