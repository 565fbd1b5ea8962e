"""`tfcolor evaluate`: measures models or pictures against the truth."""

import argparse
import sys

from tfcolor.cli import clustered
from tfcolor.cli import evaluate_options
from tfcolor.cli import shared


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Adds the sub-command to the `tfcolor` command.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    parser = subparsers.add_parser(
        "evaluate",
        help="measure models or colorized pictures against true pictures",
        description=evaluate_options.DESCRIPTION,
        epilog=evaluate_options.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate_options.add_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture could not be compared, 2 for
        wrong usage.
    """
    # Each once, in their order: a file may be read for several crops.
    notes = {}
    bars = shared.Bars("picture", leave=True)
    return shared.run_outcomes(
        "evaluate",
        lambda: _begin(
            args,
            on_picture=bars,
            say=shared.say_left_out,
            note=lambda path, line: notes.setdefault((path, line)),
        ),
        end=lambda tally: _say_end(args.output, tally, notes),
        bars=bars,
    )


def _begin(args, **callbacks):
    wanted = {
        "models": args.model,
        "predictions": args.predictions,
        "boxes": args.boxes,
        "max_boxes": args.max_boxes,
        "crops": args.crops,
        "by_class": args.by_class,
        "limit": args.limit,
        "overwrite": args.overwrite,
        "geometry": args.geometry,
        "geometry_size": args.geometry_size,
        "image_size": args.image_size,
        "saturation": args.saturation,
        "max_pixels": args.max_pixels,
        "lpips_weights": args.lpips_weights,
        "fid_weights": args.fid_weights,
        **callbacks,
    }
    if args.cluster is not None:
        from tfcolor.cluster import evaluation

        return evaluation.evaluate_on_cluster(
            args.truth, args.output, **wanted, **clustered.options(args)
        )
    from tfcolor.evaluation import evaluate

    return evaluate.evaluate(args.truth, args.output, **wanted)


def _say_end(output: str, tally: shared.Tally, notes) -> None:
    shared.say_notes(notes)
    if not tally.is_whole:
        shared.say_failures(tally.failures())
        return
    found = tally.result
    if found.markdown is not None:
        print(found.markdown, end="")
        print(f"Report: {output}", file=sys.stderr)
    if failures := found.comparison.failures:
        shared.say_failures(failures)
        pictures = shared.counted(len(failures), "picture")
        print(f"{pictures} left out.", file=sys.stderr)
    if found.markdown is None:
        print(
            "tfcolor evaluate: error: no picture could be compared, no report "
            "written",
            file=sys.stderr,
        )
