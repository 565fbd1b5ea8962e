"""The commands that colorize picture files: tfcolor's and PyTorch's."""

import functools
import os
import tempfile
from collections.abc import Callable

from benchmarks import commands
from benchmarks import measuring
from benchmarks import options
from flags import data as data_flags
from flags import model as model_flags

TFCOLOR, PYTORCH = "tfcolor", "PyTorch"
_SAVE_WEIGHTS = (
    "import sys; from benchmarks import pytorch_colorize; "
    "pytorch_colorize.save_weights(sys.argv[1], width=float(sys.argv[2]))"
)


def tfcolor(
    pictures: str, output: str, runtime: str | None = None
) -> commands.CommandRun:
    """Runs `tfcolor colorize`, with --model or the shipped one.

    Args:
        pictures: str, a picture or a folder of them.
        output: str, a folder that is there.
        runtime: str or None, --runtime.

    Returns:
        CommandRun.
    """
    model = options.MODEL.value
    return commands.run(
        ["-m", "tfcolor", "colorize", pictures, f"--output={output}"]
        + ([f"--model={model}"] if model else [])
        + ([f"--runtime={runtime}"] if runtime else [])
    )


def pytorch_weights(folder: str) -> str | None:
    """Writes random weights of --width for PyTorch's program.

    Args:
        folder: str.

    Returns:
        str, the path, or None without PyTorch.
    """
    if not measuring.has_torch():
        return None
    path = os.path.join(folder, "full.pth")
    width = model_flags.options()["width"]
    commands.run(["-c", _SAVE_WEIGHTS, path, str(width)])
    return path


def _pytorch(weights: str, pictures: str, output: str) -> commands.CommandRun:
    return commands.run(
        ["-m", "benchmarks.pytorch_colorize", pictures, output]
        + [f"--weights={weights}"]
        + [f"--width={model_flags.options()['width']}"]
        + [f"--size={data_flags.config().image_size}"]
    )


def sides(weights: str | None) -> dict[str, Callable]:
    """Prepares the commands of both sides.

    Args:
        weights: str or None, of `pytorch_weights`.

    Returns:
        dict of a side's name to a function of a picture, or a folder of them,
        to a CommandRun. What it writes is removed.
    """
    found = {TFCOLOR: tfcolor}
    if weights:
        found[PYTORCH] = functools.partial(_pytorch, weights)
    return {name: checked(run) for name, run in found.items()}


def checked(run: Callable) -> Callable:
    """Makes a function of pictures alone, whose results are counted.

    Args:
        run: function of a picture, or a folder of them, and a folder.

    Returns:
        Function of the first to a CommandRun.
    """

    def run_and_count(pictures):
        wanted = len(os.listdir(pictures)) if os.path.isdir(pictures) else 1
        with tempfile.TemporaryDirectory() as output:
            done = run(pictures, output)
            written = len(os.listdir(output))
        if written != wanted:
            raise RuntimeError(
                "A command must write as many pictures as it reads. "
                f"Received: {written} for {wanted}"
            )
        return done

    return run_and_count
