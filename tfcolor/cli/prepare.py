"""`tfcolor prepare`: makes TFRecord shards of pictures, for training."""

import argparse
import os
import sys
import warnings

from tfcolor.cli import shared

_DESCRIPTION = """\
Makes TFRecord shards of pictures: squashed to squares as networks see them,
encoded again, with their boxes and their classes. All trainers but
train_on_arrays read them (--images=FOLDER), several times faster than the
pictures themselves.
"""

_EPILOG = """\
output:
  A folder with shards (00000.tfrecord, ...), what is in each (00000.json) and
  manifest.json: settings, classes, counts, SHA-256 of all shards.
  Where every picture lies in a folder below --images and there are at least
  two of these, their names are the classes. A folder of labelled pictures with
  train, val and test becomes three folders of shards of those names.
  Pictures that cannot be read are left out and named in the shards' .json, and
  so is what was ignored of others. The same pictures and options give the same
  bytes.

  Interrupted, the same command goes on: shards that are there and whole are
  kept. Changed pictures, boxes or options make the shards anew that they are
  in.

examples:
  tfcolor prepare --images=photos --output=records
  tfcolor prepare --images=coco/train --boxes=instances.json --size=512 \\
      --output=records
  tfcolor prepare --images=fruits --output=fruits_records --size=128

exit status: 0 done; 1 pictures were left out or a file cannot be written; 2
wrong usage; 130 interrupted.
"""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Adds the sub-command to the `tfcolor` command.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    parser = subparsers.add_parser(
        "prepare",
        help="make TFRecord shards of pictures, for training",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--images",
        required=True,
        metavar="PICTURES",
        help="comma-separated files, folders (searched recursively) and globs",
    )
    parser.add_argument(
        "--boxes",
        metavar="BOXES",
        help="boxes of the pictures: a folder of .npz files, as `tfcolor "
        "detect` writes them, or COCO annotations (default: none)",
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="where shards go"
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="pictures that are made at once (default: one a processor)",
    )
    shared.add_max_pixels(parser)
    _add_settings(parser)
    return parser


def _add_settings(parser) -> None:
    # The defaults of `ShardSettings`, which knows TensorFlow; a test compares.
    parser.add_argument(
        "--size",
        type=int,
        default=256,
        metavar="PIXELS",
        help="side of the squares; for instances more than the network's, as "
        "boxes are cut out of them (default: %(default)s)",
    )
    parser.add_argument(
        "--format",
        choices=("jpeg", "png"),
        default="jpeg",
        help="png loses nothing and takes about four times the space "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--quality",
        type=int,
        default=95,
        metavar="1..100",
        help="of JPEG; colors keep their full resolution (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--shard_size",
        type=int,
        default=500,
        metavar="N",
        help="pictures a shard, at most (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if pictures were left out or a file cannot
        be written, 2 for wrong usage.
    """
    # Pillow warns about odd metadata, which play no part here.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        parts, settings, boxes = _plan(args)
    except (OSError, ValueError) as error:
        return shared.say_error("prepare", error, 2)
    status = 0
    for output, jobs in parts.items():
        try:
            left_out = _prepare(args, output, jobs, settings, boxes)
        except OSError as error:
            return shared.say_error("prepare", error, 1)
        status = 1 if left_out else status
    return status


def _plan(args):
    """Returns {folder of shards: their jobs}, the settings and the boxes."""
    from tfcolor.data import box_files
    from tfcolor.data import files
    from tfcolor.data import pillow_limit
    from tfcolor.data import shard_writer
    from tfcolor.data.manifest import ShardSettings

    settings = ShardSettings(
        size=args.size,
        format=args.format,
        quality=args.quality,
        shard_size=args.shard_size,
    )
    pillow_limit.check_option(args.max_pixels)
    if args.workers is not None and args.workers < 1:
        raise ValueError(
            f"`workers` must be at least 1. Received: {args.workers}"
        )
    boxes = box_files.open_boxes(args.boxes) if args.boxes else None
    patterns = files.split_list(args.images)
    parts = {}
    for part, found in _parts(patterns).items():
        pictures = files.list_named_pictures(
            *found, exclude=args.output, say=shared.say_left_out
        )
        pictures = shard_writer.unique_names(pictures)
        if boxes is not None:
            # Finds pictures that share an entry.
            boxes.count(path for path, _ in pictures)
        jobs = shard_writer.plan(pictures, settings, boxes)
        parts[os.path.join(args.output, part)] = jobs
    return parts, settings, boxes


def _parts(patterns: list[str]) -> dict[str, list[str]]:
    """Returns {"train": ..., ...} of a labelled folder, {"": ...} of others."""
    from tfcolor.data import class_folders

    if len(patterns) == 1 and os.path.isdir(patterns[0]):
        found = class_folders.find_parts(patterns[0])
        if len(found) > 1:
            return {part: [folder] for part, folder in found.items()}
    return {"": patterns}


def _prepare(args, output, jobs, settings, boxes) -> list:
    """Makes the shards of one folder; returns what was left out."""
    import tqdm

    from tfcolor.data import shard_writer

    total = sum(len(job.pictures) for job in jobs)
    with tqdm.tqdm(
        total=total, unit="picture", desc=output, file=sys.stderr
    ) as progress:
        made = shard_writer.write_shards(
            jobs,
            output,
            settings,
            boxes=boxes,
            workers=args.workers,
            max_pixels=args.max_pixels,
            progress=progress.update,
        )
    shard_writer.copy_color_groups(args.images, args.output)
    shared.say_notes(
        sorted(map(tuple, (n for shard in made.shards for n in shard.notes)))
    )
    left_out = [entry for shard in made.shards for entry in shard.left_out]
    for name, reason in sorted(left_out):
        shared.say("left out", name, reason)
    print(_summary(made, output, len(left_out)))
    return left_out


def _summary(made, output: str, left_out: int) -> str:
    text = f"{len(made)} pictures in {len(made.shards)} shards, in {output}"
    extras = []
    if made.classes:
        extras.append(f"{len(made.classes)} classes")
    if made.has_boxes:
        extras.append(f"{sum(shard.boxes for shard in made.shards)} boxes")
    if left_out:
        extras.append(f"{left_out} left out")
    return shared.with_extras(text, extras)
