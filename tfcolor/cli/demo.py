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
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files that exist (default: keep them)",
    )
    return shared.complete(parser)


def run(args) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a file cannot be written, 2 for wrong
        usage.
    """
    from tfcolor.inference import demo
    from tfcolor.inference.colorizer import Colorizer

    def end(tally):
        if tally.is_whole:
            output = os.path.abspath(args.output)
            extras = tally.extras()
            if extras:
                extras.append("--overwrite makes them anew")
            text = f"{tally.done} colorized pictures: {output}"
            print(shared.with_extras(text, extras))
            print(f"contact sheet: {os.path.abspath(tally.result)}")

    return shared.run_outcomes(
        args.command,
        lambda: demo.colorize_samples(
            args.output,
            make_colorizer=lambda: Colorizer(args.model, runtime=defaults.AUTO),
            overwrite=args.overwrite,
        ),
        end=end,
    )
