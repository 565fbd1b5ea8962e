"""Reading state dicts from files."""

import os
import zipfile
from collections.abc import Mapping

import numpy as np

# Training frameworks wrap the state dict in one with this key.
_WRAPPER = "state_dict"


def read_state(path: str) -> dict[str, np.ndarray]:
    """Reads a state dict.

    Args:
        path: str, a file that `torch.save` wrote (.pth, .pt; needs PyTorch),
            or an .npz file with the same arrays under the same names.

    Returns:
        dict of str to array.

    Raises:
        FileNotFoundError: there is no such file.
        ImportError: the file needs PyTorch, which is not installed.
        ValueError: the file holds no state dict.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"A checkpoint must be a file. Received: {path!r}"
        )
    if path.lower().endswith(".npz"):
        return _read_npz(path)
    return _read_torch(path)


def _read_npz(path: str) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"An .npz checkpoint must be an archive of arrays. "
            f"Received: {path!r}"
        )
    with np.load(path) as arrays:
        return {key: arrays[key] for key in arrays.files}


def _read_torch(path: str) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "Reading a PyTorch file needs PyTorch: pip install "
            f"'tfcolor[import]', or bring an .npz file. Received: {path!r}"
        ) from error
    try:
        # Never unpickles code: a checkpoint may come from anywhere.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            "A checkpoint must be a PyTorch file with tensors only. "
            f"Received: {path!r} ({error})"
        ) from error
    if isinstance(state, Mapping) and isinstance(state.get(_WRAPPER), Mapping):
        state = state[_WRAPPER]
    if not isinstance(state, Mapping):
        raise ValueError(
            "A checkpoint must hold a state dict. Received: "
            f"{path!r} with {type(state).__name__}"
        )
    strangers = [k for k, v in state.items() if not torch.is_tensor(v)]
    if strangers or not state:
        raise ValueError(
            "A state dict must hold tensors, at least one, and nothing else. "
            f"Received: {path!r} with {strangers}"
        )
    try:
        return {key: _to_numpy(tensor) for key, tensor in state.items()}
    except Exception as error:
        # Sparse, quantized, without storage: of many kinds.
        raise ValueError(
            "A state dict must hold tensors that NumPy knows. "
            f"Received: {path!r} ({error})"
        ) from error


def _to_numpy(tensor) -> np.ndarray:
    # Whoever saved the parameters of a network, saved that they are trained.
    tensor = tensor.detach()
    # NumPy has no bfloat16.
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()
