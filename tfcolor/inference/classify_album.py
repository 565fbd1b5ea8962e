"""Classifying an album: from inputs as people name them to a table.

What `tfcolor classify` does, for programs.
"""

import csv
import dataclasses
import io
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence

from tfcolor import atomic
from tfcolor.data import files
from tfcolor.data import outcome as outcome_lib
from tfcolor.data.outcome import Outcome
from tfcolor.data.outcome import Outcomes
from tfcolor.inference import defaults
from tfcolor.pictures import decode
from tfcolor.pictures import pillow_limit

_HEADER = ("picture", "rank", "class", "probability")
# What takes less memory here.
_TRY_LESS = "a smaller `batch_size`, smaller pictures"


def classify_album(
    inputs: Sequence[str],
    *,
    make_classifier: Callable,
    output: str | None = None,
    top: int = defaults.TOP,
    max_pixels: int = pillow_limit.MAX_PIXELS,
    stop: Callable[[], bool] = outcome_lib.never,
    say: Callable[[str], None] | None = None,
) -> Outcomes:
    """Says what picture files show.

    What is wrong with inputs, output or model raises an error before the first
    picture; a bad picture is an outcome with a reason, and the others go on.
    Pictures are classified while the result is iterated. The table is written
    at the end, and not at all if the work was stopped.

    Args:
        inputs: sequence of str. Files, folders and globs.
        make_classifier: function without arguments to a `Classifier`.
        output: str or None. A CSV file with the columns picture, rank, class
            and probability; `top` rows for each picture.
        top: int. How many classes of a picture are named.
        max_pixels: int. A picture of more is not decoded, but fails.
        stop: function without arguments, asked before each batch. Once it
            returns True no other picture is begun.
        say: function of a line of text, or None. Told what is left out.

    Returns:
        Outcomes, one for each picture, with its `classes`. Its `name` is its
        path below the input; its whole path where there are several inputs.

    Raises:
        OSError: an input finds no picture, or the model cannot be read. While
            this is iterated: the table cannot be written.
        ValueError: the model is no classifier, or an option is out of range.

    Example:
        >>> for outcome in classify_album(
        ...     ["album"], make_classifier=lambda: Classifier("model.keras")
        ... ):
        ...     print(outcome.source, outcome.reason or outcome.classes)
    """
    pillow_limit.check_option(max_pixels)
    if top < 1:
        raise ValueError(f"`top` must be 1 or above. Received: top={top}")
    if output and files.is_picture(output):
        raise ValueError(
            "`output` must be a CSV file, not a picture. "
            f"Received: output={output!r}"
        )
    found = files.list_named_pictures(*inputs, say=say)
    if len(inputs) > 1:
        # "000.jpg" of which of them?
        found = [(path, path) for path, _ in found]
    running = _run(
        make_classifier(), found, output, top, max_pixels=max_pixels, stop=stop
    )
    return Outcomes(running, len(found))


def _run(
    classifier, found, output, top, *, max_pixels, stop
) -> Iterator[Outcome]:
    rows = []
    size = classifier.batch_size
    for start in range(0, len(found), size):
        if stop():
            return
        batch = found[start : start + size]
        for outcome in _classify(classifier, batch, top, max_pixels):
            rows += [
                (files.shown_name(outcome.name), rank, name, f"{share:.6f}")
                for rank, (name, share) in enumerate(outcome.classes, start=1)
            ]
            yield outcome
    if output:
        _write(output, rows)


def _classify(classifier, batch, top: int, max_pixels: int) -> list[Outcome]:
    """Returns the outcomes of (path, name), in order."""
    import tensorflow as tf

    outcomes, pictures = [], []
    for path, name in batch:
        notes = []
        try:
            data = pillow_limit.read_file(path, max_pixels=max_pixels)
            pictures.append(
                decode.decode_rgb(data, say=notes.append, max_pixels=max_pixels)
            )
        except (OSError, ValueError, MemoryError) as error:
            known = {"reason": _reason(error)}
        else:
            known = {"notes": tuple(notes)}
        outcomes.append(Outcome(path, name=name, **known))
    good = [outcome for outcome in outcomes if not outcome.reason]
    try:
        found = classifier.probabilities(pictures)
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        changes = [{"reason": _reason(error)}] * len(good)
    else:
        changes = [
            {"classes": _best(classifier.class_names, row, top)}
            for row in found
        ]
    done = {
        outcome.source: dataclasses.replace(outcome, **change)
        for outcome, change in zip(good, changes, strict=True)
    }
    return [done.get(outcome.source, outcome) for outcome in outcomes]


def _reason(error: BaseException) -> str:
    return files.one_line(error, path=False, try_less=_TRY_LESS)


def _best(names, probabilities, top: int) -> tuple[tuple[str, float], ...]:
    pairs = zip(names, map(float, probabilities), strict=True)
    return tuple(sorted(pairs, key=lambda pair: -pair[1])[:top])


def _write(path: str, rows: list) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([_HEADER, *rows])
    atomic.remove_leftovers([path])
    # A class's name need not be UTF-8.
    text = file.getvalue().encode(errors="backslashreplace")
    atomic.write_bytes(path, text)
