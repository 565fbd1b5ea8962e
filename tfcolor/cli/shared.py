"""What sub-commands share: the argument INPUT, and how they speak."""

import argparse
import sys


def add_input(parser: argparse.ArgumentParser) -> None:
    """Adds the argument `input`: pictures, folders and globs.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "input",
        nargs="+",
        metavar="INPUT",
        help="a picture, a folder (searched recursively, hidden files left "
        "out) or a glob",
    )


def one_line(error: Exception) -> str:
    """Returns an error's message on one line."""
    return " ".join(str(error).split())


def say_error(command: str, error: Exception, status: int) -> int:
    """Prints why a sub-command ends.

    Args:
        command: str, its name.
        error: Exception.
        status: int.

    Returns:
        int, `status`.
    """
    print(f"tfcolor {command}: error: {one_line(error)}", file=sys.stderr)
    return status


def say_failures(failures) -> None:
    """Prints pictures that failed.

    Args:
        failures: iterable of (source, reason), str.
    """
    for source, reason in failures:
        print(f"failed: {source}: {reason}", file=sys.stderr)


def with_extras(text: str, extras: list[str]) -> str:
    """Returns a text with what else there is to say, in brackets."""
    return f"{text} ({', '.join(extras)})" if extras else text
