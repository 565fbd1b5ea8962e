"""`tfcolor evaluate`: measures models or pictures against the truth."""

import argparse
import contextlib
import functools
import sys
import warnings

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


def _crops(args, truth, find_boxes) -> list:
    """Returns a picture for each box."""
    from tfcolor.evaluation.methods import crops

    if find_boxes is None or args.predictions:
        raise ValueError(
            "--crops needs --boxes, and no --predictions. "
            f"Received: --boxes={args.boxes}, {len(args.predictions)} folders "
            "of predictions"
        )
    return crops(truth, find_boxes)


def _class_teller(args, model: str, colorizer):
    """Returns the function that tells a model classes, or None."""
    if not colorizer.num_classes:
        return None
    from tfcolor.evaluation import methods
    from tfcolor.weights import model_file

    info = model_file.read_info(model)
    if not args.by_class or len(info.class_names) != colorizer.num_classes:
        raise ValueError(
            "A model that must be told classes needs --by_class, and their "
            f"names in its file. Received: --model={model}, "
            f"{len(info.class_names)} names"
        )
    return functools.partial(
        methods.tell_class,
        class_names=info.class_names,
        shuffled=info.inputs == model_file.SHUFFLED_CLASSES,
    )


def _methods(args, truth, find_boxes, say) -> list:
    """Loads the models and lists the predictions."""
    from tfcolor.evaluation import methods

    colorizers = _colorizers(args)
    names = methods.unique_names(
        [model for model, _ in colorizers] + args.predictions
    )
    made = [
        methods.from_colorizer(
            name,
            colorizer,
            find_boxes=find_boxes,
            tell_class=_class_teller(args, model, colorizer),
        )
        for name, (model, colorizer) in zip(names, colorizers, strict=False)
    ]
    for folder in args.predictions:
        made.append(
            methods.from_folder(
                names[len(made)],
                folder,
                truth,
                geometry=args.geometry,
                size=args.geometry_size,
                say=say,
            )
        )
    return made


def _prepare(args, say) -> tuple:
    """Checks the options; returns truth, methods, boxes and distances."""
    from tfcolor.evaluation import color_scores
    from tfcolor.evaluation import perceptual
    from tfcolor.evaluation import report
    from tfcolor.evaluation.methods import list_truth
    from tfcolor.evaluation.perceptual import Fid

    if args.cluster is not None and args.crops:
        raise ValueError("--cluster compares whole pictures. Received: --crops")
    if args.geometry_size < 1:
        raise ValueError(
            "--geometry_size must be at least 1. "
            f"Received: {args.geometry_size}"
        )
    report.check_folder(args.output, overwrite=args.overwrite)
    truth = list_truth(
        *args.truth,
        limit=args.limit,
        outside=args.output,
        say=shared.say_left_out,
        max_pixels=args.max_pixels,
    )
    if args.by_class:
        # Says early what is wrong with the folders.
        color_scores.ClassCollector(truth)
    find_boxes = _open_boxes(args, truth)
    if args.crops:
        truth, find_boxes = _crops(args, truth, find_boxes), None
    paths = args.lpips_weights
    lpips = perceptual.load_lpips(*paths) if paths else None
    fid = Fid(args.fid_weights) if args.fid_weights else None
    if fid and len(truth) < 2:
        raise ValueError("FID needs at least 2 pictures. Received: 1")
    methods = _methods(args, truth, find_boxes, say)
    distances = {
        "lpips": lpips,
        "fid": fid,
        "efficientnet": perceptual.open_installed(),
    }
    return truth, methods, find_boxes, distances


def _write(args, truth, methods, find_boxes, distances, *, say):
    """Compares and writes; returns the Comparison and the summary."""
    import tqdm

    from tfcolor.evaluation import report
    from tfcolor.evaluation.color_scores import ClassCollector
    from tfcolor.evaluation.compare import compare
    from tfcolor.evaluation.report import ReportPictures

    collector = ClassCollector(truth) if args.by_class else None
    with (
        _connected(args),
        report.atomic_folder(args.output, overwrite=args.overwrite) as folder,
    ):
        pictures = ReportPictures(folder, [method.name for method in methods])

        def save(picture, rgb):
            pictures.save(picture, rgb)
            if collector is not None:
                collector.look(picture, rgb)

        comparison = compare(
            truth,
            methods,
            geometry=args.geometry,
            size=args.geometry_size,
            find_boxes=find_boxes,
            **distances,
            save_picture=save,
            say=say,
            progress=functools.partial(tqdm.tqdm, file=sys.stderr),
            passes=args.cluster and _passes(args, folder, collector, say),
        )
        if not comparison.pictures:
            raise _NothingCompared(comparison.failures)
        scores = collector and collector.scores(comparison)
        return comparison, report.write_report(
            comparison, pictures, folder, scores=scores
        )


def _connected(args):
    """Connects to the cluster, if there is to be one."""
    if args.cluster is None:
        return contextlib.nullcontext()
    from tfcolor.cluster import engine

    return engine.connected(args.cluster)


def _passes(args, folder: str, collector, say):
    """Returns who measures the pictures on a cluster."""
    import tqdm

    from tfcolor.cluster.evaluation import ClusterPasses

    return ClusterPasses(
        functools.partial(_measuring, args, folder),
        folder,
        collector=collector,
        say=say,
        progress=lambda total: tqdm.tqdm(
            total=total, unit="picture", file=sys.stderr
        ),
        **clustered.options(args),
    )


def _measuring(args, folder: str):
    """Makes what a process of the cluster measures with."""
    from tfcolor.cluster.evaluation import Measuring
    from tfcolor.evaluation import compare
    from tfcolor.evaluation.color_scores import ClassCollector
    from tfcolor.evaluation.report import ReportPictures

    notes = []

    def say(path, note):
        notes.append((path, note))

    truth, methods, find_boxes, distances = _prepare(args, say)
    collector = ClassCollector(truth) if args.by_class else None
    pictures = ReportPictures(folder, [method.name for method in methods])

    def save(picture, rgb):
        pictures.save(picture, rgb)
        if collector is not None:
            collector.look(picture, rgb)

    run = compare.make_run(
        geometry=args.geometry,
        size=args.geometry_size,
        find_boxes=find_boxes,
        save_picture=save,
        say=say,
        **distances,
    )
    return Measuring(truth, methods, run, collector, notes)


class _NothingCompared(Exception):
    """No picture went well, so there is no report."""

    def __init__(self, failures):
        super().__init__("no picture could be compared, no report written")
        self.failures = failures


def _name_failures(failures) -> None:
    shared.say_failures(failures)
    pictures = (
        "1 picture" if len(failures) == 1 else f"{len(failures)} pictures"
    )
    print(f"{pictures} left out.", file=sys.stderr)


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
    # Each once, in their order: a file may be read for several crops.
    notes = {}

    def say(path, note):
        notes[path, note] = None

    try:
        prepared = _prepare(args, say)
    except (OSError, ValueError, ImportError) as error:
        return shared.say_error("evaluate", error, 2)
    try:
        comparison, markdown = _write(args, *prepared, say=say)
    except _NothingCompared as error:
        shared.say_notes(notes)
        _name_failures(error.failures)
        return shared.say_error("evaluate", error, 1)
    except ImportError as error:
        return shared.say_error("evaluate", error, 2)
    except OSError as error:
        return shared.say_error("evaluate", error, 1)
    shared.say_notes(notes)
    print(markdown, end="")
    print(f"Report: {args.output}", file=sys.stderr)
    if comparison.failures:
        _name_failures(comparison.failures)
        return 1
    return 0
