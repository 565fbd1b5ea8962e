"""Reading the weights of LPIPS from files that the user has.

Either one .npz with the arrays of `lpips.weight_shapes`, or PyTorch's two
files: torchvision's AlexNet (`alexnet-owt-*.pth`) and the linear weights of
LPIPS 0.1 (`alex.pth`). PyTorch is needed for .pth files only.
"""

import os

import numpy as np

from tfcolor.data import foreign_files
from tfcolor.evaluation import lpips


def _read_npz(path: str) -> dict[str, np.ndarray]:
    try:
        return foreign_files.read_npz(path)
    except ValueError as error:
        raise ValueError(
            f"LPIPS weights must be .npz. Received: {path!r} ({error})"
        ) from error


def _read_pth(path: str) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "Reading a .pth file needs PyTorch: pip install "
            f"'tfcolor[import]', or bring an .npz file. Received: {path!r}"
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"LPIPS weights must be a PyTorch state dict. Received: {path!r}"
        ) from error
    return {name: tensor.numpy() for name, tensor in state.items()}


_READERS = {".npz": _read_npz, ".pth": _read_pth, ".pt": _read_pth}


def load(*paths: str) -> lpips.Lpips:
    """Reads LPIPS from one or more files that together hold all its weights.

    Args:
        *paths: str, .npz or .pth files.

    Returns:
        lpips.Lpips.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: a .pth file, and PyTorch is not installed.
        ValueError: an unknown kind of file, or weights are missing.
    """
    weights = {}
    for path in paths:
        reader = _READERS.get(os.path.splitext(path)[1].lower())
        if reader is None:
            raise ValueError(
                f"LPIPS weights must be .npz or .pth files. Received: {path!r}"
            )
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f"LPIPS weights must be a file. Received: {path!r}"
            )
        weights.update(reader(path))
    return lpips.Lpips(weights)
