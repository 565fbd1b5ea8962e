"""Writing a SavedModel that TensorFlow Serving loads.

By `keras.export.ExportArchive`: a Keras 3 model that was written by
`tf.saved_model.save` loads in Python and fails in TensorFlow Serving.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfcolor import atomic
from tfcolor.export import warm_up
from tfcolor.export.served import Signature

# Beside the files that the graph reads; TensorFlow Serving looks into the
# second for warm-up requests.
ASSETS = "assets"
EXTRA_ASSETS = "assets.extra"
# What lies in an older export: a SavedModel, or the card of other files.
_MARKS = ("saved_model.pb", "model_card.md")


def write(
    path: str,
    model: keras.Model,
    signatures: Sequence[Signature],
    *,
    assets: dict[str, str],
    warm_up_requests: Sequence[warm_up.Request] = (),
) -> None:
    """Writes a SavedModel.

    Args:
        path: str. The folder to make.
        model: keras.Model, whose weights the signatures use.
        signatures: Signatures.
        assets: dict of text by file name, for the folder `assets`.
        warm_up_requests: what a server runs before it takes requests.

    Raises:
        OSError: a file cannot be written.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    for signature in signatures:
        archive.add_endpoint(
            signature.name,
            _traced(signature),
            input_signature=list(signature.inputs),
        )
    try:
        archive.write_out(path, verbose=False)
    except tf.errors.OpError as error:
        raise OSError(
            f"The SavedModel cannot be written: {error.message}"
        ) from error
    os.makedirs(os.path.join(path, ASSETS), exist_ok=True)
    for name, text in assets.items():
        with open(os.path.join(path, ASSETS, name), "w") as file:
            file.write(text)
    if warm_up_requests:
        folder = os.path.join(path, EXTRA_ASSETS)
        os.makedirs(folder, exist_ok=True)
        warm_up.write(os.path.join(folder, warm_up.FILE), warm_up_requests)


def _traced(signature: Signature):
    """Returns a signature's function made a graph: it is asked for twice."""
    graph = tf.function(
        signature.function,
        input_signature=signature.inputs,
        autograph=False,
    ).get_concrete_function()
    return lambda *inputs: graph(*inputs)


@contextlib.contextmanager
def replaced_at_end(path: str, *, overwrite: bool) -> Iterator[str]:
    """Gives a folder that appears under its name when all went well.

    Args:
        path: str. The folder to make.
        overwrite: bool. Whether an older export is replaced.

    Yields:
        str, the path of a folder beside it, not made yet. TensorFlow Serving
        does not see it: its name is no number.

    Raises:
        ValueError: `path` exists already, before or after the body ran; or it
            is to be overwritten, and is a folder of something else.
        OSError: the folder above it cannot be made or written.
    """
    path = os.path.normpath(path)
    atomic.remove_leftovers([path])
    _check_replaceable(path, overwrite=overwrite)
    with atomic.replacing(path) as new:
        yield new
        # The body takes minutes.
        _check_replaceable(path, overwrite=overwrite)


def _check_replaceable(path: str, *, overwrite: bool) -> None:
    """Raises ValueError where something is that an export must not replace."""
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise ValueError(
            f"The output must not exist, or be overwritten. Received: {path!r}"
        )
    if os.path.isdir(path) and (found := os.listdir(path)):
        if not set(_MARKS) & set(found):
            raise ValueError(
                "A folder that is overwritten must be empty or an older "
                f"export, with {' or '.join(_MARKS)} in it. "
                f"Received: {path!r} with {', '.join(sorted(found)[:3])}"
            )


def description(values: dict) -> str:
    """Returns values as JSON for people and programs."""
    return json.dumps(values, indent=2) + "\n"
