"""Reading state dicts from files, none of which needs PyTorch."""

import os
from collections.abc import Mapping

import numpy as np
import safetensors

from tfcolor.pictures import foreign_files
from tfcolor.weights import pytorch_archive
from tfcolor.weights import pytorch_pickle
from tfcolor.weights import state_dicts

# Of what `torch.save` writes, by custom.
PYTORCH = (".pth", ".pt", ".bin", ".ckpt")
SAFETENSORS = ".safetensors"
# Training frameworks wrap the state dict in one with these keys, the first
# that is there.
_WRAPPERS = ("state_dict", "params_ema", "params", "model")

# Of the name of a stranger, in a message.
_SHOWN = 80


def read_state(
    path: str, *, sha256: str | None = None
) -> state_dicts.StateDict:
    """Reads a state dict.

    Args:
        path: str, a file that `torch.save` wrote (.pth, .pt, .bin, .ckpt), a
            .safetensors file, or an .npz file with the same arrays under the
            same names.
        sha256: str or None. The file's SHA-256 where somebody has checked it
            already; see `pytorch_archive.open_file`.

    Returns:
        StateDict, a mapping of str to array. Numbers with a point are float32;
        arrays of a PyTorch file are read from it when they are used.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds no state dict, or is broken or hostile; see
            `pytorch_archive`.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"A checkpoint must be a file. Received: {path!r}"
        )
    kind = os.path.splitext(path)[1].lower()
    if kind == ".npz":
        state = _read_npz(path)
    elif kind == SAFETENSORS:
        state = _read_safetensors(path)
    else:
        state = _read_pytorch(path, sha256)
    return state_dicts.StateDict(state)


def _read_npz(path: str) -> dict[str, np.ndarray]:
    try:
        return foreign_files.read_npz(path)
    except ValueError as error:
        raise ValueError(
            "An .npz checkpoint must be an archive of arrays. "
            f"Received: {path!r} ({error})"
        ) from error


def _read_safetensors(path: str) -> dict[str, np.ndarray]:
    try:
        with safetensors.safe_open(path, framework="np") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}
    except (
        safetensors.SafetensorError,
        *(AttributeError, KeyError, TypeError),
    ) as error:
        raise ValueError(
            "A .safetensors file must be whole and hold types that NumPy "
            f"knows. Received: {path!r} ({error})"
        ) from error
    if not state:
        raise ValueError(
            f"A state dict must hold tensors, at least one. Received: {path!r}"
        )
    return state


def _read_pytorch(path: str, sha256: str | None) -> dict[str, np.ndarray]:
    file = pytorch_archive.open_file(path, sha256=sha256)
    state = file.tree
    for wrapper in _WRAPPERS:
        if isinstance(state, dict) and isinstance(
            dict.get(state, wrapper), Mapping
        ):
            state = dict.get(state, wrapper)
            break
    if not isinstance(state, dict):
        raise ValueError(
            "A checkpoint must hold a state dict. Received: "
            f"{path!r} with {type(state).__name__}"
        )
    tensors = dict(dict.items(state))
    strangers = [
        key
        for key, value in tensors.items()
        if not isinstance(value, pytorch_pickle.Tensor)
        or not isinstance(key, str)
    ]
    if strangers or not tensors:
        raise ValueError(
            "A state dict must hold tensors, at least one, and nothing else. "
            f"Received: {path!r} with {_some(strangers)}"
        )
    return {key: file.array(tensor) for key, tensor in tensors.items()}


def _some(strangers: list) -> str:
    named = [
        key[:_SHOWN] if isinstance(key, str) else type(key) for key in strangers
    ]
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return f"{named[:5]}{more}"
