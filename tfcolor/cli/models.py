"""`tfcolor models`: the models that have a name."""

import argparse
import contextlib

from tfcolor.cli import shared

_ACTIONS = ("list", "fetch", "remove")

_DESCRIPTION = """\
Lists the models that --model takes by name: those that ship with tfcolor and
well-known published ones, which are fetched from where their authors put them
when they are used first. A file is checked against its SHA-256 as far as its
authors or a pinned revision tell it (docs/published_models.md), converted once,
without PyTorch, and kept in the cache; then no network is needed. The weights
have licenses of their own, which the list names.
"""

_EPILOG = """\
The cache is the folder $TFCOLOR_CACHE, else $XDG_CACHE_HOME/tfcolor, else
~/.cache/tfcolor. A download that broke off goes on where it ended.

examples:
  tfcolor models
  tfcolor models fetch ddcolor
  tfcolor colorize old.jpg --output=new.png --model=ddcolor
  tfcolor models remove ddcolor

exit status: 0 done; 1 a model could not be fetched or removed, each is named
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
        "models",
        help="list, fetch and remove models",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=_ACTIONS,
        default=_ACTIONS[0],
        help="what to do (default: %(default)s)",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="models to fetch or remove"
    )
    return shared.complete(parser, model="--model")


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a model could not be fetched or removed,
        2 for wrong usage.
    """
    if args.action == "list":
        return shared.run_single(
            args.command, lambda: _table(args.names), end=print
        )
    return shared.run_outcomes(
        args.command,
        lambda: _begin(args),
        show=_line,
        end=lambda tally: tally.say(None),
        # A download shows its own.
        bars=contextlib.nullcontext(),
    )


def _begin(args):
    from tfcolor.weights import published

    if not args.names:
        raise ValueError(f"{args.action} needs a NAME. Received: none")
    if args.action == "fetch":
        return published.fetch_models(args.names)
    return published.remove_models(args.names)


def _line(outcome) -> str:
    done = f"cached in {outcome.written[0]}" if outcome.written else "removed"
    return f"{outcome.source}: {outcome.skipped or done}"


def _table(names: list[str]) -> str:
    """Returns the list in columns; the last one is as long as it is."""
    from tfcolor.weights import listing

    if names:
        raise ValueError(f"list takes no NAME. Received: {names}")
    rows = [tuple(map(str.upper, listing.Row._fields)), *listing.rows()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(width) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
