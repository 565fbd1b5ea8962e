"""`tfcolor client`: colorizes picture files by a server."""

import argparse

from tfcolor.cli import shared
from tfcolor.serving import defaults

_DESCRIPTION = """\
Colorizes pictures by a server that runs an exported model, TensorFlow Serving
for example. Pictures are sent as they are where the model can decode them
(JPEG, PNG) and as PNG otherwise; alpha, EXIF and ICC are not kept.
"""

_EPILOG = """\
url:
  http://HOST:8501 or https://HOST asks by REST, grpc://HOST:8500 by gRPC, which
  needs TensorFlow Serving's protocol, the extra [serving]; in the checkout: pip
  install -c constraints.txt -e '.[serving]'.

output:
  As in `tfcolor colorize`. Requests that fail because the server is not there
  or busy are tried again, after 0.5 s, 1 s, 2 s and so on.

examples:
  tfcolor client old.jpg --url=http://localhost:8501 --output=new.png
  tfcolor client album --url=grpc://localhost:8500 --output=colored/ \\
      --label=canary

exit status: 0 all done, or there already; 1 a picture failed, each is named
with its reason; 2 wrong usage; 130 interrupted.
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
        "client",
        help="colorize pictures by a server",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    shared.add_input(parser)
    shared.add_output(parser)
    parser.add_argument(
        "--boxes",
        metavar="FOLDER|JSON|DETECTOR",
        help="where things are, for a model that takes boxes; see `tfcolor "
        "colorize --help` (default: none is sent)",
    )
    shared.add_max_boxes(parser)
    shared.add_max_pixels(parser)
    _add_server(parser)
    return shared.complete(parser)


def _add_server(parser) -> None:
    parser.add_argument(
        "--url", required=True, help="where the server is, see below"
    )
    parser.add_argument(
        "--model",
        default=defaults.MODEL,
        metavar="NAME",
        help="the model's name on the server (default: %(default)s)",
    )
    parser.add_argument(
        "--version",
        type=int,
        metavar="N",
        help="the model's version (default: the latest)",
    )
    parser.add_argument(
        "--label", help="the version with this label, instead of a number"
    )
    parser.add_argument(
        "--parallel",
        type=int,
        default=defaults.PARALLEL,
        metavar="N",
        help="requests at once (default: %(default)s)",
    )
    parser.add_argument(
        "--retries",
        type=int,
        default=defaults.RETRIES,
        metavar="N",
        help="further tries while the server is not there or busy (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=defaults.TIMEOUT,
        metavar="SECONDS",
        help="of one request (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    from tfcolor.serving import album
    from tfcolor.serving.address import Address

    return shared.run_outcomes(
        args.command,
        lambda: album.colorize_by_server(
            args.input,
            args.output,
            address=Address(args.url, args.model, args.version, args.label),
            boxes=args.boxes,
            max_boxes=args.max_boxes,
            parallel=args.parallel,
            retries=args.retries,
            timeout=args.timeout,
            max_pixels=args.max_pixels,
            overwrite=args.overwrite,
            say=shared.say_left_out,
        ),
        end=lambda tally: tally.say(tally.summary("Colorized", args.output)),
    )
