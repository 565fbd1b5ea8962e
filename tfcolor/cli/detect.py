"""`tfcolor detect`: finds the boxes of things in picture files."""

import argparse
import os
import sys
import warnings

from tfcolor.cli import shared
from tfcolor.detection import defaults

_DESCRIPTION = """\
Finds boxes around things in pictures, with an exported detector such as Mask
R-CNN, for colorizing and training with instances. The detector is a SavedModel
of TensorFlow's Model Garden or of its Object Detection API; which one, its
signature tells.
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
    parser = subparsers.add_parser(
        "detect",
        help="find boxes in pictures with an exported detector",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_files(parser)
    _add_detector(parser)
    shared.add_max_pixels(parser)
    return parser


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
        choices=defaults.NAMINGS,
        default=defaults.NAMINGS[0],
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
        "colour pictures get the same boxes, or the picture as it is "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--score_threshold",
        type=float,
        default=defaults.SCORE_THRESHOLD,
        metavar="SCORE",
        help="keep boxes of at least this score (default: %(default)s)",
    )
    parser.add_argument(
        "--max_boxes",
        type=int,
        default=defaults.MAX_BOXES,
        metavar="N",
        help="keep at most so many, of highest score (default: %(default)s)",
    )
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
    # Pillow warns about odd metadata, which play no part here.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        jobs, todo, output = _plan(args)
        detector = _load_detector(args) if todo else None
    except (OSError, ValueError) as error:
        return shared.say_error("detect", error, 2)
    counts, failures = [], []
    try:
        if todo:
            _detect(args, detector, todo, output, counts, failures)
    except OSError as error:
        return shared.say_error("detect", error, 1)
    shared.say_failures(sorted(failures))
    print(_summary(args.output, counts, len(jobs) - len(todo), len(failures)))
    return 1 if failures else 0


def _plan(args) -> tuple[list, list, object]:
    """Returns all pictures, those that need work, and where boxes go."""
    from tfcolor.data import pillow_limit
    from tfcolor.detection import detector as detector_module
    from tfcolor.detection import output_paths
    from tfcolor.detection import outputs

    detector_module.check_options(
        args.score_threshold, args.max_boxes, args.detector_input
    )
    pillow_limit.check_option(args.max_pixels)
    if args.batch_size < 1:
        raise ValueError(
            f"`batch_size` must be at least 1. Received: {args.batch_size}"
        )
    jobs = output_paths.plan(
        args.input,
        args.output,
        format=args.format,
        naming=args.naming,
        draw=args.draw,
    )
    output_paths.make_folder(args.output, format=args.format)
    if args.format == output_paths.COCO:
        path = output_paths.json_path(args.output)
        output = outputs.CocoOutput(path, overwrite=args.overwrite)
    else:
        output = outputs.NpzOutput()
    todo = [
        job
        for job in jobs
        if args.overwrite
        or not output.is_done(job)
        or (job.drawing and not os.path.isfile(job.drawing))
    ]
    return jobs, todo, output


def _load_detector(args):
    from tfcolor.detection.detector import Detector

    return Detector(
        args.detector,
        score_threshold=args.score_threshold,
        max_boxes=args.max_boxes,
        detector_input=args.detector_input,
    )


def _detect(args, detector, todo, output, counts, failures) -> None:
    """Detects; adds numbers of boxes and (source, reason) of failures."""
    import tqdm

    from tfcolor.detection import detect_files

    jobs = {job.source: job for job in todo}
    done = tqdm.tqdm(
        detect_files.detect_files(
            detector,
            list(jobs),
            batch_size=args.batch_size,
            max_pixels=args.max_pixels,
        ),
        total=len(jobs),
        unit="picture",
        disable=len(jobs) == 1,
        file=sys.stderr,
    )
    try:
        for detected in done:
            reason = detected.reason
            if reason is None:
                reason = _write(jobs[detected.path], detected, output)
            if reason is None:
                counts.append(len(detected.found))
            else:
                failures.append((detected.path, reason))
    finally:
        # Interrupted as well: what is done stays done.
        output.close()


def _write(job, detected, output) -> str | None:
    """Writes what is wanted of a picture; returns why it failed, or None."""
    from tfcolor.data import encode
    from tfcolor.detection import coco_classes
    from tfcolor.detection import draw

    rgb, found = detected.rgb, detected.found
    try:
        if job.drawing:
            drawn = draw.draw_boxes(rgb, found, coco_classes.NAMES)
            data = encode.encode_picture(drawn, ".jpg")
            encode.write_atomically(job.drawing, data)
        output.add(job, found, height=rgb.shape[0], width=rgb.shape[1])
    except (OSError, ValueError) as error:
        return shared.one_line(error)
    return None


def _summary(output: str, counts: list, skipped: int, failed: int) -> str:
    def number(count, what):
        return f"{count} {what}{'' if count == 1 else 's'}"

    pictures = number(len(counts), "picture")
    text = f"Found {sum(counts)} boxes in {pictures}, into {output}"
    extras = []
    if counts.count(0):
        extras.append(f"{counts.count(0)} without any")
    if skipped:
        extras.append(f"{skipped} there already, skipped")
    if failed:
        extras.append(f"{failed} failed")
    return shared.with_extras(text, extras)
