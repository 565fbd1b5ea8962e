"""`tfcolor evaluate`: measures models or pictures against the truth."""

import argparse
import sys
import warnings

# None of them imports TensorFlow.
from tfcolor.detection import defaults as detection_defaults
from tfcolor.evaluation import geometry
from tfcolor.inference import defaults

_DESCRIPTION = """\
Colorizes colour pictures from their own lightness, or takes pictures that were
colorized earlier, and compares them with the truth: PSNR, SSIM, CIEDE2000, ab
RMSE, colourfulness (signed and absolute) and how well L is kept, always beside
two baselines, grey and the mean ab of the true pictures.

With several methods, paired differences from the first one are given too.

Writes a folder with metrics.csv (a row for every picture and method),
summary.md, index.html with the pictures side by side, and a plot. Prints the
summary. Means come with 95 % bootstrap intervals.
"""

_EPILOG = """\
examples:
  tfcolor evaluate --truth=photos --output=report
  tfcolor evaluate --truth=photos --model=mine.keras --model=other.keras \\
      --geometry=squash --geometry_size=256 --output=report
  tfcolor evaluate --truth=photos --predictions=colorized --output=report
  tfcolor evaluate --truth=photos --boxes=photos_boxes --model=full.keras \\
      --model=fusion.keras --output=report

exit status: 0 all pictures compared; 1 some or all could not be, each is named
with its reason; 2 wrong usage.
"""


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
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_inputs(parser)
    _add_options(parser)
    _add_perceptual(parser)
    return parser


def _add_inputs(parser) -> None:
    group = parser.add_argument_group("what is compared")
    group.add_argument(
        "--truth",
        required=True,
        nargs="+",
        metavar="PATH",
        help="colour pictures: folders (searched recursively), globs, files",
    )
    group.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="a shipped model or a .keras file; may be given more than once. "
        "Default: the shipped default model, unless --predictions is given",
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
        "--limit",
        type=int,
        metavar="N",
        help="compare the first N pictures only",
    )
    group.add_argument(
        "--boxes",
        metavar="FOLDER|JSON|DETECTOR",
        help="boxes of the true pictures, for models that color what lies in "
        "them by itself; adds the numbers of pixels inside boxes alone",
    )
    group.add_argument(
        "--max_boxes",
        type=int,
        default=detection_defaults.MAX_BOXES,
        metavar="N",
        help="boxes of highest score that a picture keeps (default: "
        "%(default)s)",
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
        "torchvision's alexnet .pth and the alex.pth of LPIPS 0.1 (needs "
        "PyTorch: pip install 'tfcolor[import]')",
    )
    group.add_argument(
        "--fid_weights",
        metavar="PATH",
        help="adds FID: weights of keras.applications.InceptionV3 without "
        "its top (inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5)",
    )


def _colorizers(args) -> list[tuple]:
    """Loads the models; returns pairs of a path or name and a Colorizer."""
    if args.predictions and not args.model:
        return []
    from tfcolor.inference.colorizer import Colorizer
    from tfcolor.weights import shipped

    options = {"image_size": args.image_size, "saturation": args.saturation}
    models = args.model or [shipped.DEFAULT]
    return [(model, Colorizer(model, **options)) for model in models]


def _open_boxes(args, truth):
    """Returns the function that finds a picture's boxes, or None."""
    if args.boxes is None:
        return None
    from tfcolor.inference import box_finder

    if args.geometry == "center_crop":
        raise ValueError(
            "--boxes are those of whole pictures. "
            f"Received: --geometry={args.geometry}"
        )
    return box_finder.open_finder(
        args.boxes,
        max_boxes=args.max_boxes,
        pictures=[picture.path for picture in truth],
    )


def _methods(args, truth, find_boxes) -> list:
    """Loads the models and lists the predictions."""
    from tfcolor.evaluation import methods

    colorizers = _colorizers(args)
    names = methods.unique_names(
        [model for model, _ in colorizers] + args.predictions
    )
    made = [
        methods.from_colorizer(name, colorizer, find_boxes=find_boxes)
        for name, (_, colorizer) in zip(names, colorizers, strict=False)
    ]
    for folder in args.predictions:
        made.append(
            methods.from_folder(
                names[len(made)],
                folder,
                truth,
                geometry=args.geometry,
                size=args.geometry_size,
            )
        )
    return made


def _prepare(args) -> tuple:
    """Checks the options; returns truth, methods, boxes, LPIPS and FID."""
    from tfcolor.evaluation import lpips_weights
    from tfcolor.evaluation import report_folder
    from tfcolor.evaluation.fid import Fid
    from tfcolor.evaluation.truth import list_truth

    if args.geometry_size < 1:
        raise ValueError(
            "--geometry_size must be at least 1. "
            f"Received: {args.geometry_size}"
        )
    report_folder.check(args.output, overwrite=args.overwrite)
    truth = list_truth(*args.truth, limit=args.limit, outside=args.output)
    paths = args.lpips_weights
    lpips = lpips_weights.load(*paths) if paths else None
    fid = Fid(args.fid_weights) if args.fid_weights else None
    if fid and len(truth) < 2:
        raise ValueError("FID needs at least 2 pictures. Received: 1")
    find_boxes = _open_boxes(args, truth)
    return truth, _methods(args, truth, find_boxes), find_boxes, lpips, fid


def _write(args, truth, methods, find_boxes, lpips, fid):
    """Compares and writes; returns the Comparison and the summary."""
    import functools

    import tqdm

    from tfcolor.evaluation import report
    from tfcolor.evaluation import report_folder
    from tfcolor.evaluation.compare import compare
    from tfcolor.evaluation.report_pictures import ReportPictures

    with report_folder.atomic(args.output, overwrite=args.overwrite) as folder:
        pictures = ReportPictures(folder, [method.name for method in methods])
        comparison = compare(
            truth,
            methods,
            geometry=args.geometry,
            size=args.geometry_size,
            lpips=lpips,
            fid=fid,
            find_boxes=find_boxes,
            save_picture=pictures.save,
            progress=functools.partial(tqdm.tqdm, file=sys.stderr),
        )
        if not comparison.pictures:
            raise _NothingCompared(comparison.failures)
        return comparison, report.write_report(comparison, pictures, folder)


class _NothingCompared(Exception):
    """No picture went well, so there is no report."""

    def __init__(self, failures):
        super().__init__("no picture could be compared, no report written")
        self.failures = failures


def _name_failures(failures) -> None:
    for path, reason in failures:
        print(f"{path}: {reason}", file=sys.stderr)
    pictures = (
        "1 picture" if len(failures) == 1 else f"{len(failures)} pictures"
    )
    print(f"{pictures} left out.", file=sys.stderr)


def _say_error(error: Exception) -> None:
    message = " ".join(str(error).split())
    print(f"tfcolor evaluate: error: {message}", file=sys.stderr)


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture could not be compared, 2 for
        wrong usage.
    """
    # Pillow warns about odd metadata, which play no part here.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        prepared = _prepare(args)
    except (OSError, ValueError, ImportError) as error:
        _say_error(error)
        return 2
    try:
        comparison, markdown = _write(args, *prepared)
    except _NothingCompared as error:
        _name_failures(error.failures)
        _say_error(error)
        return 1
    except OSError as error:
        _say_error(error)
        return 1
    print(markdown, end="")
    print(f"Report: {args.output}", file=sys.stderr)
    if comparison.failures:
        _name_failures(comparison.failures)
        return 1
    return 0
