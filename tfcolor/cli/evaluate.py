"""`tfcolor evaluate`: measures models or pictures against the truth."""

import argparse
import sys

# None of them imports TensorFlow.
from tfcolor.cli import clustered
from tfcolor.cli import shared
from tfcolor.evaluation import geometry
from tfcolor.inference import defaults

_DESCRIPTION = """\
Colorizes color pictures from their own lightness, or takes pictures that were
colorized earlier, and compares them with the truth: PSNR, SSIM, CIEDE2000, ab
RMSE, colorfulness (signed and absolute), how well L is kept, and the shares of
pixels with the right hue and of brown ones, always beside two baselines, grey
and the mean ab of the true pictures. With the extra [pretrained] installed,
also a distance of predicted and true pictures in features of
EfficientNet-Lite0.
Needs the extra [evaluate]; in the checkout: pip install -c constraints.txt -e
'.[evaluate]'.

With several methods, paired differences from the first one are given too.

Writes a folder with metrics.csv (a row for every picture and method),
summary.md, index.html with the pictures side by side, and a plot. Prints the
summary. Means come with 95 % bootstrap intervals.
"""

_EPILOG = """\
clusters:
  --cluster[=ADDRESS] measures on a Ray cluster (in the checkout: pip install
  -c constraints.txt -e '.[cluster,evaluate]'): on the one at ADDRESS, or
  without ADDRESS in processes on this machine. --truth may also be s3:// and
  gs:// URLs, and manifests: @FILE names a text file or URL with one picture a
  line. Pictures, models and --output must be where all machines find them.
  Measurements are kept beside the report until it is whole, so the same
  command goes on after anything was killed. Pictures that failed are listed
  in <output>.failures.csv.

examples:
  tfcolor evaluate --truth=photos --output=report
  tfcolor evaluate --truth=photos --model=mine.keras --model=other.keras \\
      --geometry=squash --geometry_size=256 --output=report
  tfcolor evaluate --truth=photos --predictions=colorized --output=report
  tfcolor evaluate --truth=photos --boxes=photos_boxes --model=full.keras \\
      --model=fusion.keras --output=report
  tfcolor evaluate --truth=imagenet13/val --by_class --model=resnet.keras \\
      --model=ensemble.keras --output=report

exit status: 0 all pictures compared; 1 some or all could not be, each is named
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
        "evaluate",
        help="measure models or colorized pictures against true pictures",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    _add_inputs(parser)
    _add_boxes(parser)
    _add_options(parser)
    _add_perceptual(parser)
    clustered.add_options(parser, sinks=False)
    return shared.complete(parser, models="--model", **clustered.ARGUMENTS)


def _add_inputs(parser) -> None:
    group = parser.add_argument_group("what is compared")
    group.add_argument(
        "--truth",
        required=True,
        nargs="+",
        metavar="PATH",
        help="color pictures: folders (searched recursively), globs, files",
    )
    group.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="a name of `tfcolor models` or a .keras, .pth or .safetensors "
        "file; may be given more than once. "
        f"Default: {defaults.MODEL}, unless --predictions is given",
    )
    group.add_argument(
        "--predictions",
        action="append",
        default=[],
        metavar="FOLDER",
        help="pictures colorized earlier, under the relative names of the "
        "true ones, in any format; may be given more than once",
    )
    group.add_argument(
        "--by_class",
        action="store_true",
        help="the folders right below --truth are classes: adds a table and "
        "bar chart of the loss of each class, paired differences from the "
        "first model, and how yellow the pictures are",
    )
    group.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="compare the first N pictures only",
    )
    group.add_argument(
        "--output",
        required=True,
        metavar="FOLDER",
        help="the report; appears when it is complete",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier report",
    )


def _add_boxes(parser) -> None:
    group = parser.add_argument_group("boxes of the true pictures")
    group.add_argument(
        "--boxes",
        metavar="FOLDER|JSON|DETECTOR",
        help="boxes of the true pictures, for models that color what lies in "
        "them by itself; adds the numbers of pixels inside boxes alone",
    )
    group.add_argument(
        "--crops",
        action="store_true",
        help="compare what lies in boxes, each as a picture of its own, as the "
        "instance network sees it (default: whole pictures)",
    )
    shared.add_max_boxes(group)


def _add_options(parser) -> None:
    group = parser.add_argument_group("how it is compared")
    group.add_argument(
        "--geometry",
        choices=geometry.GEOMETRIES,
        default=geometry.GEOMETRIES[0],
        help="size of the comparison: each picture's own; squashed to a "
        "square; short side resized and the middle cut out "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--geometry_size",
        type=int,
        default=geometry.DEFAULT_SIZE,
        metavar="PIXELS",
        help="side of that square (default: %(default)s)",
    )
    group.add_argument(
        "--image_size",
        type=int,
        metavar="PIXELS",
        help="size at which the network sees a picture (default: the "
        "model's own)",
    )
    shared.add_max_pixels(group)
    group.add_argument(
        "--saturation",
        type=float,
        default=defaults.SATURATION,
        metavar="FACTOR",
        help="factor on the predicted ab of every model (default: %(default)s)",
    )


def _add_perceptual(parser) -> None:
    group = parser.add_argument_group(
        "with weights of your own (nothing is downloaded)"
    )
    group.add_argument(
        "--lpips_weights",
        action="append",
        default=[],
        metavar="PATH",
        help="adds LPIPS 0.1 on AlexNet: one .npz, or given twice: "
        "torchvision's alexnet .pth and the alex.pth of LPIPS 0.1",
    )
    group.add_argument(
        "--fid_weights",
        metavar="PATH",
        help="adds FID: weights of keras.applications.InceptionV3 without "
        "its top (inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5)",
    )


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

    def begin():
        return _begin(
            args,
            on_picture=bars,
            say=shared.say_left_out,
            note=lambda path, line: notes.setdefault((path, line)),
        )

    if args.cluster is not None:
        return clustered.run(
            args,
            begin,
            say_end=lambda tally: _say_end(
                args, tally, notes, shared.MOST_LINES
            ),
            bars=bars,
        )
    return shared.run_outcomes(
        args.command,
        clustered.here(args, args.truth, begin),
        end=lambda tally: _say_end(args, tally, notes),
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


def _say_end(args, tally: shared.Tally, notes, most: int | None = None) -> None:
    shared.say_notes(args.command, notes)
    if not tally.is_whole:
        tally.say(None)
        return
    found = tally.result
    if found.markdown is not None:
        print(found.markdown, end="")
        print(f"Report: {args.output}", file=sys.stderr)
    if failures := found.comparison.failures:
        shared.say_failures(args.command, failures, most)
        pictures = shared.counted(len(failures), "picture")
        print(f"{pictures} left out.", file=sys.stderr)
    if found.markdown is None:
        print(
            "tfcolor evaluate: error: no picture could be compared, no report "
            "written",
            file=sys.stderr,
        )
