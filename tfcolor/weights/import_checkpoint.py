"""From a published checkpoint to a model file that computes the same.

What `tfcolor import-weights` does, for programs.
"""

import importlib.util
import os
from collections.abc import Callable
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tfcolor import atomic
from tfcolor import keras_backend
from tfcolor.weights import model_file
from tfcolor.weights import pytorch_models
from tfcolor.weights import torchvision

# Of ab in network units, of logits and features relative to the largest;
# what float32 leaves is about 1e-5.
_TOLERANCE = 1e-4
# Kinds that are not computed a second time.
_ONLY_READ = ("ddcolor",)


class DiffersError(Exception):
    """A model does not compute what PyTorch's layers do."""


class Checked(NamedTuple):
    """How a model file was checked.

    Attributes:
        difference: float or None, the largest to PyTorch's layers; see
            `pytorch_check` and `torchvision_check`. None: not compared.
        how: str, the same in words.
    """

    difference: float | None
    how: str


def import_checkpoint(
    path: str,
    output: str,
    *,
    kind: str,
    overwrite: bool = False,
    say: Callable[[str], None] | None = None,
) -> Checked:
    """Converts published PyTorch weights into a model file, and checks it.

    The file is read again and, where PyTorch is installed, compared with
    PyTorch's own layers before it gets its name.

    Args:
        path: str, a checkpoint; for "instcolorization" a folder.
        output: str, the `.keras` file to write, in a folder that exists.
        kind: str, one of `pytorch_models.KINDS`.
        overwrite: bool. Whether an earlier file is replaced.
        say: function of a line of text, or None. Told of each network how
            many arrays were used, and which were ignored.

    Returns:
        Checked.

    Raises:
        OSError: the checkpoint cannot be read, or the file not be written.
        ValueError: `output` is not right, or weights do not fit; all arrays
            that do not are listed, on lines of their own.
        DiffersError: the model is not what PyTorch computes; nothing is
            written.
    """
    keras_backend.require_tensorflow("Importing weights")
    _check_output(output, overwrite)
    imported = pytorch_models.build(pytorch_models.read(path, kind))
    if say is not None:
        for line in _used(imported):
            say(line)
    name = os.path.basename(os.path.normpath(path))
    with atomic.replacing(output, extension=".keras") as new:
        model_file.save(imported.model, new, pytorch_models.info_of(kind, name))
        # Two large models in memory would be too many.
        states = {} if kind in _ONLY_READ else imported.states
        del imported
        return _check(new, kind, states)


def _check_output(output: str, overwrite: bool) -> None:
    if not output.endswith(".keras"):
        raise ValueError(f"`output` must end in '.keras'. Received: {output!r}")
    if not os.path.isdir(os.path.dirname(output) or "."):
        raise ValueError(
            f"`output` must lie in a folder that exists. Received: {output!r}"
        )
    if os.path.exists(output) and not overwrite:
        raise ValueError(
            "`output` must not exist, or `overwrite` be given. "
            f"Received: {output!r}"
        )


def _used(imported: pytorch_models.Imported) -> list[str]:
    """Names the arrays without a place, by their first two parts."""
    lines = []
    for network, keys in imported.ignored.items():
        used = len(imported.states[network]) - len(keys)
        line = f"{network}: {used} arrays used"
        if keys:
            counters = [k for k in keys if k.endswith("num_batches_tracked")]
            others = {k.split(".")[0] for k in keys if k not in counters}
            names = sorted(others)
            names += [f"{len(counters)} num_batches_tracked"] * bool(counters)
            line += f"; ignored: {', '.join(names)}"
        lines.append(line)
    return lines


def _check(
    path: str, kind: str, states: Mapping[str, Mapping[str, np.ndarray]]
) -> Checked:
    """Reads a model that was written, and compares it with PyTorch."""
    model, _ = model_file.load(path)
    if kind in _ONLY_READ:
        return Checked(None, "read again")
    if importlib.util.find_spec("torch") is None:
        return Checked(None, "not compared, PyTorch is missing")
    if kind in torchvision.KINDS:
        from tfcolor.weights import torchvision_check as check
    else:
        from tfcolor.weights import pytorch_check as check

    difference = check.largest_difference(model, states)
    # Whatever is no number is not small enough.
    if not difference <= _TOLERANCE:
        raise DiffersError(
            f"the model differs from PyTorch's layers by {difference:.1e} and "
            "was not written"
        )
    how = f"largest difference to PyTorch's layers {difference:.1e}"
    return Checked(difference, how)
