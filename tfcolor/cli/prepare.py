"""`tfcolor prepare`: makes TFRecord shards of pictures, for training."""

import argparse
import functools

# None of them imports TensorFlow.
from tfcolor.cli import shared
from tfcolor.data import files
from tfcolor.data import manifest
from tfcolor.data.manifest import ShardSettings

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
    parser = shared.add_command(
        subparsers,
        "prepare",
        help="make TFRecord shards of pictures, for training",
        description=_DESCRIPTION,
        epilog=_EPILOG,
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
    return shared.complete(parser)


def _add_settings(parser) -> None:
    parser.add_argument(
        "--size",
        type=int,
        default=ShardSettings.size,
        metavar="PIXELS",
        help="side of the squares; for instances more than the network's, as "
        "boxes are cut out of them (default: %(default)s)",
    )
    parser.add_argument(
        "--format",
        choices=manifest.FORMATS,
        default=ShardSettings.format,
        help="png loses nothing and takes about four times the space "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--quality",
        type=int,
        default=ShardSettings.quality,
        metavar="1..100",
        help="of JPEG; colors keep their full resolution (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--shard_size",
        type=int,
        default=ShardSettings.shard_size,
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
    bars = shared.Bars("picture", leave=True)
    return shared.run_outcomes(
        args.command,
        lambda: _begin(args, bars),
        # All is said when a folder is whole.
        end=lambda tally: None,
        bars=bars,
    )


def _begin(args, bars):
    from tfcolor.data import shard_writer

    return shard_writer.prepare_shards(
        files.split_list(args.images),
        args.output,
        settings=ShardSettings(
            size=args.size,
            format=args.format,
            quality=args.quality,
            shard_size=args.shard_size,
        ),
        boxes=args.boxes,
        workers=args.workers,
        max_pixels=args.max_pixels,
        on_picture=bars,
        on_folder=functools.partial(_say_folder, args.command),
        say=shared.say_left_out,
    )


def _say_folder(command, output: str, made) -> None:
    """Prints what came of a folder of shards."""
    notes = [tuple(note) for shard in made.shards for note in shard.notes]
    shared.say_notes(command, sorted(notes))
    left_out = [entry for shard in made.shards for entry in shard.left_out]
    for name, reason in sorted(left_out):
        shared.say(command, "left out", name, reason)
    print(_summary(made, output, len(left_out)))


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
