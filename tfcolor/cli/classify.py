"""`tfcolor classify`: says what picture files show."""

import argparse
import sys
import warnings

from tfcolor import atomic
from tfcolor.cli import shared

_DESCRIPTION = """\
Classifies pictures with a network that `trainers.train_classifier` trained, and
prints the best classes and their probabilities. What the network sees is what
it was trained on: the lightness alone, or the colors too.
"""

_EPILOG = """\
output:
  --output writes a CSV file with the columns picture, rank, class, probability:
  --top rows for each picture. A picture is called by its path below INPUT, and
  where there are several of these by its whole path.

examples:
  tfcolor classify basket.jpg --model=runs/fruits/model.keras
  tfcolor classify market --model=runs/fruits/model.keras --output=market.csv

exit status: 0 all done; 1 a picture failed, each is named with its reason;
2 wrong usage; 130 interrupted.
"""

_HEADER = ("picture", "rank", "class", "probability")


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Adds the sub-command to the `tfcolor` command.

    Args:
        subparsers: what `ArgumentParser.add_subparsers` returned.

    Returns:
        argparse.ArgumentParser of the sub-command.
    """
    parser = subparsers.add_parser(
        "classify",
        help="say what pictures show",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared.add_input(parser)
    parser.add_argument(
        "--model",
        required=True,
        metavar="PATH",
        help="the .keras file of a classifier",
    )
    parser.add_argument(
        "--output", metavar="CSV", help="also write the results to this file"
    )
    parser.add_argument(
        "--top",
        type=int,
        default=3,
        metavar="N",
        help="classes to name for each picture (default: %(default)s)",
    )
    shared.add_batch_size(parser)
    shared.add_max_pixels(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command.

    Args:
        args: argparse.Namespace.

    Returns:
        int, the exit status: 0, 1 if a picture failed, 2 for wrong usage.
    """
    # Pillow warns about odd metadata, which play no part here.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    from tfcolor.data import encode
    from tfcolor.data import files
    from tfcolor.data import pillow_limit
    from tfcolor.inference.classifier import Classifier

    try:
        pillow_limit.check_option(args.max_pixels)
        if args.top < 1:
            raise ValueError(
                f"`top` must be 1 or above. Received: top={args.top}"
            )
        if args.output and files.is_picture(args.output):
            raise ValueError(
                "`output` must be a CSV file, not a picture. "
                f"Received: output={args.output!r}"
            )
        found = files.list_named_pictures(*args.input, say=shared.say_left_out)
        if len(args.input) > 1:
            # "000.jpg" of which of them?
            found = [(path, path) for path, _ in found]
        classifier = Classifier(args.model, batch_size=args.batch_size)
    except (OSError, ValueError) as error:
        return shared.say_error("classify", error, 2)
    rows, notes, failures = [], [], []
    _classify(args, classifier, found, rows, notes, failures)
    shared.say_notes(notes)
    shared.say_failures(failures)
    if args.output:
        try:
            atomic.remove_leftovers([args.output])
            # A class's name need not be UTF-8.
            text = _csv(rows).encode(errors="backslashreplace")
            encode.write_atomically(args.output, text)
        except OSError as error:
            return shared.say_error("classify", error, 1)
        done = len(found) - len(failures)
        plural = "" if done == 1 else "s"
        print(f"Classified {done} picture{plural} into {args.output}")
    return 1 if failures else 0


def _classify(args, classifier, found, rows, notes, failures) -> None:
    """Prints the classes of pictures; adds to CSV rows, notes, failures."""
    import tqdm

    from tfcolor.data import files

    size = classifier.batch_size
    with tqdm.tqdm(
        total=len(found),
        unit="picture",
        disable=len(found) <= size,
        file=sys.stderr,
    ) as progress:
        for start in range(0, len(found), size):
            batch = found[start : start + size]
            read = _read(batch, args.max_pixels, notes, failures)
            for name, best in _best(classifier, *read, failures):
                best, name = best[: args.top], files.shown_name(name)
                said = ", ".join(f"{k} {100 * p:.1f} %" for k, p in best)
                line = files.shown_name(f"{name}: {said}")
                progress.write(line, file=sys.stdout)
                rows += [
                    (name, rank, k, f"{p:.6f}")
                    for rank, (k, p) in enumerate(best, start=1)
                ]
            progress.update(len(batch))


def _read(batch, max_pixels, notes, failures) -> tuple[list, list]:
    """Returns (path, name) and pixels of those that can be read."""
    from tfcolor.data import decode
    from tfcolor.data import files
    from tfcolor.data import pillow_limit

    read, pictures = [], []
    for path, name in batch:
        said = []
        try:
            data = pillow_limit.read_file(path, max_pixels=max_pixels)
            pictures.append(
                decode.decode_rgb(data, say=said.append, max_pixels=max_pixels)
            )
        except (OSError, ValueError, MemoryError) as error:
            failures.append((path, files.reason(error)))
        else:
            read.append((path, name))
            notes += [(path, note) for note in said]
    return read, pictures


def _best(classifier, read, pictures, failures) -> list:
    """Returns pairs of name and [(class, probability)], best first."""
    import tensorflow as tf

    try:
        probabilities = classifier.probabilities(pictures)
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        failures += [(path, shared.one_line(error)) for path, _ in read]
        return []
    results = []
    for (_, name), row in zip(read, probabilities, strict=True):
        pairs = zip(classifier.class_names, map(float, row), strict=True)
        results.append((name, sorted(pairs, key=lambda pair: -pair[1])))
    return results


def _csv(rows: list) -> str:
    import csv
    import io

    file = io.StringIO(newline="")
    csv.writer(file).writerows([_HEADER, *rows])
    return file.getvalue()
