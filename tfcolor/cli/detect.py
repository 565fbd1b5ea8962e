"""`tfcolor detect`: finds the boxes of things in picture files."""

import argparse
import functools

from tfcolor.boxes import box_naming
from tfcolor.cli import clustered
from tfcolor.cli import shared
from tfcolor.detection import defaults

_DESCRIPTION = """\
Finds boxes around things in pictures, with an exported detector such as Mask
R-CNN, for colorizing and training with instances. The detector is a SavedModel
of TensorFlow's Model Garden or of its Object Detection API; which of the two is
recognized by its signature.
"""

_EPILOG = """\
output:
  --format=npz writes <picture's path below the input folder>.npz for each
  picture: bbox (int32, x0 y0 x1 y1 in pixels of the upright picture, best
  first), scores, classes, picture_size (height, width). With --naming=stem the
  name is cut at its first dot instead, as the original InstColorization wants
  it, which looks for the boxes of the folder `album` in `album_bbox`.
  --format=coco writes one JSON file in COCO's annotation format: --output if
  that ends in .json, else boxes.json in that folder.
  What is there already is kept and its picture skipped, whatever the options
  were; --overwrite finds all boxes anew.

examples:
  tfcolor detect album --detector=mask_rcnn/saved_model --output=album_boxes
  tfcolor detect album --detector=mask_rcnn --output=album_bbox --naming=stem
  tfcolor detect 'scans/**/*.tif' --detector=mask_rcnn --output=boxes.json \\
      --format=coco --draw

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
        "detect",
        help="find boxes in pictures with an exported detector",
        description=_DESCRIPTION,
        epilog=f"{clustered.HELP}\n{_EPILOG}",
    )
    _add_files(parser)
    _add_detector(parser)
    shared.add_max_pixels(parser)
    clustered.add_options(parser, sinks=False)
    return shared.complete(parser, drawings="--draw", **clustered.ARGUMENTS)


def _add_files(parser) -> None:
    shared.add_input(parser)
    parser.add_argument(
        "--output",
        required=True,
        metavar="FOLDER",
        help="where the boxes go; for --format=coco a .json file as well",
    )
    parser.add_argument(
        "--format",
        choices=defaults.FORMATS,
        default=defaults.FORMATS[0],
        help="one file for each picture, or one for all (default: %(default)s)",
    )
    parser.add_argument(
        "--naming",
        choices=box_naming.NAMINGS,
        default=box_naming.NAMINGS[0],
        help="how .npz files are named, see below (default: %(default)s)",
    )
    parser.add_argument(
        "--draw",
        action="store_true",
        help="also write <picture>.boxes.jpg, the picture with its boxes "
        "(default: no)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace boxes that exist (default: skip their pictures)",
    )


def _add_detector(parser) -> None:
    parser.add_argument(
        "--detector",
        required=True,
        metavar="SAVEDMODEL",
        help="folder of the exported detector",
    )
    parser.add_argument(
        "--detector_input",
        choices=defaults.INPUTS,
        default=defaults.INPUT_L,
        help="what the detector sees: the lightness alone, so that grey and "
        "color pictures get the same boxes, or the picture as it is "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--score_threshold",
        type=float,
        default=defaults.SCORE_THRESHOLD,
        metavar="SCORE",
        help="keep boxes of at least this score (default: %(default)s)",
    )
    shared.add_max_boxes(parser)
    parser.add_argument(
        "--batch_size",
        type=int,
        default=defaults.BATCH_SIZE,
        metavar="N",
        help="pictures of one size in the detector at once, if it takes more "
        "than one (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    if args.cluster is not None:
        return _run_on_cluster(args)
    return shared.run_outcomes(
        args.command,
        clustered.here(args, args.input, lambda: _begin(args)),
        end=lambda tally: _say_end(args.output, tally),
    )


def _check_options(args) -> None:
    """Refuses values that no detector takes, before one is loaded."""
    from tfcolor.detection import detector

    detector.check_options(
        args.score_threshold, args.max_boxes, args.detector_input
    )


def _wanted(args) -> dict:
    """Returns what an album is asked for, here or on a cluster."""
    return {
        "naming": args.naming,
        "drawings": args.draw,
        "overwrite": args.overwrite,
        "batch_size": args.batch_size,
        "max_pixels": args.max_pixels,
        "say": shared.say_left_out,
    }


def _run_on_cluster(args) -> int:
    from tfcolor.cluster import album

    def begin():
        _check_options(args)
        if args.format != defaults.NPZ:
            raise ValueError(
                "--cluster writes a file for each picture, --format=npz. "
                f"Received: --format={args.format}"
            )
        return album.detect_on_cluster(
            args.input,
            args.output,
            make_detector=functools.partial(_load_detector, args),
            **_wanted(args),
            **clustered.options(args),
        )

    return clustered.run(
        args,
        begin,
        say_end=lambda tally: tally.say(_summary(args.output, tally)),
    )


def _begin(args):
    from tfcolor.detection import album

    _check_options(args)
    return album.detect_album(
        args.input,
        args.output,
        make_detector=lambda: _load_detector(args),
        format=args.format,
        **_wanted(args),
    )


def _load_detector(args):
    from tfcolor.detection.detector import Detector

    return Detector(
        args.detector,
        score_threshold=args.score_threshold,
        max_boxes=args.max_boxes,
        detector_input=args.detector_input,
    )


def _summary(output: str, tally: shared.Tally, extras=()) -> str:
    pictures = shared.counted(tally.done, "picture")
    text = f"Found {tally.boxes} boxes in {pictures}, into {output}"
    return shared.with_extras(text, [*extras, *tally.extras()])


def _say_end(output: str, tally: shared.Tally) -> None:
    without = tally.without_boxes
    extras = [f"{without} without any"] if without else []
    tally.say(_summary(output, tally, extras))
