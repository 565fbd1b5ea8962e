"""What takes how long when a colorizer starts: steps in a fresh process.

    python -m benchmarks.start_steps tfcolor PICTURE [MODEL]
    python -m benchmarks.start_steps litert PICTURE
    python -m benchmarks.start_steps pytorch PICTURE WEIGHTS WIDTH SIZE

The same work as that of the commands, one step after the other; prints them
with their seconds as JSON. Nothing heavy is imported before the first step.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Sequence

_IMPORT_REST = "import the rest"
_LOAD, _FIRST = "load the model", "first picture"


class _Steps:
    """Steps done so far, and their seconds."""

    def __init__(self):
        self.seconds = {}
        self._last = time.perf_counter()

    def done(self, name):
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def tfcolor(picture: str, model: str | None = None) -> dict[str, float]:
    """Does what `tfcolor colorize` does, without writing.

    Args:
        picture: str, path.
        model: str or None, as for `Colorizer`.

    Returns:
        dict of steps to seconds.
    """
    # As the command does.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    steps = _Steps()
    # TensorFlow imports Keras itself.
    importlib.import_module("tensorflow")
    steps.done("import TensorFlow and Keras")
    from tfcolor.inference import colorization_model
    from tfcolor.inference import picture_files  # noqa: F401
    from tfcolor.inference.colorizer import Colorizer
    from tfcolor.pictures import decode

    steps.done(_IMPORT_REST)
    network, info = colorization_model.load(model)
    steps.done(_LOAD)
    colorizer = Colorizer(
        network, image_size=info.image_size, upsampling=info.upsampling
    )
    steps.done("make the graphs")
    with open(picture, "rb") as file:
        colorizer.colorize(decode.decode_rgb(file.read()))
    steps.done(_FIRST)
    return steps.seconds


def litert(picture: str) -> dict[str, float]:
    """Does what `tfcolor colorize` does without TensorFlow, without writing.

    Args:
        picture: str, path.

    Returns:
        dict of steps to seconds.
    """
    steps = _Steps()
    importlib.import_module("cv2")
    importlib.import_module("PIL.Image")
    steps.done("import NumPy, OpenCV and Pillow")
    importlib.import_module("ai_edge_litert.interpreter")
    steps.done("import LiteRT")
    from tfcolor.cli import main  # noqa: F401
    from tfcolor.inference import picture_files  # noqa: F401
    from tfcolor.inference.colorizer import Colorizer
    from tfcolor.pictures import decode

    steps.done(_IMPORT_REST)
    colorizer = Colorizer(runtime="litert")
    steps.done(_LOAD)
    with open(picture, "rb") as file:
        colorizer.colorize(decode.decode_rgb(file.read()))
    steps.done(_FIRST)
    return steps.seconds


def pytorch(
    picture: str, weights: str, width: str, size: str
) -> dict[str, float]:
    """Does what `pytorch_colorize` does, without writing.

    Args:
        picture: str, path.
        weights: str, path.
        width: str, a number.
        size: str, a number.

    Returns:
        dict of steps to seconds.
    """
    steps = _Steps()
    importlib.import_module("torch")
    steps.done("import PyTorch")
    from benchmarks import pytorch_colorize

    steps.done(_IMPORT_REST)
    network = pytorch_colorize.load(weights, width=float(width))
    steps.done(_LOAD)
    pytorch_colorize.colorize(network, picture, size=int(size))
    steps.done(_FIRST)
    return steps.seconds


def main(argv: Sequence[str]) -> None:
    """Runs the program.

    Args:
        argv: sequence of str, the side and the arguments of its function.
    """
    side, *arguments = argv
    steps = {"tfcolor": tfcolor, "litert": litert, "pytorch": pytorch}[side]
    print(json.dumps(steps(*arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
