"""`tfcolor colorize`: colorizes picture files."""

import argparse
import functools
import os

from tfcolor.cli import clustered
from tfcolor.cli import shared
from tfcolor.inference import defaults

# The value of --boxes without any.
_NO_BOXES = "none"

_DESCRIPTION = """\
Colorizes pictures. The result has the size and the lightness of the picture;
only the color comes from the network. Reads and writes JPEG, PNG, WebP, BMP
and TIFF, and reads GIF, TGA, PGM, PPM, JPEG 2000 and AVIF: grey, color,
palette, CMYK, 1 bit and 16 bit, and the first of several pages or frames.
Alpha, 16 bit, EXIF, XMP, texts and the print size are kept where the format
allows it; ICC profiles, and gAMA and cHRM of PNG, are applied, and the result
is sRGB; the EXIF orientation is applied. A uniform border around a photo (a
scanner's bed, a mount, black bars) stays grey and is hidden from the network;
with a hint on the border the whole picture is colored. Films are colored too,
see below. Sources are never changed in place.
"""

_EPILOG = """\
output:
  For one picture --output may be a file; its extension chooses the format.
  Otherwise it is a folder. There a file given by name keeps its file name, and
  what a folder or glob finds keeps its path below that folder. The format is
  the picture's own where it can be written, else PNG: a.gif becomes a.png, or
  a.gif.png beside an a.png. What lies in the output folder is not read as
  input. Links are followed; every real file is colored once.

hints:
  A JSON file. For one picture:
    {"points": [{"x": 120, "y": 80, "color": "#3b7dd8", "radius": 6}]}
  For several, by their paths below the input folder, without its own name:
    {"1920/boat.jpg": [{"x": 120, "y": 80, "color": "#3b7dd8"}]}
  x counts pixels from the left of the upright picture and y from its top, both
  from 0. radius is in pixels too; without one it is 1/50 of the short side.

films:
  MP4, MOV, MKV, WebM, AVI and whatever else FFmpeg reads become H.264 in .mp4,
  .m4v, .mov or .mkv. Needs the extra [film]; in the checkout: pip install -c
  constraints.txt -e '.[film]'. Times of frames, sound, subtitles and chapters
  are kept. Colors follow moving objects and start again at cuts (--smoothing).
  A run that was stopped goes on where it was. Points of a film may have a
  "frame", counted from 0; they hold through the scene of that frame. --compare
  and --boxes are for pictures only.

boxes:
  An instance-aware model colors each boxed object by itself and blends it into
  the picture. --boxes takes a folder of .npz files or a JSON of COCO
  annotations (from `tfcolor detect` or another tool), or a detector's
  SavedModel, which is then run on each picture. Pictures without boxes are
  colored as a whole.

examples:
  tfcolor colorize old.jpg --output=new.png
  tfcolor colorize album --output=colorized/ --compare
  tfcolor colorize 'scans/**/*.tif' --output=colorized/ --style=vivid
  tfcolor colorize old.jpg --output=new.jpg --hints=hints.json
  tfcolor colorize clip.mp4 --output=colored.mp4
  tfcolor colorize album --output=colorized/ --model=fusion.keras \\
      --boxes=album_boxes --show_boxes

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
        "colorize",
        help="colorize pictures and films",
        description=_DESCRIPTION,
        epilog=f"{clustered.HELP}\n{_EPILOG}",
    )
    _add_files(parser)
    parser.add_argument(
        "--skip_color",
        action="store_true",
        help="leave out pictures that are in color already (default: color "
        "them anew, and say so)",
    )
    shared.add_colorizer(parser)
    _add_runtime(parser)
    shared.add_batch_size(parser)
    shared.add_max_pixels(parser)
    _add_films(parser)
    _add_boxes(parser)
    clustered.add_options(parser, sinks=True)
    return shared.complete(parser, **clustered.ARGUMENTS)


def _add_runtime(parser) -> None:
    parser.add_argument(
        "--runtime",
        choices=defaults.RUNTIMES,
        default=defaults.AUTO,
        help="what runs the network: litert starts at once, for pictures with "
        "lite2_unet or lite0_unet at their own size and without hints; "
        "tensorflow does everything; auto takes litert where it can "
        "(default: %(default)s)",
    )


def _add_films(parser) -> None:
    parser.add_argument(
        "--smoothing",
        type=float,
        default=defaults.SMOOTHING,
        metavar="0..1",
        help="of films: how long colors are kept along motion; 0 is frame by "
        "frame (default: %(default)s)",
    )
    parser.add_argument(
        "--crf",
        type=int,
        default=defaults.CRF,
        metavar="0..51",
        help="of films: quality of the H.264 video; lower values give better "
        "quality and larger files (default: %(default)s)",
    )


def _add_files(parser) -> None:
    shared.add_input(parser)
    shared.add_output(parser)
    parser.add_argument(
        "--compare",
        action="store_true",
        help="also write <name>.compare.<extension>: grey | colorized "
        "(default: no)",
    )
    parser.add_argument(
        "--hints",
        metavar="FILE",
        help="a JSON file with color points, see below (default: none)",
    )


def _add_boxes(parser) -> None:
    parser.add_argument(
        "--boxes",
        default=_NO_BOXES,
        metavar="FOLDER|JSON|DETECTOR|none",
        help="where things are, see below (default: none, whole pictures)",
    )
    parser.add_argument(
        "--show_boxes",
        action="store_true",
        help="also write <name>.boxes.<extension>: colorized, with its boxes "
        "(default: no)",
    )
    shared.add_max_boxes(parser)
    parser.add_argument(
        "--crop_size",
        type=_crop_size,
        metavar="PIXELS|adaptive",
        help="side of the squares that boxes are resized to, a multiple of 8; "
        "'adaptive' gives small boxes smaller ones, which is quicker "
        "(default: --image_size)",
    )
    shared.add_boxes_at_once(parser)


def _crop_size(text: str) -> int | str:
    return text if text == defaults.ADAPTIVE else int(text)


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    if args.cluster is not None:
        return _run_on_cluster(args)
    from tfcolor.inference import album

    return shared.run_outcomes(
        args.command,
        clustered.here(
            args,
            args.input,
            lambda: album.colorize_album(
                args.input,
                args.output,
                make_colorizer=lambda: _load_colorizer(args),
                smoothing=args.smoothing,
                crf=args.crf,
                on_frame=shared.Bars(
                    "frame", leave=False, label=os.path.basename
                ),
                **_wanted(args),
            ),
        ),
        end=lambda tally: tally.say(tally.summary("Colorized", args.output)),
    )


def _wanted(args) -> dict:
    """Returns what an album is asked for, here or on a cluster."""
    return {
        "compare": args.compare,
        "show_boxes": args.show_boxes,
        "hints": args.hints,
        "overwrite": args.overwrite,
        "boxes": None if args.boxes == _NO_BOXES else args.boxes,
        "max_boxes": args.max_boxes,
        "skip_color": args.skip_color,
        "max_pixels": args.max_pixels,
        "say": shared.say_left_out,
    }


def _run_on_cluster(args) -> int:
    from tfcolor.cluster import album

    return clustered.run(
        args,
        lambda: album.colorize_on_cluster(
            args.input,
            args.output,
            make_colorizer=functools.partial(_load_colorizer, args),
            sink=None if args.sink == "files" else args.sink,
            **_wanted(args),
            **clustered.options(args),
        ),
        say_end=lambda tally: tally.say(
            tally.summary("Colorized", args.output)
        ),
    )


def _load_colorizer(args):
    if args.hints is not None and args.runtime == defaults.LITERT:
        raise ValueError(
            "--hints need --runtime=tensorflow or auto. Received: "
            f"--runtime={args.runtime} with --hints={args.hints}"
        )
    from tfcolor.inference.colorizer import Colorizer

    runtime = args.runtime
    if runtime == defaults.AUTO and clustered.has_gpu(args):
        # LiteRT would leave it idle.
        runtime = defaults.TENSORFLOW
    return Colorizer(
        args.model,
        image_size=args.image_size,
        batch_size=args.batch_size,
        saturation=args.saturation,
        style=args.style,
        upsampling=args.upsampling,
        crop_size=args.crop_size,
        boxes_at_once=args.boxes_at_once,
        runtime=runtime,
    )
