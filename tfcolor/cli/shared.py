"""What sub-commands share: arguments, and how they speak."""

import argparse
import sys

# None of them imports TensorFlow.
from tfcolor.detection import defaults as detection_defaults
from tfcolor.inference import defaults

# The value of --boxes_at_once for no limit.
_ALL = "all"


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


def add_output(parser: argparse.ArgumentParser) -> None:
    """Adds --output and --overwrite, of commands that write pictures.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="a file (for one picture), or a folder: an existing one, or "
        "with a '/' at its end",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace results that exist (default: skip their pictures)",
    )


def add_colorizer(parser: argparse.ArgumentParser) -> None:
    """Adds the network and what it does: --model, its size, --saturation.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--model",
        metavar="NAME|PATH",
        help="a model that ships with tfcolor, NAME or NAME:STYLE; a "
        "published one, which is fetched at its first use (`tfcolor models` "
        "lists both); or a .keras, .pth or .safetensors file (default: the "
        "shipped one)",
    )
    parser.add_argument(
        "--image_size",
        type=int,
        metavar="PIXELS",
        help="side of the square the network sees, a multiple of 8 (default: "
        "the model's own)",
    )
    parser.add_argument(
        "--saturation",
        type=float,
        default=defaults.SATURATION,
        metavar="FACTOR",
        help="factor on the colour (default: %(default)s)",
    )
    parser.add_argument(
        "--style",
        metavar="natural|vivid|0..1",
        help="how lively a shipped model's colours are; numbers lie between "
        "both (default: natural)",
    )
    parser.add_argument(
        "--upsampling",
        choices=defaults.UPSAMPLINGS,
        help="how colours come to the picture's size: along its own edges, or "
        "simply smoothed (default: the model's own)",
    )


def add_batch_size(parser: argparse.ArgumentParser) -> None:
    """Adds --batch_size.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--batch_size",
        type=int,
        default=defaults.BATCH_SIZE,
        metavar="N",
        help="pictures in the network at once (default: %(default)s)",
    )


def add_max_boxes(parser: argparse.ArgumentParser) -> None:
    """Adds --max_boxes.

    Args:
        parser: argparse.ArgumentParser of a sub-command, or a group of it.
    """
    parser.add_argument(
        "--max_boxes",
        type=int,
        default=detection_defaults.MAX_BOXES,
        metavar="N",
        help="boxes of highest score that a picture keeps (default: "
        "%(default)s)",
    )


def add_boxes_at_once(parser: argparse.ArgumentParser) -> None:
    """Adds --boxes_at_once.

    Args:
        parser: argparse.ArgumentParser of a sub-command.
    """
    parser.add_argument(
        "--boxes_at_once",
        type=_boxes_at_once,
        default=defaults.BOXES_AT_ONCE,
        metavar="N|all",
        help="boxes of a picture in the networks at once; fewer take less "
        "memory (default: %(default)s)",
    )


def _boxes_at_once(text: str) -> int | None:
    return None if text == _ALL else int(text)


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


def say_left_out(line: str) -> None:
    """Prints what an input holds and is not used.

    Args:
        line: str.
    """
    print(f"note: {line}", file=sys.stderr)


def say_notes(notes) -> None:
    """Prints what was left out or ignored of pictures that are done.

    Args:
        notes: iterable of (source, note), str.
    """
    for source, note in notes:
        print(f"note: {source}: {note}", file=sys.stderr)


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
