"""What runs in a process of its own to measure PyTorch's memory."""

from collections.abc import Callable

import numpy as np

from benchmarks import pytorch_runs
from benchmarks import sample_boxes

# Where boxes lie matters here, not what is in the picture.
_PICTURE_SIDE = 512


def _random_inputs(boxes, image_size, box_scale) -> dict:
    rng = np.random.default_rng(0)
    square = [1, image_size, image_size]
    return {
        "L": rng.uniform(0, 100, [*square, 1]),
        "hints": np.zeros([*square, 2]),
        "mask": np.zeros([*square, 1]),
        "crops": rng.uniform(
            0, 100, [1, boxes, image_size, image_size, 1]
        ).astype(np.float32),
        "boxes": [
            sample_boxes.boxes(
                boxes,
                height=_PICTURE_SIDE,
                width=_PICTURE_SIDE,
                scale=box_scale,
            )
        ],
        "picture_size": [[_PICTURE_SIDE, _PICTURE_SIDE]],
    }


def fusion_inference(
    *,
    boxes: int,
    image_size: int,
    width: float,
    box_scale: float,
    original: str | None,
    gradients: bool,
) -> Callable:
    """Loads what `fusion_inference` needs, for `measuring.memory_of`.

    Args:
        boxes: int.
        image_size: int.
        width: float.
        box_scale: float.
        original: str or None.
        gradients: bool.

    Returns:
        Function without arguments.
    """
    networks = pytorch_runs.build(width=width, original=original)
    inputs = _random_inputs(boxes, image_size, box_scale)
    return pytorch_runs.fusion_inference(networks, inputs, gradients=gradients)


def fusion_step(
    *,
    boxes: int,
    image_size: int,
    width: float,
    box_scale: float,
    original: str | None,
) -> Callable:
    """Loads what `fusion_step` needs, for `measuring.memory_of`.

    Args:
        boxes: int.
        image_size: int.
        width: float.
        box_scale: float.
        original: str or None.

    Returns:
        Function without arguments.
    """
    networks = pytorch_runs.build(width=width, original=original)
    inputs = _random_inputs(boxes, image_size, box_scale)
    return pytorch_runs.fusion_step(
        networks, inputs, inputs["hints"], rate=1e-4
    )


def full_step(*, batch: int, image_size: int, width: float) -> Callable:
    """Loads what `full_step` needs, for `measuring.memory_of`.

    Args:
        batch: int.
        image_size: int.
        width: float.

    Returns:
        Function without arguments.
    """
    # The copies that are made here are gone before the first step, which
    # holds as much again: gradients and the two moments of Adam.
    network = pytorch_runs.build(width=width, original=None)["full"]
    square = [batch, image_size, image_size]
    rng = np.random.default_rng(0)
    inputs = {
        "L": rng.uniform(0, 100, [*square, 1]),
        "hints": np.zeros([*square, 2]),
        "mask": np.zeros([*square, 1]),
    }
    return pytorch_runs.full_step(network, inputs, inputs["hints"], rate=1e-4)
