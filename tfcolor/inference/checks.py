"""What a colorizer accepts; each function raises ValueError for the rest."""

import numpy as np

from tfcolor.inference import defaults
from tfcolor.models.takes import SIZE_MULTIPLE


def one_each(name: str, values, count: int) -> list:
    """Returns one value for each picture; None for all where none came."""
    values = [None] * count if values is None else list(values)
    if len(values) != count:
        raise ValueError(
            f"`{name}` must have one entry for each picture. "
            f"Received: {len(values)} for {count} pictures"
        )
    return values


def check_size(name: str, size, step: int = SIZE_MULTIPLE) -> None:
    """Checks the side of a network's square, which may be None."""
    if size is not None and (
        not isinstance(size, int) or size < step or size % step
    ):
        raise ValueError(
            f"`{name}` must be a multiple of {step} above 0. "
            f"Received: {name}={size}"
        )


def check_image_size(size: int, takes) -> None:
    """Checks the side of a network's square by its `takes.Takes`."""
    check_size("image_size", size, takes.size_multiple)
    if size < takes.smallest_side:
        raise ValueError(
            f"`image_size` must be {takes.smallest_side} or more for this "
            "model, which has an AlexNet inside. Received: "
            f"image_size={size}"
        )


def check_batch_size(batch_size) -> None:
    """Checks the number of pictures that go through a network at once."""
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(
            "`batch_size` must be an integer of 1 or above. "
            f"Received: batch_size={batch_size}"
        )


def check_boxes_at_once(boxes_at_once) -> None:
    """Checks the number of boxes that go through a network at once."""
    if boxes_at_once is not None and (
        not isinstance(boxes_at_once, int) or boxes_at_once < 1
    ):
        raise ValueError(
            "`boxes_at_once` must be an integer of 1 or above, or None. "
            f"Received: boxes_at_once={boxes_at_once}"
        )


def check_saturation(saturation) -> None:
    """Checks the factor on ab."""
    if not 0 <= saturation < float("inf"):
        raise ValueError(
            "`saturation` must be a number of 0 or above. "
            f"Received: saturation={saturation}"
        )


def check_show_boxes(show_boxes, boxes) -> None:
    """Checks that boxes come where pictures are to show them."""
    if show_boxes and boxes is None:
        raise ValueError(
            "`show_boxes` needs `boxes`. Received: `show_boxes` alone"
        )


def check_crop_size(crop_size, takes) -> None:
    """Checks that a size of boxes comes where a model colors these."""
    if crop_size is not None and not takes.boxes:
        raise ValueError(
            "`crop_size` needs a model that colors boxes by themselves. "
            f"Received: crop_size={crop_size} for a model without boxes"
        )


def as_picture(rgb: np.ndarray) -> np.ndarray:
    """Checks a picture; returns it as [H, W, 3], grey as R = G = B."""
    picture = check_picture(rgb)
    # One kind of picture means one graph; the lightness is the same.
    return np.repeat(picture, 3, -1) if picture.shape[-1] == 1 else picture


def check_picture(rgb: np.ndarray) -> np.ndarray:
    """Checks a picture; returns it as [H, W, 3] or [H, W, 1]."""
    rgb = np.asarray(rgb)
    if rgb.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            "`rgb` must be uint8 (0..255) or uint16 (0..65535). "
            f"Received: rgb.dtype={rgb.dtype}"
        )
    picture = rgb[..., np.newaxis] if rgb.ndim == 2 else rgb
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3) or not rgb.size:
        raise ValueError(
            "`rgb` must have the shape [H, W, 3], [H, W, 1] or [H, W], "
            f"with at least one pixel. Received: rgb.shape={rgb.shape}"
        )
    return picture


def check_runtime(runtime: str) -> None:
    """Raises ValueError unless a network can be run by that."""
    if runtime not in defaults.RUNTIMES:
        raise ValueError(
            f"`runtime` must be one of {defaults.RUNTIMES}. "
            f"Received: runtime={runtime!r}"
        )


def check_upsampling(upsampling: str | None) -> None:
    """Raises ValueError unless ab can be enlarged like that."""
    if upsampling not in (None, *defaults.UPSAMPLINGS):
        raise ValueError(
            f"`upsampling` must be None or one of {defaults.UPSAMPLINGS}. "
            f"Received: upsampling={upsampling!r}"
        )
