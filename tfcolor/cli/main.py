"""The entry point of the `tfcolor` command."""

import argparse
import os
import sys
from collections.abc import Sequence

import tfcolor
from tfcolor.cli import classify
from tfcolor.cli import client
from tfcolor.cli import colorize
from tfcolor.cli import demo
from tfcolor.cli import detect
from tfcolor.cli import evaluate
from tfcolor.cli import export
from tfcolor.cli import import_weights
from tfcolor.cli import models
from tfcolor.cli import prepare
from tfcolor.cli import studio
from tfcolor.data import memory

# Each has `add_parser(subparsers)` and `run(args) -> exit status`, and
# imports the library inside `run`: help must not wait for TensorFlow.
_COMMANDS = (
    *(colorize, evaluate, demo, detect, classify),
    *(models, import_weights, prepare, export, client, studio),
)

# What a shell reports for a program that Ctrl-C ended: 128 + SIGINT.
_INTERRUPTED = 130

_EPILOG = """\
`tfcolor COMMAND --help` lists all options of a command.

examples:
  tfcolor colorize old.jpg --output=new.png
  tfcolor evaluate --truth=photos --output=report
"""


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the whole command, sub-commands included.

    Returns:
        argparse.ArgumentParser; what it parses has `run(args)`.
    """
    parser = argparse.ArgumentParser(
        prog="tfcolor",
        description="Colorizes grey photos with deep networks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"tfcolor {tfcolor.__version__}"
    )
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    for command in _COMMANDS:
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: sequence of str or None. Arguments; those of the program when
            None.

    Returns:
        int, the exit status: 0, 1 if a part failed, 2 for wrong usage, 130
        when interrupted.
    """
    # The libraries read these when they are imported: a console is for what
    # a person can act on.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    for stream in (sys.stdout, sys.stderr):
        # A file name that is not UTF-8 must not end a long run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    args = make_parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("tfcolor: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except OSError as error:
        # A disk that is full, where no command says it itself.
        reason = " ".join(str(error).split())
        print(f"tfcolor: error: {reason}", file=sys.stderr)
        return 1
    except Exception as error:
        known = memory.ran_out(
            error, "a smaller --batch_size or --image_size where there is one"
        )
        if known is None:
            raise
        print(f"tfcolor: error: {known}", file=sys.stderr)
        return 1
