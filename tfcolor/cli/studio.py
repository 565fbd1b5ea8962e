"""`tfcolor studio`: a page on this machine where a person colors photos."""

import argparse

from tfcolor.cli import shared
from tfcolor.inference import defaults

_DESCRIPTION = """\
Opens a page in the browser where photos are colored: drop, paste or choose
them, compare grey and color under a slider, zoom, choose the model and how
strong colors are, place color hints by clicking, and download the result at
full size with its EXIF data. A whole folder can be colored as well.

The page is served to this machine alone, at 127.0.0.1 and with a token in its
address. It works without a network connection; nothing leaves the machine.
Photos are kept in a temporary folder that is deleted at the end. Only a folder
job writes elsewhere: into the output folder that is typed on the page.
"""

_EPILOG = """\
examples:
  tfcolor studio
  tfcolor studio --model=lite2_unet:vivid --port=8123 --no_browser
  tfcolor studio --models_folder=runs/full
  tfcolor studio --model=fusion.keras --boxes=mask_rcnn

exit status: 0 ended with Ctrl-C or SIGTERM; 1 the port cannot be opened; 2
wrong usage.
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Adds the sub-command to the `tfcolor` command.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    parser = shared.add_command(
        subparsers,
        "studio",
        help="color photos on a page in the browser",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="port of 127.0.0.1 (default: a free one)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="the model to begin with, as in `tfcolor colorize` (default: "
        f"{defaults.MODEL})",
    )
    parser.add_argument(
        "--models_folder",
        metavar="FOLDER",
        help="its .keras files can be chosen on the page (default: none)",
    )
    parser.add_argument(
        "--boxes",
        metavar="PATH",
        help="where things are on the photos, for models that take boxes: a "
        "folder of .npz files, a COCO JSON, or a detector's SavedModel "
        "(default: boxes are drawn by hand)",
    )
    shared.add_max_boxes(parser)
    parser.add_argument(
        "--no_browser",
        action="store_true",
        help="print the address and open nothing (default: open the page)",
    )
    shared.add_max_pixels(parser)
    return shared.complete(parser, models="--models_folder")


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if the port cannot be opened, 2 for wrong
        usage.
    """
    import logging

    from tfcolor.studio import serve

    # It would warn of each model that is chosen, as it is made anew.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return shared.run_single(
        args.command,
        lambda: serve.serve(
            port=args.port,
            model=args.model,
            models=args.models_folder,
            boxes=args.boxes,
            max_boxes=args.max_boxes,
            max_pixels=args.max_pixels,
            open_browser=not args.no_browser,
            say=lambda line: print(line, flush=True),
        ),
        end=lambda nothing: None,
        failed=serve.NotServedError,
    )
