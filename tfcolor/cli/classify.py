"""`tfcolor classify`: says what picture files show."""

import argparse

from tfcolor.cli import shared
from tfcolor.data import files
from tfcolor.inference import defaults

_DESCRIPTION = """\
Classifies pictures with a network that `trainers.train_classifier` or
`trainers.train_alexnet` trained, and prints the best classes and their
probabilities. The network sees what it was trained on: the lightness alone, or
the colors too.
"""

_EPILOG = """\
output:
  --output writes a CSV file with the columns picture, rank, class, probability:
  --top rows for each picture. A picture is named by its path below INPUT or,
  with several of these, by its whole path.

examples:
  tfcolor classify basket.jpg --model=runs/fruits/model.keras
  tfcolor classify market --model=runs/fruits/model.keras --output=market.csv

exit status: 0 all done; 1 a picture failed, each is named with its reason;
2 wrong usage; 130 interrupted.
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
        "classify",
        help="say what pictures show",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    shared.add_input(parser)
    parser.add_argument(
        "--model",
        required=True,
        metavar="PATH",
        help="the .keras file of a classifier",
    )
    parser.add_argument(
        "--output", metavar="CSV", help="also write the results to this file"
    )
    parser.add_argument(
        "--top",
        type=int,
        default=defaults.TOP,
        metavar="N",
        help="classes to name for each picture (default: %(default)s)",
    )
    shared.add_batch_size(parser)
    shared.add_max_pixels(parser)
    return shared.complete(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """

    def summarize(tally):
        done = shared.counted(tally.done, "picture")
        return f"Classified {done} into {args.output}" if args.output else None

    return shared.run_outcomes(
        args.command,
        lambda: _begin(args),
        end=lambda tally: tally.say(summarize(tally)),
        show=_line,
    )


def _begin(args):
    from tfcolor.inference import classify_album
    from tfcolor.inference.classifier import Classifier

    return classify_album.classify_album(
        args.input,
        make_classifier=lambda: Classifier(
            args.model, batch_size=args.batch_size
        ),
        output=args.output,
        top=args.top,
        max_pixels=args.max_pixels,
        say=shared.say_left_out,
    )


def _line(outcome) -> str:
    said = ", ".join(f"{name} {100 * p:.1f} %" for name, p in outcome.classes)
    return files.shown_name(f"{files.shown_name(outcome.name)}: {said}")
